"""Journals where people put them: odd names, links, moved files, other working directories."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk import JournalFollower, Report
from sinch_wrapper.bulk._callbacks import JobRecorders
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._journal_file import sending_lock
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, marked, receipt, rows

__all__ = ["make_bulk"]


@pytest.mark.parametrize("name", ["what?.db", "50%41.db", ":memory:", "a b#å.db", "-x", "file:y"])
def test_every_file_name_is_taken_as_it_is(
    make_bulk: MakeBulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nothing in the name of a journal has a meaning of its own."""
    monkeypatch.chdir(tmp_path)
    assert 2 == make_bulk(FakeBatchApi()).go(rows(2), job=name).accepted
    assert [name, f"{name}.lock"] == sorted(each.name for each in tmp_path.iterdir())
    assert 2 == Report(Path(name)).accepted


@pytest.mark.parametrize(
    ("name", "words"),
    [(".", "this is a folder"), ("x" * 300, "no such file"), ("no/folder.db", "no such file")],
    ids=["folder", "long", "nowhere"],
)
def test_a_path_that_is_not_a_file_is_named(
    make_bulk: MakeBulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """Reporting and resuming say in one line what is wrong, and leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    bulk = make_bulk(FakeBatchApi())
    for method in (bulk.report, bulk.resume, bulk.cancel, bulk.status):
        with pytest.raises(BulkError, match=words):
            method(name)
    assert [] == [*tmp_path.iterdir()]


def test_a_link_leads_to_the_lock_of_its_journal(tmp_path: Path) -> None:
    """Two names of one journal are one journal: sending from it locks the other name, too."""
    (tmp_path / "other").mkdir()
    job, link = tmp_path / "job.db", tmp_path / "other" / "link.db"
    job.touch()
    link.symlink_to(job)
    lock = sending_lock(job)
    with pytest.raises(BulkError, match=r"link\.db: another process is sending"):
        sending_lock(link)
    lock.release()
    sending_lock(link).release()


def test_the_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    """Naming it as a journal by mistake changes none of its bytes."""
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(BulkError, match="not a bulk job journal"):
        Report(path)
    assert (before, [path]) == (path.read_bytes(), [*tmp_path.iterdir()])


def test_a_journal_that_is_moved_without_its_log_knows_what_left(
    make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """The file alone has each request that left: it is looked up, not sent again."""
    api, job, moved = FakeBatchApi(), tmp_path / "job.db", tmp_path / "moved.db"

    def copy(_body: dict[str, Any], batch_id: str) -> None:
        if batch_id == "B2":
            # As the file is when the process is killed now.
            shutil.copyfile(job, moved)

    api.on_send = copy
    bulk = make_bulk(api)
    bulk.go(rows(6), job=job, concurrency=1)
    del api.batches["B3"]
    report = bulk.resume(moved, concurrency=1)
    assert (6, {1}) == (report.accepted, set(api.accepted.values()))


def test_a_changed_working_directory_changes_no_file(
    make_bulk: MakeBulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports and callbacks mean the journal that was meant when it was opened."""
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    api = FakeBatchApi()
    bulk = make_bulk(api)
    report = bulk.go(rows(2), job="job.db")
    monkeypatch.chdir(tmp_path / "other")
    assert 1 == bulk.record(receipt("DELIVERED", marked(api, 0, 0, "B1")))
    assert 1 == report.refresh().delivered
    assert ["delivered", "accepted"] == [each.state for each in report.recipients()]


def test_callbacks_go_to_the_journal_that_exists_now(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A job that was removed and begun again under the same name is followed as the new one."""
    job, recorders = tmp_path / "job.db", JobRecorders()
    follower = JournalFollower(job)
    for _ in range(2):
        api = FakeBatchApi()
        make_bulk(api).go(rows(1), job=job)
        event = receipt("DELIVERED", marked(api, 0, 0, "B1"))
        follower.take([event])
        assert (1, 1) == (recorders.record(event, job), Report(job).delivered)
        job.unlink()
        follower.take([event])
        assert not job.exists()
        assert 0 == recorders.record(event, None)
        with pytest.raises(BulkError, match="no such file"):
            recorders.record(event, job)
    follower.close()


def test_a_mistyped_input_leaves_no_journal_behind(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A file that does not exist is named before anything is made."""
    with pytest.raises(BulkError, match=r"none\.csv: cannot be read: No such file"):
        make_bulk(FakeBatchApi()).go(tmp_path / "none.csv", job=tmp_path / "job.db")
    assert [] == [*tmp_path.iterdir()]


def test_cancelling_that_is_cut_off_is_not_followed_by_sending(tmp_path: Path) -> None:
    """That the job is cancelled is written before the first request is taken back."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.helpers.bulk import FakeBatchApi, rows, APP, MESSAGE\n"
        "from tests.helpers.core import *\n"
        "from sinch_wrapper import Sinch\n"
        "from sinch_wrapper.bulk import Bulk\n"
        "from sinch_wrapper.bulk._journal import Journal\n"
        "sinch = Sinch(project_id='p', key_id='k', key_secret='s', region='eu')\n"
        "bulk, job = Bulk(sinch), Path(sys.argv[1])\n"
        "bulk.send(app_id=APP, message=MESSAGE, recipients=rows(4), job=job, deadline=0)\n"
        "Journal.move = lambda *_, **__: os._exit(9)\n"
        "bulk.cancel(job)\n"
    )
    job = tmp_path / "job.db"
    command = [sys.executable, "-c", program, str(job)]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2], timeout=60)
    journal = Journal(job, must_exist=True)
    assert (9, True) == (done.returncode, journal.facts().get("cancelled"))
    journal.close()
