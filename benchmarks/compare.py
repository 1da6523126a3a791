"""Two revisions of this repository, measured in turns: `python -m benchmarks compare OLD NEW`."""

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks._bulk_work import CHUNK, write
from benchmarks._environments import ROOT, clean_variables, make_environment
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._rounds import Worker
from benchmarks._service import Service

__all__ = ["compare"]

_ROUNDS: Final = 15
_WORSE: Final = 1.05
# What is sent: the peer, the HTTP library, how many calls, how many at once.
_SENDING: Final = {
    "httpx2, 1 thread": ("wrapper", "httpx2", 200, 1),
    "httpx2, 32 threads": ("wrapper", "httpx2", 320, 32),
    "httpx2, 32 tasks": ("wrapper-async", "httpx2", 320, 32),
    "httpx, 32 tasks": ("wrapper-async", "httpx", 320, 32),
}
_FIRST: Final = (
    "from sinch_wrapper import Endpoints, Recipient, Sinch, text; client = Sinch(project_id='p', "
    "key_id='k', key_secret='s', endpoints=Endpoints.sandbox('URL')); client.send(app_id='a', "
    "to=Recipient.sms('+46700000001'), message=text('Hi')); "
)
_CLIENT: Final = (
    "from sinch_wrapper import Sinch; "
    "client = Sinch(project_id='p', key_id='k', key_secret='s', region='eu'); "
)
_STARTING: Final = {"a client": _CLIENT, "a first message": _FIRST}
_RECIPIENTS: Final = 50_000
_COST: Final = "import time; print(time.process_time())"


@dataclass(frozen=True, slots=True)
class _Revision:
    """A folder with the files of a revision, and the Python that has what it needs."""

    folder: Path
    python: str

    def variables(self, library: str = "") -> dict[str, str]:
        paths = f"{self.folder}{os.pathsep}{self.folder / 'generated'}"
        return clean_variables(SINCH_WRAPPER_HTTP=library, PYTHONPATH=paths)


def compare(old: str, new: str, plan: Plan, *, here: bool) -> Report:
    """Measure both in turns, every second round in the opposite order.

    The figures are the least CPU time of any round, the ratio is the median of those of the
    rounds. *here* measures with the running interpreter. A revision is a name of git, or a folder.
    """
    report = Report(f"{new} over {old}", ("CPU us", "old", "new", "new / old", "spread"))
    rounds = _ROUNDS if plan.rounds > 1 else 1
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        service = stack.enter_context(Service())
        sides = (("old", old), ("new", new))
        pair = [_revision(name, folder / side, here=here) for side, name in sides]
        for name, (kind, library, full, ways) in _SENDING.items():
            workers = [_worker(stack, each, kind, library, service.url) for each in pair]
            calls = max(plan.calls(full), ways)
            for worker in workers:
                worker.run(calls, ways)
            _add(report, name, _in_turns([_sending(each, calls, ways) for each in workers], rounds))
        for name, code in _STARTING.items():
            command = ("-P", "-c", code.replace("URL", service.url) + _COST)
            _add(report, name, _in_turns([_process(each, *command) for each in pair], rounds))
        source = write(folder, max(CHUNK, plan.calls(_RECIPIENTS)))
        work = ("-m", "benchmarks._bulk_work", "bulk", str(source), "orjson")
        rates = _in_turns([_process(each, *work) for each in pair], rounds)
        _add(report, "a recipient of a job", [(1 / before, 1 / after) for before, after in rates])
    return report


def _revision(name: str, folder: Path, *, here: bool) -> _Revision:
    if Path(name).is_dir():
        source = Path(name).resolve()
    else:
        source = folder / "source"
        command = ["git", "archive", "--format=tar", name]
        packed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        if packed.returncode:
            raise SystemExit(f"benchmarks: {name} is neither a folder nor a revision of git")
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(source, filter="data")
    if here:
        return _Revision(source, sys.executable)
    return _Revision(source, make_environment(folder / "python", f"{source}[fast,cli]"))


def _worker(
    stack: contextlib.ExitStack, revision: _Revision, kind: str, library: str, url: str
) -> Worker:
    variables = revision.variables(library)
    return stack.enter_context(Worker(revision.python, kind, url, variables, revision.folder))


def _sending(worker: Worker, calls: int, ways: int) -> Callable[[], float]:
    def cost() -> float:
        sample = worker.run(calls, ways)
        return sample.cpu / sample.calls

    return cost


def _process(revision: _Revision, *arguments: str) -> Callable[[], float]:
    """What a process prints first: seconds, or a rate."""

    def result() -> float:
        ran = subprocess.run(
            [revision.python, *arguments],
            cwd=revision.folder,
            env=revision.variables(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return float(ran.stdout.split()[0])

    return result


def _in_turns(costs: list[Callable[[], float]], rounds: int) -> list[tuple[float, float]]:
    pairs = []
    for number in range(rounds):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        found = {side: costs[side]() for side in order}
        pairs.append((found[0], found[1]))
    return pairs


def _add(report: Report, name: str, pairs: list[tuple[float, float]]) -> None:
    ratios = [new / old for old, new in pairs]
    ratio = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratio, ratio, ratio)
    old, new = (min(side) for side in zip(*pairs, strict=True))
    spread = f"{(high - low) / ratio:.0%}"
    report.rows.append((name, f"{old * 1e6:.4g}", f"{new * 1e6:.4g}", f"{ratio:.2f}", spread))
    report.targets.append(Target(f"{name}: not worse than by 5 %", ratio, _WORSE))
