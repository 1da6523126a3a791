"""The benchmarks run; their figures are nobody's business here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks._report import Report, Target, with_tables

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


@pytest.mark.slow
def test_two_folders_are_compared(tmp_path: Path) -> None:
    """Each measurement has a row with the ratio, and the results are in the file too."""
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "compare", ".", str(ROOT), "--quick"]
    subprocess.run(
        [*command, "--json", str(results)], cwd=ROOT, env=VARIABLES, check=True, capture_output=True
    )

    [report] = json.loads(results.read_text(encoding="utf-8"))["reports"].values()
    assert "httpx2, 32 tasks" in [row["CPU us"] for row in report["rows"]]
    assert all(0.1 < float(row["new / old"]) < 10 for row in report["rows"])


def test_tables_of_a_section_are_replaced_and_nothing_else() -> None:
    """`--write` keeps the text around the tables, and the other sections."""
    page = "# P\n\n### `a`: x\n\n| old |\n\n| older |\n\nText.\n\n### `b`: y\n\n| b |\n"
    report = Report("A", ("what", "n"), [("w", "1")], [Target("t", 1, 2)])
    written = with_tables(page, "a", report)

    head, tail = "# P\n\n### `a`: x\n\n", "\n\nText.\n\n### `b`: y\n\n| b |\n"
    assert f"{head}{report.tables()}{tail}" == written
    with pytest.raises(ValueError, match="no section `c`"):
        with_tables(page, "c", report)


@pytest.mark.parametrize("arguments", [["compare", "x"], ["compare", "a", "b", "c"]])
def test_comparison_takes_two_revisions(arguments: list[str]) -> None:
    """Anything else is refused with what it takes."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert 2 == caught.value.code


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
