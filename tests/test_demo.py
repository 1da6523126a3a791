"""The demo accounts for every recipient, and leaves nothing behind."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.callbacks import read_event
from sinch_wrapper.cli import main
from sinch_wrapper.cli.demo import fault
from sinch_wrapper.cli.demo_data import TOTAL, chunks, expected
from sinch_wrapper.cli.demo_run import Result
from sinch_wrapper.cli.demo_views import PlainView, TerminalView
from sinch_wrapper.cli.ledger import Ledger, Summary


def _receipt(status: str, row: int | None = None, batch: str = "", index: int = 0) -> Any:
    metadata = "" if row is None else json.dumps({"row": row, "_batch_id": "B"})
    report = {"status": status, "metadata": metadata, "reason": {"code": "WHY"}}
    place = json.dumps({"batchId": batch, "messageIndex": index}) if batch else ""
    raw = {"message_delivery_report": report, "message_metadata": place}
    return read_event(json.dumps(raw).encode())


def test_demo_accounts_for_everyone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo ends with 0 and counts that add up, and no file or thread is left."""
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()

    code = main(["demo", "--json"])

    result = json.loads(capsys.readouterr().out)
    summary = result["summary"]
    assert code == 0
    assert summary["delivered"] + sum(summary["failed"].values()) == TOTAL
    assert (summary["pending"], result["first_status"]) == (0, "DELIVERED")
    assert (threading.active_count(), list(tmp_path.iterdir())) == (threads, [])


def test_plan_adds_up_and_holds_every_end() -> None:
    """The made-up recipients are as many as announced, some of them spoiled in each way."""
    plan = expected()

    assert sum(len(rows) for _, rows in chunks()) == TOTAL
    assert [first for first, _ in chunks()] == [0, 1000, 2000]
    assert plan.adds_up
    assert set(plan.failed) == {"BAD_REQUEST", "RECIPIENT_NOT_REACHABLE"}


def test_ledger_counts_each_recipient_once_in_any_order() -> None:
    """Receipts come twice, in any order and before their batch is known."""
    events = [_receipt("DELIVERED", row) for row in range(8)]
    events += [_receipt("QUEUED_ON_CHANNEL", row) for row in range(8)]
    events += [_receipt("FAILED", batch="B", index=8), _receipt("FAILED", 9)]
    events *= 2
    random.Random(3).shuffle(events)  # noqa: S311 (repeatable)
    ledger = Ledger(10)
    for number, event in enumerate(events):
        if number == len(events) // 2:
            ledger.adopt("B", 0)
        ledger.take(event)

    assert ledger.summary() == Summary(10, 8, {"WHY": 2}, 0)


def test_ledger_places_index_within_its_batch() -> None:
    """The index counts from the first row of the batch."""
    ledger = Ledger(10)
    ledger.adopt("B", 5)
    ledger.take(_receipt("FAILED", batch="B", index=2))
    ledger.take(_receipt("FAILED", batch="B", index=7))

    assert ledger.summary() == Summary(10, 0, {"WHY": 1}, 9)


def test_ledger_ignores_strangers() -> None:
    """Events of other kinds and receipts that name no recipient change nothing."""
    ledger = Ledger(1)
    for raw in (b'{"message":{}}', b'{"message_delivery_report":{"status":"FAILED"}}'):
        ledger.take(read_event(raw))

    assert ledger.summary() == Summary(1, 0, {}, 1)


@pytest.mark.parametrize(
    ("summary", "hint"),
    [
        (Summary(3, 1, {"A": 1}, 2), "do not add up to 3"),
        (Summary(3, 1, {"A": 1}, 1), "1 recipients were not accounted for"),
        (Summary(3, 1, {"A": 2}, 0), "not end as"),
        (Summary(3, 2, {"A": 1}, 0), ""),
    ],
)
def test_fault_says_what_is_wrong(summary: Summary, hint: str) -> None:
    """Counts that do not add up, pending recipients and other ends are each a fault."""
    said = fault(summary, Summary(3, 2, {"A": 1}, 0))

    assert hint in said
    assert bool(hint) == bool(said)


@pytest.mark.parametrize("view", [PlainView, TerminalView])
def test_views_show_the_total(view: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Both views show the counts, the reasons and the total."""
    result = Result(Summary(2500, 2400, {"BAD_REQUEST": 100}, 0), "DELIVERED", 4900, 2, 1.0)
    with view() as shown:
        shown.note("a step")
        shown.progress(1, 1)
        shown.result(result)

    out = capsys.readouterr().out.replace(",", "")
    for word in ("a step", "2400", "failed: BAD_REQUEST", "2500", "4900 signed callbacks"):
        assert word in out
