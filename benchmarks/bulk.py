"""A million recipients from CSV to requests: beside the floor, and to a sandbox beside a bare loop.

The rates count CPU time, so they are those of one core whatever else runs on the machine.
"""

import csv
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target

__all__ = ["measure"]

_TEXT: Final = "Hi ${name}, your parcel arrives today."
_CHUNK: Final = 1000
_SIZES: Final = (10_000, 100_000, 1_000_000)
_END_TO_END: Final = 20_000
_TARGETS: Final = {"orjson": 100_000, "json": 60_000}


def measure(_environments: Environments, plan: Plan) -> Report:
    """Each figure is the median of three rounds, taken in turns."""
    columns = ("what", "recipients", "JSON", "recipients/s of a core", "of the floor")
    report = Report("Bulk: CSV, check, journal, requests", columns)
    with tempfile.TemporaryDirectory() as folder:
        for size in _SIZES:
            count = max(_CHUNK, plan.calls(size))
            source = _write(Path(folder), count)
            for library, bound in _TARGETS.items():
                floor, bulk = _in_turns(("floor", "bulk"), source, library, plan)
                report.rows.append(("floor", f"{count:,}", library, f"{floor:,.0f}", ""))
                share = f"{bulk / floor:.2f}"
                report.rows.append(("wrapper", f"{count:,}", library, f"{bulk:,.0f}", share))
                if size == _SIZES[-1]:
                    text = f"recipients/s, {library}"
                    report.targets.append(Target(text, bulk, bound, at_least=True))
        count = max(_CHUNK, plan.calls(_END_TO_END))
        loop, bulk = _in_turns(("loop", "job"), _write(Path(folder), count), "orjson", plan)
        report.rows.append(("bare loop to a sandbox", f"{count:,}", "orjson", f"{loop:,.0f}", ""))
        share = f"{bulk / loop:.2f}"
        report.rows.append(("wrapper to a sandbox", f"{count:,}", "orjson", f"{bulk:,.0f}", share))
    return report


def _write(folder: Path, count: int) -> Path:
    path = folder / f"{count}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("key", "phone", "name"))
        writer.writerows((f"k{n}", f"+4670{n:07d}", f"Name {n % 1000}") for n in range(count))
    return path


def _in_turns(modes: tuple[str, str], source: Path, library: str, plan: Plan) -> list[float]:
    found: dict[str, list[float]] = {mode: [] for mode in modes}
    for _ in range(min(plan.rounds, 3)):
        for mode in modes:
            command = [sys.executable, "-m", "benchmarks.bulk", mode, str(source), library]
            result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found[mode].append(float(result.stdout))
    return [statistics.median(found[mode]) for mode in modes]


def _bodies(source: Path) -> Iterator[dict[str, Any]]:
    """The same requests as plain dicts, without a check, a key or a journal."""
    with source.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        chunk: list[dict[str, Any]] = []
        for _, phone, name in rows:
            identities = [{"channel": "SMS", "identity": phone}]
            recipient = {"identified_by": {"channel_identities": identities}}
            metadata = {"sinch_wrapper_index": str(len(chunk))}
            item = {"recipient": recipient, "parameters": {"name": name}}
            chunk.append(item | {"message_metadata": metadata})
            if len(chunk) == _CHUNK:
                yield _body(chunk)
                chunk = []
        if chunk:
            yield _body(chunk)


def _body(chunk: list[dict[str, Any]]) -> dict[str, Any]:
    message = {"text_message": {"text": _TEXT}}
    return {"app_id": "A", "message": message, "recipient_and_params": chunk}


def _floor(source: Path, library: str) -> int:
    dumps: Callable[[object], object] = json.dumps
    if library == "orjson":
        import orjson

        dumps = orjson.dumps
    count = 0
    for body in _bodies(source):
        dumps(body)
        count += len(body["recipient_and_params"])
    return count


def _client(url: str | None) -> Any:  # noqa: ANN401 (a Sinch, imported once orjson is decided)
    from sinch_wrapper import Endpoints, Sinch
    from sinch_wrapper._http import httpx
    from sinch_wrapper.sandbox import Settings

    known = Settings()
    identity: dict[str, Any] = {
        "project_id": known.project_id,
        "key_id": known.key_id,
        "key_secret": known.key_secret,
    }
    if url is not None:
        return Sinch(**identity, endpoints=Endpoints.sandbox(url), limits=None, proxy="")
    numbers = iter(range(10**9))

    def answer(_request: httpx.Request) -> httpx.Response:
        found = {"access_token": "t", "expires_in": 3600, "batch_id": f"B{next(numbers)}"}
        return httpx.Response(200, json=found)

    transport = httpx.MockTransport(answer)
    return Sinch(**identity, region="eu", limits=None, transport=transport)


def _bulk(source: Path, url: str | None) -> int:
    from sinch_wrapper.bulk import Bulk, Columns, MessageLimits
    from sinch_wrapper.messages import text
    from sinch_wrapper.sandbox import Settings

    with tempfile.TemporaryDirectory() as folder, _client(url) as sinch:
        bulk, job = Bulk(sinch), Path(folder, "job.db")
        report = bulk.send(
            app_id=Settings().app_id,
            message=text(_TEXT),
            recipients=source,
            job=job,
            columns=Columns(key="key"),
            limits=MessageLimits(queue=10**9),
        )
        if url is not None:
            bulk.status(job)
    accepted: int = report.accepted
    return accepted


def _loop(source: Path, url: str) -> int:
    from sinch_wrapper.sandbox import Settings

    count = 0
    with _client(url) as sinch:
        for body in _bodies(source):
            body["app_id"] = Settings().app_id
            sinch.batch.messages.send_batch(body=body)
            count += len(body["recipient_and_params"])
    return count


def _to_sandbox(work: Callable[[Path, str], int], source: Path) -> tuple[int, float]:
    """How many were sent, and the seconds that passed; the sandbox is another process."""
    command = [sys.executable, "-m", "sinch_wrapper.cli", "sandbox", "--port", "0", "--json"]
    with subprocess.Popen(
        [*command, "--drain-rate", "1000000"], stdout=subprocess.PIPE, text=True
    ) as sandbox:
        try:
            line = sandbox.stdout.readline() if sandbox.stdout is not None else ""
            url = json.loads(line)["SINCH_SANDBOX_URL"]
            work(_few(source), url)
            began = time.perf_counter()
            count = work(source, url)
            return count, time.perf_counter() - began
        finally:
            sandbox.kill()


def _few(source: Path) -> Path:
    """The first recipients of *source*, to warm up on."""
    few = source.with_name("few.csv")
    with source.open(encoding="utf-8") as file:
        few.write_text("".join(itertools.islice(file, 11)), encoding="utf-8")
    return few


def main(mode: str, source: str, library: str) -> None:
    """Be one measured process: print recipients per second."""
    if library == "json":
        sys.modules["orjson"] = None  # type: ignore[assignment]  # as if it were not installed
    if mode in {"loop", "job"}:
        count, seconds = _to_sandbox(_loop if mode == "loop" else _bulk, Path(source))
    else:
        # What is loaded on first use is no cost of a recipient.
        if mode == "bulk":
            _bulk(_few(Path(source)), None)
        began = time.process_time()
        count = _floor(Path(source), library) if mode == "floor" else _bulk(Path(source), None)
        seconds = time.process_time() - began
    sys.stdout.write(f"{count / seconds}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
