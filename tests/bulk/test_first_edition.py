"""Files that version 0.1 wrote: a journal with a request in doubt, and a store with a callback."""

import gzip
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, CallbackError
from sinch_wrapper.bulk import JournalFollower, Report
from sinch_wrapper.callbacks import EventStore
from sinch_wrapper.cli import main
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, rows

__all__ = ["make_bulk"]

OLD = Path(__file__).with_name("first_edition")
LINE = (
    "journal journal.db: written by version 0.1 of sinch-wrapper, whose requests this version "
    "could not look up: finish the job with sinch-wrapper 0.1"
)
USES: dict[str, Callable[[Any, Path], object]] = {
    "send": lambda bulk, job: bulk.go(rows(6), job=job),
    "resume": lambda bulk, job: bulk.resume(job),
    "send_again": lambda bulk, job: bulk.send_again(job),
    "status": lambda bulk, job: bulk.status(job),
    "cancel": lambda bulk, job: bulk.cancel(job),
    "report": lambda bulk, job: bulk.report(job),
    "record": lambda bulk, job: bulk.record([], job),
    "Report": lambda _bulk, job: Report(job),
    "follower": lambda _bulk, job: JournalFollower(job).check(),
}


def _old(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.decompress((OLD / f"{name}.gz").read_bytes()))
    return path


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_a_journal_of_the_first_edition_is_refused(
    make_bulk: MakeBulk, tmp_path: Path, use: Callable[[Any, Path], object]
) -> None:
    """One line says which version reads it; nothing is sent, and the file stays as it was."""
    api, job = FakeBatchApi(), _old(tmp_path, "journal.db")
    before = job.read_bytes()
    with pytest.raises(BulkError) as found:
        use(make_bulk(api), job)
    assert (LINE, [], before) == (str(found.value), api.sent, job.read_bytes())


def test_the_command_refuses_a_journal_of_the_first_edition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same line on the terminal, and no traceback."""
    code = main(["bulk", "report", str(_old(tmp_path, "journal.db"))])
    assert (1, f"sinch-wrapper: {LINE}") == (code, capsys.readouterr().err.strip())


def test_a_store_of_the_first_edition_is_read(tmp_path: Path) -> None:
    """Its format is that of today: its callback is there, and new ones can be written."""
    store = EventStore(_old(tmp_path, "store.db"), must_exist=True)
    [event] = store.events()
    assert ("message_delivery_report", False, 1) == (
        event.kind, store.add(event), store.counts().stored,
    )  # fmt: skip
    store.close()


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """What this version does not know it does not read."""
    path = _old(tmp_path, "store.db")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(CallbackError, match=r"store\.db: written by another version"):
        EventStore(path)
