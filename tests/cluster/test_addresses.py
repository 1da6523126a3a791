"""Whatever takes the path of a job takes its address."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sinch_wrapper.bulk import Columns, JournalFollower, prepare_database
from sinch_wrapper.bulk._job_url import job_address
from sinch_wrapper.bulk._journal_file import open_storage
from sinch_wrapper.callbacks import receiver
from sinch_wrapper.errors import BulkError, ConfigurationError
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, marked, receipt, rows
from tests.helpers.postgres import job_in
from tests.helpers.sandbox import SECRET

__all__ = ["make_bulk"]


@pytest.fixture
def job(jobs_database: str) -> str:
    """The address of a job."""
    return job_in(jobs_database, "job")


def test_every_call_takes_an_address(make_bulk: MakeBulk, job: str, tmp_path: Path) -> None:
    """Sent, recorded, asked about, reported in each form, retried, and cancelled."""
    api = FakeBatchApi("ok", "400")
    bulk, again = make_bulk(api), job.replace("job=job", "job=again")
    bulk.go(rows(4), job=job, chunk_size=2, concurrency=1, exclude=["+46700000003"])
    failed = receipt("FAILED", marked(api, 0, 0), "RECIPIENT_NOT_REACHABLE")
    assert 1 == bulk.record(failed, job)
    report = bulk.status(job)
    assert {"failed": 1, "accepted": 1, "rejected": 1, "suppressed": 1} == dict(report.by_state)
    page = report.write_html(tmp_path / "report.html").read_text(encoding="utf-8")
    table = report.write_csv(tmp_path / "report.csv").read_text(encoding="utf-8")
    assert (True, 5) == (" in job" in page, len(table.splitlines()))
    retried = bulk.retry_failed(job, new_job=again, reasons=["RECIPIENT_NOT_REACHABLE"])
    assert (1, "again") == (retried.accepted, retried.name)
    with pytest.raises(BulkError, match="new_job= must be another one"):
        bulk.retry_failed(job, new_job=job, reasons=["X"])
    api.statuses = dict.fromkeys(api.batches, "SCHEDULED")
    assert 1 == bulk.cancel(again, poll_for=0).recipients


def test_a_wrong_character_is_stored_as_a_sign(make_bulk: MakeBulk, job: str) -> None:
    """PostgreSQL takes neither NUL nor half of a pair; keys and reasons with them are kept."""
    people = [
        {"phone": "+46700000001", "name": "A", "id": "a\0"},
        {"phone": "x\udc00", "name": "B", "id": "\0"},
    ]
    options = {"columns": Columns(key="id"), "on_invalid": "skip"}
    report = make_bulk(FakeBatchApi()).go(people, job=job, **options)
    assert {"accepted", "invalid"} == {str(each.state) for each in report.recipients()}


def test_preparing_and_creating_at_once(database: str) -> None:
    """Several processes may prepare a database, and open a job that is new, at the same time."""
    with ThreadPoolExecutor(4) as threads:
        assert [False, False, False, True] == sorted(threads.map(prepare_database, [database] * 4))
        job = job_address(job_in(database, "new"))
        for storage in threads.map(open_storage, [job] * 4):
            storage.close()


def test_a_receiver_that_follows_a_database_needs_a_store(job: str) -> None:
    """There is no file beside which it could lie."""
    with pytest.raises(ConfigurationError, match=r"^no callback store: give store= a file$"):
        receiver(SECRET, job=JournalFollower(job))
