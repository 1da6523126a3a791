"""The journal: one sender at a time, and a clear error for every trouble with the file."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk import Report
from sinch_wrapper.bulk._chunks import NewChunk
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._journal_file import open_storage, sending_lock
from sinch_wrapper.bulk._states import ChunkState
from tests.helpers.bulk import FakeBatchApi, MakeBulk, csv_file, make_bulk, rows

__all__ = ["make_bulk"]

LONG = os.environ.get("SINCH_WRAPPER_CHAOS") == "long"


def test_two_senders_on_one_journal_are_refused(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """The second sender gets a clear error and sends nothing; afterwards it may."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk, lock = make_bulk(api), sending_lock(job)
    job.touch()
    with pytest.raises(BulkError, match=r"job\.db: another process is sending"):
        bulk.go(rows(2), job=job)
    with pytest.raises(BulkError, match=r"job\.db: another process is sending"):
        bulk.cancel(job)
    lock.release()
    lock.release()
    assert (2, 1) == (bulk.go(rows(2), job=job).accepted, len(api.sent))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no database at all" * 100, "not a bulk job journal"),
        (b"SQLite format 3\0" + b"\xff" * 4096, "journal"),
    ],
    ids=["other bytes", "broken"],
)
def test_what_is_not_a_journal_is_refused(
    make_bulk: MakeBulk, tmp_path: Path, content: bytes, words: str
) -> None:
    """A file of another kind is left as it is, and nothing is sent."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    job.write_bytes(content)
    with pytest.raises(BulkError, match=words):
        make_bulk(api).go(rows(2), job=job)
    assert ([], content) == (api.sent, job.read_bytes())


def test_another_database_is_refused(tmp_path: Path) -> None:
    """A SQLite file with other tables is not taken for a journal."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(BulkError, match="not a bulk job journal"):
        open_storage(path)


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    """A later layout is not read as ours."""
    path = tmp_path / "job.db"
    open_storage(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BulkError, match="another version"):
        open_storage(path)


