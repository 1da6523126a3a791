"""The processes that `bulk` measures: `_bulk_work.py MODE CSV JSON` prints a rate and a peak.

With a fourth argument it says when it is ready, and begins when it is given a line.

`floor` builds the same requests as plain dicts and encodes them; `bulk` sends them through check,
journal and request building to a server that is a function, and `tasks` by AsyncBulk; `check` stops
before any leaves, and `preview` says what would leave. The rates of these are by CPU time. `loop`
and `job` send to a sandbox, one after another without a journal, and with all; theirs are by the
clock, because they wait.
"""

import asyncio
import csv
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["CHUNK", "main", "write"]

CHUNK: Final = 1000
_TEXT: Final = "Hi ${name}, your parcel arrives today."


def write(folder: Path, count: int) -> Path:
    """Write a CSV file of *count* recipients, named by it."""
    path = folder / f"{count}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("key", "phone", "name"))
        writer.writerows((f"k{n}", f"+4670{n:07d}", f"Name {n % 1000}") for n in range(count))
    return path


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
            if len(chunk) == CHUNK:
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


def _options() -> dict[str, Any]:
    from sinch_wrapper.sandbox import Settings

    known = Settings()
    return {
        "project_id": known.project_id,
        "key_id": known.key_id,
        "key_secret": known.key_secret,
        "limits": None,
    }


def _transport() -> Any:  # noqa: ANN401 (a MockTransport, imported once orjson is decided)
    from sinch_wrapper._http import httpx

    numbers = iter(range(10**9))

    def answer(_request: httpx.Request) -> httpx.Response:
        found = {"access_token": "t", "expires_in": 3600, "batch_id": f"B{next(numbers)}"}
        return httpx.Response(200, json=found)

    return httpx.MockTransport(answer)


def _client(url: str | None) -> Any:  # noqa: ANN401 (a Sinch, as above)
    from sinch_wrapper import Endpoints, Sinch

    if url is not None:
        return Sinch(**_options(), endpoints=Endpoints.sandbox(url), proxy="")
    return Sinch(**_options(), region="eu", transport=_transport())


def _job(source: Path, folder: str, deadline: float | None = None) -> dict[str, Any]:
    from sinch_wrapper.bulk import Columns, MessageLimits
    from sinch_wrapper.messages import text
    from sinch_wrapper.sandbox import Settings

    return {
        "app_id": Settings().app_id,
        "message": text(_TEXT),
        "recipients": source,
        "job": Path(folder, "job.db"),
        "columns": Columns(key="key"),
        "limits": MessageLimits(queue=10**9),
        "deadline": deadline,
    }


def _bulk(source: Path, url: str | None, deadline: float | None = None) -> int:
    from sinch_wrapper.bulk import Bulk

    with tempfile.TemporaryDirectory() as folder, _client(url) as sinch:
        bulk, job = Bulk(sinch), _job(source, folder, deadline)
        report = bulk.send(**job)
        if url is not None:
            bulk.status(job["job"])
    return report.total


async def _in_tasks(source: Path) -> int:
    from sinch_wrapper import AsyncSinch
    from sinch_wrapper.bulk import AsyncBulk

    with tempfile.TemporaryDirectory() as folder:
        async with AsyncSinch(**_options(), region="eu", transport=_transport()) as sinch:
            report = await AsyncBulk(sinch).send(**_job(source, folder))
    return report.total


def _preview(source: Path) -> int:
    from sinch_wrapper.bulk import Columns, preview
    from sinch_wrapper.messages import text

    prices = {"46": "0.05", "1": "0.01"}
    columns = Columns(key="key")
    return preview(message=text(_TEXT), recipients=source, columns=columns, prices=prices).total


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
    few = source.with_name(f"few-{os.getpid()}.csv")
    with source.open(encoding="utf-8") as file:
        few.write_text("".join(itertools.islice(file, 11)), encoding="utf-8")
    return few


def _peak() -> float:
    """The most memory so far, in MiB."""
    # Not ru_maxrss: on Linux that begins with what the parent process had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(mode: str, source: str, library: str, wait: str = "") -> None:
    """Be one measured process."""
    if library == "json":
        sys.modules["orjson"] = None  # type: ignore[assignment]  # as if it were not installed
    path = Path(source)
    if mode in {"loop", "job"}:
        count, seconds = _to_sandbox(_loop if mode == "loop" else _bulk, path)
    else:
        works: dict[str, Callable[[Path], int]] = {
            "floor": lambda path: _floor(path, library),
            "bulk": lambda path: _bulk(path, None),
            "tasks": lambda path: asyncio.run(_in_tasks(path)),
            "check": lambda path: _bulk(path, None, deadline=0),
            "preview": _preview,
        }
        # What is loaded on first use is not a cost of a recipient.
        works[mode](_few(path))
        if wait:
            print("ready", flush=True)
            sys.stdin.readline()
        began = time.process_time()
        count = works[mode](path)
        seconds = time.process_time() - began
    print(count / seconds, _peak())


if __name__ == "__main__":
    main(*sys.argv[1:])
