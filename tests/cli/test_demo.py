"""The demo accounts for every recipient, and leaves nothing behind."""

import csv
import json
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.cli import main
from sinch_wrapper.cli._demo_data import (
    COLUMNS,
    TOTAL,
    DemoResult,
    Summary,
    expected,
    fault,
    write_people,
)
from sinch_wrapper.cli._demo_views import PlainView, TerminalView

ENDS = {
    "delivered",
    "duplicate",
    "failed: BAD_REQUEST",
    "failed: RECIPIENT_NOT_REACHABLE",
    "invalid",
}


def test_demo_accounts_for_everyone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo ends with 0, everybody in the expected state, and no file or thread is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = threading.active_count()

    code = main(["demo", "--json"])

    result = json.loads(capsys.readouterr().out)
    assert (0, expected().ends) == (code, result["summary"]["ends"])
    assert ("DELIVERED", True) == (result["first_status"], result["faults"] > 1)
    assert (threads, []) == (threading.active_count(), list(tmp_path.iterdir()))


def test_expected_ends_add_up() -> None:
    """The made-up recipients are as many as announced, some of them spoiled in each way."""
    wanted = expected()

    assert (TOTAL, ENDS, 0) == (wanted.total, set(wanted.ends), wanted.open)


def test_file_of_recipients_is_as_described(tmp_path: Path) -> None:
    """One row per recipient, with a number or a contact; one number comes twice."""
    write_people(tmp_path / "people.csv")
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    numbers = [row["phone"] for row in rows if row["phone"]]
    assert (TOTAL, list(COLUMNS)) == (len(rows), list(rows[0]))
    assert all(bool(row["phone"]) != bool(row["contact_id"]) for row in rows)
    assert len(numbers) - 1 == len(set(numbers))


@pytest.mark.parametrize(
    ("ends", "hint"),
    [
        ({"delivered": 1, "failed: A": 1}, "do not add up to 3"),
        ({"delivered": 1, "failed: A": 1, "queued": 1}, "1 recipients had no final state"),
        ({"delivered": 1, "failed: A": 2}, "not end as"),
        ({"delivered": 2, "failed: A": 1}, ""),
    ],
)
def test_fault_names_the_problem(ends: dict[str, int], hint: str) -> None:
    """Counts that do not add up, open recipients and other ends are each a fault."""
    said = fault(Summary(ends), Summary({"delivered": 2, "failed: A": 1}))

    assert hint in said
    assert bool(hint) == bool(said)


@pytest.mark.parametrize("view", [PlainView, TerminalView])
def test_views_show_the_total(view: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Both views show the counts, the reasons and the total."""
    summary = Summary({"failed: BAD_REQUEST": 100, "delivered": 2400})
    with view() as shown:
        shown.note("a step")
        shown.progress(1, 1, 2500)
        shown.result(DemoResult(summary, "DELIVERED", 4900, 2, 1.0))

    out = capsys.readouterr().out.replace(",", "")
    for word in ("a step", "2400", "failed: BAD_REQUEST", "2500", "4900 signed callbacks"):
        assert word in out
