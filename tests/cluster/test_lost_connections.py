"""A server that restarts or is away: one clear line, nothing sent twice, and then it goes on."""

from typing import Any

import pytest
from sqlalchemy import URL, make_url

from sinch_wrapper import Recipient, text
from sinch_wrapper.bulk import JournalFollower, RecipientState, Report, SuppressionList
from sinch_wrapper.bulk._job_url import job_address
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._journal_file import sending_lock
from sinch_wrapper.errors import BulkError, DatabaseAwayError
from tests.helpers.bulk import APP, FakeBatchApi, MakeBulk, make_bulk, marked, receipt, rows
from tests.helpers.core import SyncFlavour
from tests.helpers.postgres import cut, job_in, run

__all__ = ["make_bulk"]

AWAY = r"^journal spring: cannot be reached: check that the database runs[^\n]*$"


@pytest.fixture
def spring(jobs_database: str) -> str:
    """The address of a job."""
    return job_in(jobs_database, "spring")


@pytest.fixture
def flavour() -> SyncFlavour:
    """Tasks plan in a thread, too."""
    return SyncFlavour()


def test_restart_while_it_sends(make_bulk: MakeBulk, spring: str) -> None:
    """The sender opens its connection again, and still leads the job."""
    api = FakeBatchApi()
    api.on_send = lambda *_: cut(spring)
    report = make_bulk(api).go(rows(6), job=spring, concurrency=1)
    assert (6, 0, {1}) == (report.accepted, report.unknown, set(api.accepted.values()))


def test_server_that_goes_away_while_it_sends(
    make_bulk: MakeBulk, spring: str, postgres: URL
) -> None:
    """The job ends with one line; resumed, it sends the rest, and looks up what was on its way."""
    api = FakeBatchApi()
    bulk, name = make_bulk(api), make_url(spring).database

    def go_away(_body: object, batch_id: str) -> None:
        if batch_id == "B2":
            run(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            cut(spring, by=postgres)

    api.on_send = go_away
    with pytest.raises(DatabaseAwayError, match=AWAY):
        bulk.go(rows(6), job=spring, concurrency=1)
    run(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    report = bulk.resume(spring)
    assert (6, 0, 0) == (report.accepted, report.unknown, report.twice)
    assert {1} == set(api.accepted.values())


def test_restart_while_nobody_writes(make_bulk: MakeBulk, spring: str) -> None:
    """Receivers and lists that stay open open their connection again, without an error."""
    api, stop = FakeBatchApi(), spring.replace("job=", "list=")
    make_bulk(api).go(rows(2), job=spring)
    follower = JournalFollower(spring)
    with SuppressionList(stop) as found:
        follower.take([receipt("QUEUED_ON_CHANNEL", marked(api, 0, 0))])
        found.add("+46700000001")
        cut(spring)
        follower.take([receipt("DELIVERED", marked(api, 0, 0))])
        found.add("+46700000002")
        assert 2 == found.count()
    follower.close()
    assert 1 == Report(spring).by_state[RecipientState.DELIVERED]


def test_lock_that_was_lost_fences_when_another_leads(spring: str) -> None:
    """A restart frees the lock of a leader; it goes on writing until another one leads."""
    address = job_address(spring)
    first = sending_lock(address)
    journal = Journal(address, lock=first)
    cut(spring)
    with journal.write() as connection:
        journal.note(connection, word="mine")
    second = sending_lock(address)
    with pytest.raises(BulkError, match="another process leads this job"), journal.write():
        pass
    assert {"word": "mine"} == journal.facts()
    journal.close()
    first.release()
    second.release()


def test_server_that_is_away_is_one_line(make_bulk: MakeBulk) -> None:
    """Whatever is asked of a job, the line says what to look at, and nothing is sent."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    job = "postgresql://user:planted@127.0.0.1:9/db?job=spring"
    works: list[Any] = [bulk.resume, bulk.report, bulk.status, bulk.cancel]
    for work in (*works, lambda job: bulk.go(rows(2), job=job), JournalFollower(job).check):
        with pytest.raises(DatabaseAwayError, match=AWAY) as caught:
            work() if getattr(work, "__name__", "") == "check" else work(job)
        assert "planted" not in str(caught.value)
    assert [] == api.sent


def test_outbox_in_a_database(flavour: SyncFlavour, spring: str) -> None:
    """A key is one message, from whichever process it comes, and after a restart."""
    api = FakeBatchApi()
    client = flavour.client(api)
    given: Any = {"app_id": APP, "to": Recipient.sms("+46700000001"), "message": text("Hi")}
    with client.outbox(spring, settle=0.05) as one:
        first = one.send(key="order-17", **given)
    cut(spring)
    with client.outbox(spring, settle=0.05) as one, client.outbox(spring, settle=0.05) as two:
        again = [each.send(key="order-17", **given) for each in (one, two)]
    client.close()
    assert ([first.batch_id] * 2, 1) == ([each.batch_id for each in again], len(api.sent))
