"""A million recipients from CSV to requests: beside the floor, and to a sandbox beside a bare loop.

The rates count CPU time, so they are those of one core whatever else runs on the machine.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks._bulk_work import CHUNK, write
from benchmarks._environments import ROOT, Environments, clean_variables
from benchmarks._plan import QUICK, Plan
from benchmarks._report import Report, Target

__all__ = ["measure"]

_SIZES: Final = (10_000, 100_000, 1_000_000)
_END_TO_END: Final = 20_000
_TARGETS: Final = {"orjson": 100_000, "json": 60_000}
_CONSTANT: Final = 0.8
_FLOOR: Final = 0.8
_TASKS: Final = 1.05
_PREVIEW: Final = 1.5
_MEMORY: Final = 60.0
"""MiB."""


class _Figures(NamedTuple):
    """Medians: recipients per second of one core, or of the clock, and the peak of memory."""

    rate: float
    peak: float


def measure(_environments: Environments, plan: Plan) -> Report:
    """Take each figure in this environment, as the median of three rounds in turns."""
    columns = ("what", "recipients", "JSON", "recipients/s", "of the floor", "peak MiB")
    report = Report("Bulk: CSV, check, journal, requests", columns)
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for size in _SIZES if plan != QUICK else _SIZES[:1]:
            source = write(Path(folder), max(CHUNK, plan.calls(size)))
            for library in _TARGETS:
                floor, bulk = _in_turns(("floor", "bulk"), source, library, plan)
                found[size, library] = bulk
                _add(report, ("floor", "wrapper"), source, library, (floor, bulk))
                if size == _SIZES[-1]:
                    share = f"rate of the floor, {size:,}, {library}"
                    ratio = bulk.rate / floor.rate
                    report.targets.append(Target(share, ratio, _FLOOR, at_least=True))
        report.targets += _targets(found)
        threads, tasks = _in_turns(("bulk", "tasks"), source, "orjson", plan)
        names = ("wrapper in threads", "wrapper in tasks")
        _add(report, names, source, "orjson", (threads, tasks))
        ratio = threads.rate / tasks.rate
        report.targets.append(Target("CPU in tasks, beside threads", ratio, _TASKS))
        check, preview = _in_turns(("check", "preview"), source, "orjson", plan)
        _add(report, ("check alone", "preview of the wrapper"), source, "orjson", (check, preview))
        ratio = check.rate / preview.rate
        report.targets.append(Target("CPU of a preview, beside the check", ratio, _PREVIEW))
        source = write(Path(folder), max(CHUNK, plan.calls(_END_TO_END)))
        loop, job = _in_turns(("loop", "job"), source, "orjson", plan)
        names = ("bare loop to a sandbox", "wrapper to a sandbox, and status")
        _add(report, names, source, "orjson", (loop, job))
    return report


def _in_turns(modes: tuple[str, str], source: Path, library: str, plan: Plan) -> list[_Figures]:
    found: dict[str, list[_Figures]] = {mode: [] for mode in modes}
    for _ in range(min(plan.rounds, 3)):
        for mode in modes:
            command = [sys.executable, "-m", "benchmarks._bulk_work", mode, str(source), library]
            result = subprocess.run(
                command,
                cwd=ROOT,
                env=clean_variables(),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            found[mode].append(_Figures(*map(float, result.stdout.split())))
    return [_Figures(*map(statistics.median, zip(*found[mode], strict=True))) for mode in modes]


def _add(
    report: Report,
    names: tuple[str, str],
    source: Path,
    library: str,
    figures: tuple[_Figures, _Figures],
) -> None:
    """Add the row of the floor, and that of the wrapper with its share of it."""
    count = f"{int(source.stem):,}"
    for name, each, share in zip(
        names, figures, ("", f"{figures[1].rate / figures[0].rate:.2f}"), strict=True
    ):
        report.rows.append((name, count, library, f"{each.rate:,.0f}", share, f"{each.peak:.0f}"))


def _targets(found: dict[tuple[int, str], _Figures]) -> list[Target]:
    least, most = _SIZES[0], _SIZES[-1]
    targets = []
    for library, bound in _TARGETS.items():
        small, large = found.get((least, library)), found.get((most, library))
        if small is not None and large is not None:
            rate = f"recipients/s of a core, {most:,}, {library}"
            share = f"rate at {most:,} of that at {least:,}, {library}"
            memory = f"MiB more at {most:,} than at {least:,}, {library}"
            targets += [
                Target(rate, large.rate, bound, at_least=True),
                Target(share, large.rate / small.rate, _CONSTANT, at_least=True),
                Target(memory, large.peak - small.peak, _MEMORY),
            ]
    return targets
