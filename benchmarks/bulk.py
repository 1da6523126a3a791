"""A million recipients from CSV to requests: beside the floor, and to a sandbox beside a bare loop.

The rates count CPU time, so they are those of one core. A share is the median of those of the
rounds, in each of which both run side by side.
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
from benchmarks._slices import in_slices

__all__ = ["measure"]

_SIZES: Final = (10_000, 100_000, 1_000_000)
_END_TO_END: Final = 20_000
_ROUNDS: Final = 5
_TARGETS: Final = {"orjson": 100_000, "json": 60_000}
_CONSTANT: Final = 0.8
_FLOOR: Final = 0.8
_TASKS: Final = 1.05
_PREVIEW: Final = 1.5
_MEMORY: Final = 60.0
"""MiB."""


class _Figures(NamedTuple):
    """Recipients per second of one core, or of the clock, and the peak of memory."""

    rate: float
    peak: float


class _Pair(NamedTuple):
    """Medians: of two works, and of the share that the second rate is of the first."""

    first: _Figures
    second: _Figures
    share: float


def measure(_environments: Environments, plan: Plan) -> Report:
    """Take each figure in this environment."""
    columns = ("what", "recipients", "JSON", "recipients/s", "of the floor", "peak MiB")
    report = Report("Bulk: CSV, check, journal, requests", columns)
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for size in _SIZES if plan != QUICK else _SIZES[:1]:
            source = write(Path(folder), max(CHUNK, plan.calls(size)))
            for library in _TARGETS:
                pair = _side_by_side(("floor", "bulk"), source, library, plan)
                found[size, library] = pair.second
                _add(report, ("floor", "wrapper"), source, library, pair)
                if size == _SIZES[-1]:
                    text = f"rate of the floor, {size:,}, {library}"
                    report.targets.append(Target(text, pair.share, _FLOOR, at_least=True))
        report.targets += _targets(found)
        pair = _side_by_side(("bulk", "tasks"), source, "orjson", plan)
        _add(report, ("wrapper in threads", "wrapper in tasks"), source, "orjson", pair)
        report.targets.append(Target("CPU in tasks, beside threads", 1 / pair.share, _TASKS))
        pair = _side_by_side(("check", "preview"), source, "orjson", plan)
        _add(report, ("check alone", "preview of the wrapper"), source, "orjson", pair)
        text = "CPU of a preview, beside the check"
        report.targets.append(Target(text, 1 / pair.share, _PREVIEW))
        source = write(Path(folder), max(CHUNK, plan.calls(_END_TO_END)))
        names = ("bare loop to a sandbox", "wrapper to a sandbox, and status")
        _add(report, names, source, "orjson", _one_by_one(("loop", "job"), source, plan))
    return report


def _side_by_side(modes: tuple[str, str], source: Path, library: str, plan: Plan) -> _Pair:
    """The rounds begin with one and the other by turns."""
    rounds = []
    for number in range(min(plan.rounds, _ROUNDS)):
        order = modes if number % 2 == 0 else modes[::-1]
        commands = [[*_command(mode, source, library), "wait"] for mode in order]
        found = dict(zip(order, in_slices(commands, clean_variables()), strict=True))
        rounds.append([_figures(found[mode]) for mode in modes])
    return _medians(rounds)


def _one_by_one(modes: tuple[str, str], source: Path, plan: Plan) -> _Pair:
    """By the clock, which goes on while a process is stopped."""
    rounds = []
    for _ in range(min(plan.rounds, _ROUNDS)):
        ran = [
            subprocess.run(
                _command(mode, source, "orjson"),
                cwd=ROOT,
                env=clean_variables(),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            for mode in modes
        ]
        rounds.append([_figures(each.stdout) for each in ran])
    return _medians(rounds)


def _command(mode: str, source: Path, library: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks._bulk_work", mode, str(source), library]


def _figures(output: str) -> _Figures:
    return _Figures(*map(float, output.split()))


def _medians(rounds: list[list[_Figures]]) -> _Pair:
    first, second = (
        _Figures(*map(statistics.median, zip(*side, strict=True)))
        for side in zip(*rounds, strict=True)
    )
    return _Pair(first, second, statistics.median(b.rate / a.rate for a, b in rounds))


def _add(
    report: Report,
    names: tuple[str, str],
    source: Path,
    library: str,
    pair: _Pair,
) -> None:
    """Add the row of the floor, and that of the wrapper with its share of it."""
    count = f"{int(source.stem):,}"
    for name, each, share in zip(names, pair[:2], ("", f"{pair.share:.2f}"), strict=True):
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
