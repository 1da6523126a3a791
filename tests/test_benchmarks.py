"""The benchmarks run; their figures are nobody's business here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES

ROOT = Path(__file__).parent.parent
VARIABLES = {name: value for name, value in os.environ.items() if not name.startswith("SINCH_")}


@pytest.mark.parametrize("name", NAMES)
def test_benchmark_prints_its_table(name: str) -> None:
    """With --quick each measurement ends, in this environment, and has a row for the wrapper."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", name],
        cwd=ROOT,
        env=VARIABLES,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)
    rows = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert any("wrapper" in row for row in rows[2:])


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
