"""Run the measurements and print their tables: `python -m benchmarks [--quick] [NAME ...]`.

`python -m benchmarks compare OLD NEW` measures two revisions of this repository in turns.
"""

import argparse
import importlib
import json
import os
import platform
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks._comparison import with_figures
from benchmarks._environments import ROOT, Environments
from benchmarks._plan import FULL, QUICK
from benchmarks._report import Report, with_tables
from benchmarks.compare import compare

_COMPARE: Final = "compare"
_COMPARED: Final = 3
_PAGE: Final = ROOT / "benchmarks" / "README.md"
_README: Final = ROOT / "README.md"
NAMES = (
    *("send", "tasks", "reconnects", "imports", "steady"),
    *("bulk", "sandbox", "callbacks", "cluster"),
)


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(NAMES)}; else all; or compare and two revisions or folders",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the results there as well")
    parser.add_argument(
        "--write",
        action="store_true",
        help="put the tables into benchmarks/README.md, and their figures into README.md, as well",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a few calls, in this environment and without the peers it lacks: no figures, a check",
    )
    chosen = parser.parse_args(given)
    if chosen.names[:1] == [_COMPARE]:
        if len(chosen.names) != _COMPARED or chosen.write:
            parser.error("compare takes two revisions, the older one first, and no --write")
        return chosen
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Print the table of each measurement, and which targets are reached; returns 0."""
    chosen = _arguments(arguments)
    # So that ending it from outside removes the environments too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    print(machine)
    reports = {}
    for name, report in _reports(chosen):
        if chosen.quick:
            report.targets.clear()
        print(f"\n{report}", flush=True)
        reports[name] = report.as_json()
        if chosen.write:
            text = with_tables(_PAGE.read_text(encoding="utf-8"), name, report)
            _PAGE.write_text(text, encoding="utf-8")
            page = with_figures(_README.read_text(encoding="utf-8"), text)
            _README.write_text(page, encoding="utf-8")
    if chosen.json is not None:
        results = {"machine": machine, "reports": reports}
        chosen.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


def _reports(chosen: argparse.Namespace) -> Iterator[tuple[str, Report]]:
    plan = QUICK if chosen.quick else FULL
    if chosen.names[:1] == [_COMPARE]:
        _, old, new = chosen.names
        yield _COMPARE, compare(old, new, plan, here=chosen.quick)
        return
    with Environments(here=chosen.quick) as environments:
        for name in chosen.names or NAMES:
            measured = importlib.import_module(f"benchmarks.{name}")
            yield name, measured.measure(environments, plan)


if __name__ == "__main__":
    sys.exit(main())
