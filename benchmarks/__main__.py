"""Run the measurements and print their tables: `python -m benchmarks [--quick] [NAME ...]`."""

import argparse
import importlib
import os
import platform
import signal
import sys

from benchmarks._environments import Environments
from benchmarks._plan import FULL, QUICK
from benchmarks._report import Report

NAMES = ("send", "tasks", "reconnects", "imports", "steady", "bulk", "sandbox", "callbacks")


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; else all")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a few calls, in this environment and without the peers it lacks: no figures, a check",
    )
    chosen = parser.parse_args(given)
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Print the table of each measurement, and which targets are reached; returns 0."""
    chosen = _arguments(arguments)
    # So that ending it from outside removes the environments too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    plan = QUICK if chosen.quick else FULL
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}")
    with Environments(here=chosen.quick) as environments:
        for name in chosen.names or NAMES:
            report: Report = importlib.import_module(f"benchmarks.{name}").measure(
                environments, plan
            )
            if chosen.quick:
                report.targets.clear()
            print(f"\n{report}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