def test_a_corrupt_journal_sends_nothing(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Damage inside the file is found before anything leaves."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(rows(400), job=job, deadline=0)
    content = bytearray(job.read_bytes())
    content[4096 * 2 : 4096 * 12] = os.urandom(4096 * 10)
    job.write_bytes(bytes(content))
    with pytest.raises(BulkError, match="corrupt"):
        bulk.resume(job)
    assert [] == api.sent


@pytest.mark.parametrize(
    ("pragma", "words"), [("max_page_count = 1", "disk is full"), ("query_only = 1", "read-only")]
)
def test_a_journal_that_cannot_be_written_says_why(tmp_path: Path, pragma: str, words: str) -> None:
    """A full disk and a read-only file each have an error of their own."""
    storage = open_storage(tmp_path / "job.db")
    with storage.read() as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    with pytest.raises(BulkError, match=words), storage.write() as connection:
        connection.exec_driver_sql("CREATE TABLE large AS SELECT randomblob(100000) AS x")
    storage.close()


def test_a_missing_journal_is_named(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """No journal is made by looking for one."""
    bulk = make_bulk(FakeBatchApi())
    for work in (bulk.resume, bulk.report, bulk.status, bulk.cancel):
        with pytest.raises(BulkError, match=r"none\.db: there is no such file"):
            work(tmp_path / "none.db")
    with pytest.raises(BulkError, match="cannot be opened"):
        bulk.go(rows(1), job=tmp_path / "no" / "folder.db")
    assert [] == [path.name for path in tmp_path.iterdir()]


def test_a_reading_that_did_not_end_starts_again(make_bulk: MakeBulk, job: JobAddress) -> None:
    """Bad input leaves a journal that takes the corrected input, and nothing to resume."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bad = [*rows(4), {"phone": "", "name": "X"}]
    with pytest.raises(BulkError, match=r"1 row cannot be sent, nothing was sent.*line 5, phone"):
        bulk.go(bad, job=job)
    with pytest.raises(
        BulkError, match="interrupted while reading the recipients, nothing was sent"
    ):
        bulk.resume(job)
    assert [] == api.sent
    assert 4 == bulk.go(rows(4), job=job).accepted


def test_resume_needs_the_journal_only(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """The input may be gone; what was on its way is looked up, the rest is sent."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk, source = make_bulk(api), csv_file(tmp_path, 6)
    bulk.go(source, job=job, deadline=0)
    source.unlink()
    journal = Journal(job)
    with journal.write() as connection:
        chunk = journal.next_planned(connection)
        assert chunk is not None
        journal.move(connection, chunk, ChunkState.SENDING, sent=1)
    journal.close()
    assert (4, 2) == (bulk.report(job).pending, bulk.report(job).unknown)
    report = bulk.resume(job, settle=0.05)
    assert (4, 2, 2, True) == (report.accepted, report.unknown, len(api.sent), api.looks > 0)


def test_impossible_moves_are_refused(job: JobAddress) -> None:
    """A chunk that was accepted is never sent again, even by mistake of the code."""
    journal = Journal(job)
    with journal.write() as connection:
        journal.add(connection, [NewChunk(0, 1, b"", b"")])
        chunk = journal.chunk(connection, 0)
        assert chunk is not None
        sending = journal.move(connection, chunk, ChunkState.SENDING)
        with pytest.raises(BulkError, match="another process"):
            journal.move(connection, chunk, ChunkState.SENDING)
        done = journal.move(connection, sending, ChunkState.ACCEPTED)
        with pytest.raises(BulkError, match="cannot change from accepted to sending"):
            journal.move(connection, done, ChunkState.SENDING)
    journal.close()


def test_reports_show_no_recipient(make_bulk: MakeBulk, job: JobAddress) -> None:
    """Neither a report nor a result shows numbers or keys in its repr."""
    bulk = make_bulk(FakeBatchApi())
    report = bulk.go([{"phone": "+46700000009", "name": "Planted"}], job=job)
    shown = f"{report!r} {list(report.recipients())!r} {list(report.batches())!r}"
    assert [] == [word for word in ("6700000009", "Planted") if word in shown]


_MEASURE = """
import sys, resource
from pathlib import Path
from sinch_wrapper import Sinch, text
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Bulk, MessageLimits
count = 0
def answer(request):
    global count
    count += 1
    found = {"access_token": "t", "expires_in": 3600, "batch_id": f"B{count}"}
    return httpx.Response(200, json=found)
sinch = Sinch(project_id="p", key_id="k", key_secret="s", region="eu", limits=None,
              transport=httpx.MockTransport(answer))
report = Bulk(sinch).send(app_id="A", message=text("Hi ${name}"), recipients=sys.argv[1],
                          job=sys.argv[2], limits=MessageLimits(queue=10**9))
# Not ru_maxrss: on Linux that begins with what the parent process had.
status = Path("/proc/self/status")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
if status.exists():
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0])
print(report.accepted, peak)
"""


def _peak(folder: Path, count: int) -> float:
    source = csv_file(folder, count)
    command = [sys.executable, "-c", _MEASURE, str(source), str(folder / f"{count}.db")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    accepted, peak = map(int, result.stdout.split())
    assert count == accepted
    return peak / 1024


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_memory_does_not_grow_with_the_job(tmp_path: Path) -> None:
    """A hundred times the recipients (ten times in the short run) need at most 60 MiB more."""
    small = _peak(tmp_path, 10_000)
    large = _peak(tmp_path, 1_000_000 if LONG else 100_000)
    assert large - small < 60


def test_report_of_a_job_in_memory_outlives_it(make_bulk: MakeBulk) -> None:
    """Without a path the journal lives as long as its report."""
    report: Report = make_bulk(FakeBatchApi()).go(rows(3))
    assert 3 == len(list(report.recipients()))
