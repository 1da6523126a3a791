"""Jobs in a real PostgreSQL, sent by workers: procrastinate, sessions, and who leads."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from sqlalchemy import select

from sinch_wrapper import Sinch, cluster, text
from sinch_wrapper._postgres import Failures, SessionLock
from sinch_wrapper.bulk import Progress
from sinch_wrapper.bulk._job_url import JobURL, database_url, job_address
from sinch_wrapper.bulk._register import JOB_LOCK, LeaderLock
from sinch_wrapper.cluster._assignments import assign, assignments_of, lead
from sinch_wrapper.cluster._database import ClusterDatabase, database_time
from sinch_wrapper.cluster._tables import calls
from sinch_wrapper.cluster._worker_table import enrol
from sinch_wrapper.errors import BulkError
from tests.helpers.bulk import rows
from tests.helpers.postgres import job_in
from tests.helpers.sandbox import Api

pytestmark = pytest.mark.once

LEASE = 2.0


def job_of(address: str) -> int:
    """The number of a job that was just created."""
    lock = LeaderLock(cast("JobURL", job_address(job_in(address, "spring"))))
    return lock.number


def times_accepted(api: Api, people: list[dict[str, str]]) -> list[int]:
    """How often the sandbox accepted each of *people*."""
    found = api.ok("GET", "/_sandbox/ledger")["recipients"]
    many = Counter(entry["identity"] for entry in found)
    return [many[each["phone"]] for each in people]


@contextmanager
def workers(sinch: Sinch, address: str, many: int) -> Iterator[list[str]]:
    """That many workers, in threads; the lines that they say."""
    lines: list[str] = []
    stop = threading.Event()

    def work() -> None:
        cluster.work(sinch, address, concurrency=2, lease=LEASE, stop=stop, say=lines.append)

    threads = [threading.Thread(target=work) for _ in range(many)]
    for thread in threads:
        thread.start()
    try:
        yield lines
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_workers_send_a_job_once(sinch: Sinch, api: Api, address: str) -> None:
    """Given to two workers, each recipient is accepted once, and nothing is left behind."""
    with workers(sinch, address, 2) as lines:
        report = cluster.send(
            sinch, app_id=api.settings.app_id, message=text("Hi"), recipients=rows(30),
            job=job_in(address, "spring"), chunk_size=2,
        )  # fmt: skip
    assert (30, True, "") == (report.accepted, report.complete, report.stopped)
    assert [1] * 30 == times_accepted(api, rows(30))
    assert {"leads job spring", "job spring is complete"} < set(lines)
    with ClusterDatabase(database_url(address)).storage.read() as connection:
        assert [] == connection.execute(select(calls.c.id)).all()


def test_a_job_goes_on_with_workers_that_come_later(sinch: Sinch, api: Api, address: str) -> None:
    """It is given before anybody works; what is on its way at a stop is taken up by the next."""
    job = job_in(address, "spring")
    report = cluster.send(
        sinch, app_id=api.settings.app_id, message=text("Hi"), recipients=rows(70)[30:], job=job,
        chunk_size=1, wait=False,
    )  # fmt: skip
    assert (40, 0) == (report.pending, report.accepted)
    stop = threading.Event()

    def look(step: Progress) -> None:
        if step.accepted:
            stop.set()

    first = threading.Thread(target=lambda: cluster.work(sinch, address, lease=LEASE, stop=stop))
    first.start()
    try:
        cluster.resume(sinch, job, progress=look, stop=stop)
    finally:
        stop.set()
        first.join()
    with workers(sinch, address, 1):
        cluster.resume(sinch, job)
    assert [1] * 40 == times_accepted(api, rows(70)[30:])
    assert 40 == sinch.bulk.report(job).accepted


def test_a_leader_that_was_stopped_loses_its_lock(address: str, shared: ClusterDatabase) -> None:
    """Not heard of for its lease, its session ends, and another process may lead."""
    number = job_of(address)
    around = shared.around(LEASE)
    with shared.storage.write() as connection:
        assign(connection, number, "P", {})
        silent = enrol(connection, "w", 1, database_time() - LEASE - 1)
        lively = enrol(connection, "w", 1, database_time())
    lock = SessionLock(shared.url, (JOB_LOCK, number), Failures("x"))

    def leads(worker: int, token: int) -> bool:
        with shared.storage.write() as connection:
            lead(connection, number, worker, token, database_time())
        with shared.storage.read() as connection:
            (job,) = assignments_of(connection, database_time(), job=number)
        return shared.may_lead(job, around)

    assert lock.take()
    # Another process than the worker that led it last has the lock; then a worker that lives.
    assert [False, False, True] == [leads(silent, 99), leads(lively, 0), lock.is_held]
    assert [False, False, True] == [leads(silent, 0), lock.is_held, leads(silent, 0)]


def test_tickets_are_missing_once_they_are_taken(shared: ClusterDatabase) -> None:
    """A ticket is issued once, and nobody but a worker takes it away."""
    tickets = shared.around(LEASE).tickets
    with shared.storage.write() as connection:
        tickets.issue(connection, [1, 2])
    with shared.storage.write() as connection:
        assert {3} == tickets.missing(connection, [1, 2, 3])
        connection.exec_driver_sql("SET LOCAL search_path TO sinch_wrapper")
        taken = "UPDATE procrastinate_jobs SET status = 'doing' WHERE args->>'number' = '1'"
        connection.exec_driver_sql(taken)
        assert {1, 3} == tickets.missing(connection, [1, 2, 3])


def test_a_worker_is_seen_by_its_session(shared: ClusterDatabase) -> None:
    """As long as its connection lives, it is there."""
    session = shared.session(7)
    sessions = shared.around(LEASE).sessions
    seen = []
    for change in (session.take, session.release):
        change()
        with shared.storage.read() as connection:
            seen.append((sessions.has(connection, 7), sessions.has(connection, 8)))
    assert [(True, False), (False, False)] == seen


def test_preparing_twice_changes_nothing(database: str) -> None:
    """The first time creates what is needed, and says so."""
    with pytest.raises(BulkError, match="bulk init"):
        ClusterDatabase(database_url(database))
    assert [True, False] == [cluster.prepare(database), cluster.prepare(database)]


def test_what_workers_have_nobody_else_sends(sinch: Sinch, api: Api, address: str) -> None:
    """As long as they may send from it; stop() takes it back, and cancel() is possible then."""
    job = job_in(address, "spring")
    cluster.send(
        sinch, app_id=api.settings.app_id, message=text("Hi"), recipients=rows(90)[80:], job=job,
        wait=False,
    )  # fmt: skip
    with pytest.raises(BulkError, match=r"journal spring: workers send it.*cluster.resume"):
        sinch.bulk.resume(job)
    cluster.stop(job)
    assert 10 == sinch.bulk.cancel(job).never_sent
    assert [0] * 10 == times_accepted(api, rows(90)[80:])
