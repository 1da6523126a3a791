"""A journal that is taken away while its job is running: nothing leaves that no file knows."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk import Progress
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, rows

__all__ = ["make_bulk"]

Harm = Callable[[Path], object]


def _replace(path: Path) -> None:
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    other.replace(path)


HARMS: dict[str, Harm] = {
    "deleted": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("elsewhere.db")),
    "replaced": _replace,
    "cut off": lambda path: os.truncate(path, 4096),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=list(HARMS))
def test_a_journal_that_is_taken_away_stops_its_job(
    make_bulk: MakeBulk, tmp_path: Path, harm: Harm
) -> None:
    """The job stops before the next request leaves, and says what was sent and what to do."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    done: list[int] = []

    def watch(_progress: Progress) -> None:
        if len(api.sent) >= 3 and not done:
            done.append(len(api.sent))
            harm(job)

    words = r"job\.db: deleted, moved, replaced or cut off.*recipients settled.*put the file back"
    with pytest.raises(BulkError, match=words):
        make_bulk(api).go(rows(40), job=job, progress=watch, concurrency=1)
    # One request may leave in the step before which nobody could know.
    assert len(api.sent) <= done[0] + 1


def test_a_moved_journal_that_is_put_back_goes_on(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """What the error asks for works: each recipient is accepted once."""
    api, job, away = FakeBatchApi(), tmp_path / "job.db", tmp_path / "away.db"
    bulk = make_bulk(api)

    def watch(_progress: Progress) -> None:
        if len(api.sent) == 3 and not away.exists():
            job.rename(away)

    with pytest.raises(BulkError, match="put the file back"):
        bulk.go(rows(40), job=job, progress=watch, concurrency=1)
    away.rename(job)
    report = bulk.resume(job)
    assert (40, 0) == (report.accepted, report.unknown)
    assert {1} == set(api.accepted.values())
