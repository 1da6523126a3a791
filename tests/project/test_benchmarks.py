"""The benchmarks run; their figures are nobody's business here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES

ROOT = Path(__file__).parents[2]
VARIABLES = {name: value for name, value in os.environ.items() if not name.startswith("SINCH_")}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_benchmarks_print_their_tables() -> None:
    """With --quick all measurements end, in this environment, each with a row for the wrapper."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"],
        cwd=ROOT,
        env=VARIABLES,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)
    _, *tables = result.stdout.split("\n## ")
    assert len(NAMES) == len(tables)
    assert all("wrapper" in table for table in tables)


def test_benchmarks_refuse_an_unknown_name() -> None:
    """A mistyped name ends with the names that there are."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", "sned"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 2 == result.returncode
    assert "unknown: sned; choose from send, tasks" in result.stderr
