"""A job in PostgreSQL is the same job: sent, resumed, recorded and reported by its address."""

import pytest

from sinch_wrapper._postgres import Failures, SessionLock, is_lock_free
from sinch_wrapper.bulk import Report, prepare_database
from sinch_wrapper.bulk._job_url import database_url, job_address
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._journal_file import sending_lock
from sinch_wrapper.bulk._register import JOB_LOCK, connected
from sinch_wrapper.errors import BulkError
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, MakeBulk, make_bulk, rows
from tests.helpers.postgres import job_in

__all__ = ["make_bulk"]


def test_job_is_sent_and_reported_by_its_address(make_bulk: MakeBulk, jobs_database: str) -> None:
    """A job with an address is sent like one with a path, and its report says the same."""
    api, job = FakeBatchApi(), job_in(jobs_database, "spring")
    report = make_bulk(api).send(
        app_id=APP, message=MESSAGE, recipients=rows(25), job=job, chunk_size=10
    )
    assert (25, 0, "spring") == (report.accepted, report.pending, report.name)
    again = Report(job)
    assert report.by_state == again.by_state
    assert [0, 1, 2] == [each.number for each in again.batches()]


def test_preparing_twice_changes_nothing(database: str) -> None:
    """A database may be prepared any number of times."""
    assert [True, False, False] == [prepare_database(database) for _ in range(3)]


def test_database_that_is_not_prepared_is_named(database: str) -> None:
    """Without `bulk init` the error says what to run."""
    with pytest.raises(
        BulkError, match=r"spring: not prepared for jobs: run `sinch-wrapper bulk init`"
    ):
        Report(job_in(database, "spring"))


def test_former_leader_writes_nothing(jobs_database: str) -> None:
    """Who led a job before another process does cannot change it any more."""
    address = job_address(job_in(jobs_database, "spring"))
    first = sending_lock(address)
    journal = Journal(address, lock=first)
    with journal.write() as connection:
        journal.note(connection, word="mine")
    # Its session ends, as when the server is restarted, and another one leads.
    first._session.release()  # type: ignore[attr-defined]  # noqa: SLF001 (without its knowledge)
    second = sending_lock(address)
    with (
        pytest.raises(BulkError, match="another process leads this job"),
        journal.write() as connection,
    ):
        journal.note(connection, word="late")
    other = Journal(address, lock=second)
    assert {"word": "mine"} == other.facts()
    with other.write() as connection:
        other.note(connection, word="theirs")
    for each in (journal, other):
        each.close()
    second.release()


def test_job_is_led_by_one_process(jobs_database: str) -> None:
    """A second sender is told that another one is at work."""
    address = job_address(job_in(jobs_database, "spring"))
    lock = sending_lock(address)
    with pytest.raises(BulkError, match="another process is sending from it"):
        sending_lock(address)
    lock.release()
    sending_lock(address).release()


def test_a_released_lock_is_free_at_once(database: str) -> None:
    """Who comes next is not told that somebody is at work, however soon that is."""
    numbers, url = (JOB_LOCK, 1), database_url(database)
    with connected(url, "x") as connection:
        for _ in range(20):
            lock = SessionLock(url, numbers, Failures("x"))
            assert (True, False) == (lock.take(), is_lock_free(connection, numbers))
            lock.release()
            assert is_lock_free(connection, numbers)
