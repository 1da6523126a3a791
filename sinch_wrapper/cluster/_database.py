"""The database of a cluster: its clock, its sessions and its jobs; and what it needs at first."""

import threading
from typing import Final

from sqlalchemy import URL, Connection, Double, cast, extract, func, select

from sinch_wrapper import RateLimits
from sinch_wrapper._postgres import (
    PREPARE,
    Failures,
    PostgresDatabase,
    SessionLock,
    end_session,
    is_lock_free,
)
from sinch_wrapper.bulk._job_url import JobURL, database_url
from sinch_wrapper.bulk._journal import Job, Journal, open_job
from sinch_wrapper.bulk._register import (
    JOB_LOCK,
    SHARED,
    WORKER_LOCK,
    check_version,
    connected,
    database_name,
    prepare_database,
)
from sinch_wrapper.cluster._assignments import Assignment
from sinch_wrapper.cluster._call_table import Clock
from sinch_wrapper.cluster._desk import Surroundings
from sinch_wrapper.cluster._rate import SharedRateLimiter
from sinch_wrapper.cluster._tables import calls, jobs, shared
from sinch_wrapper.cluster._tickets import PostgresTickets, prepare_tickets
from sinch_wrapper.cluster._worker_table import known_workers
from sinch_wrapper.errors import BulkError

_WHAT: Final = "the database"


def prepare(address: str) -> bool:
    """Create in the database at *address* what workers need, as prepare_database() does for jobs.

    Returns: whether anything was created. Raises: as prepare_database().
    """
    is_new, url = prepare_database(address), database_url(address)
    with connected(url, database_name(url)) as connection:
        shared.create_all(connection)
        return prepare_tickets(connection) or is_new


def database_time() -> Clock:
    """The clock of PostgreSQL, in Unix seconds, as an expression."""
    return cast(extract("epoch", func.clock_timestamp()), Double)


class PostgresSessions:
    """The sessions of workers are advisory locks."""

    def has(self, connection: Connection, worker: int) -> bool:
        """Whether the session of *worker* lives."""
        return not is_lock_free(connection, (WORKER_LOCK, worker))


class ClusterDatabase:
    """The database at *url*, prepared for workers, whose `storage` is what jobs share.

    Raises: BulkError when it is not prepared; DatabaseAwayError is one.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.name = url.set(drivername="postgresql").render_as_string(hide_password=True)
        with connected(url, _WHAT) as connection:
            check_version(connection, _WHAT)
            there = select(func.to_regclass(f"{SHARED}.{calls.name}"))
            if connection.execute(there).scalar_one() is None:
                raise BulkError(f"{_WHAT}: not prepared for workers: {PREPARE}")
        self._failures = Failures(_WHAT)
        self.storage = PostgresDatabase(url, SHARED, _WHAT, self._failures, lambda _: None)
        self._guard = threading.Lock()
        self._jobs: dict[int, Job] = {}

    @property
    def address(self) -> str:
        """Its address for the driver, with the password."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def around(self, lease: float) -> Surroundings:
        """What leaders and workers share here."""
        return Surroundings(database_time, PostgresTickets(), PostgresSessions(), lease)

    def job_url(self, name: str) -> JobURL:
        """The address of the job *name*."""
        return JobURL(self.url, name)

    def job(self, number: int) -> Job:
        """The job with this number as it is now, for reading; raises BulkError."""
        with self._guard:
            known = self._jobs.get(number)
            journal = self._journal(number) if known is None else known.journal
            found = self._jobs[number] = open_job(journal)
            return found

    def marked_job(self, number: int, mark: str) -> Job | None:
        """The job with this number; None when its *mark* is another one by now.

        Raises: BulkError.
        """
        known = self._jobs.get(number)
        if known is None or known.id != mark:
            known = self.job(number)
        return known if known.id == mark else None

    def _journal(self, number: int) -> Journal:
        with self.storage.read() as connection:
            query = select(jobs.c.name).where(jobs.c.number == number)
            name = str(connection.execute(query).scalar_one())
        return Journal(self.job_url(name), must_exist=True)

    def session(self, worker: int) -> SessionLock:
        """The lock of *worker*, which is not taken yet."""
        return SessionLock(self.url, (WORKER_LOCK, worker), self._failures)

    def is_free(self, connection: Connection, job: int) -> bool:
        """Whether nobody leads *job*."""
        return is_lock_free(connection, (JOB_LOCK, job))

    def may_lead(self, job: Assignment, around: Surroundings) -> bool:
        """Whether *job* has no leader; ends the session of one that was stopped. Raises BulkError.

        A leader that goes on afterwards cannot write any more: its token is not the last one.
        """
        with self.storage.write() as connection:
            if self.is_free(connection, job.job):
                return True
            if job.worker is None or job.led != job.token:
                # Some other process sends from it.
                return False
            workers = {each.id: each for each in known_workers(connection, around.time())}
            leader = workers.get(job.worker)
            if leader is None or leader.silence > around.lease:
                end_session(connection, (JOB_LOCK, job.job))
        return False

    def limiter(self, project: str, limits: RateLimits | None = None) -> SharedRateLimiter:
        """The limiter that all processes of *project* share; *limits* sets its rate."""
        return SharedRateLimiter(self.storage, project, limits, time=database_time)

    def close(self) -> None:
        """Close all connections."""
        for job in self._jobs.values():
            job.journal.close()
        self.storage.close()
