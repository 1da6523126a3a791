"""What goes on in a cluster: its workers, rates, queues and jobs, and the requests in doubt."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from sinch_wrapper import _validate
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._evidence import AcceptedRequest
from sinch_wrapper.bulk._job_url import database_url
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._queue import MessageLimits, Outstanding, eta
from sinch_wrapper.bulk._report import reason_of
from sinch_wrapper.bulk._schema import chunks
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.bulk._tracker import accepted_requests
from sinch_wrapper.cluster._app_queue import outstanding_rows
from sinch_wrapper.cluster._assignments import Assignment, AssignmentStage, assignments_of
from sinch_wrapper.cluster._database import ClusterDatabase, PostgresSessions, database_time
from sinch_wrapper.cluster._life import life
from sinch_wrapper.cluster._rate_table import KnownRate, known_rates
from sinch_wrapper.cluster._worker_table import KnownWorker, in_flight, known_workers
from sinch_wrapper.errors import BulkArgumentError

# Doubts of a job that are listed.
_LISTED: Final = 20
_MINUTE: Final = 60
_RECENT: Final = select(func.sum(chunks.c.count)).where(
    chunks.c.state == ChunkState.ACCEPTED, chunks.c.settled_at >= bindparam("since")
)


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker: whether it is `working`, `silent` or `dead`, and what it does.

    *slots* is how many requests it sends at a time, *running* how many it is sending, *silence* for
    how many seconds it was not heard of, and *leads* has the jobs that it plans.
    """

    name: str
    life: str
    slots: int
    running: int
    silence: float
    leads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The queue of an app: an estimate of the *recipients* in it."""

    app: str
    recipients: int


@dataclass(frozen=True, slots=True)
class DoubtStatus:
    """A request whose outcome is unknown, and what is known about it.

    It left *sent* times, last *waited* seconds ago. *reason* is why its outcome is unknown.
    *elders* is how many requests were accepted before it left, *witnesses* how many of those that
    left later: only a look-up that lists all of them proves that this one was not accepted.
    """

    request: int
    recipients: int
    sent: int
    waited: float | None
    reason: str
    elders: int
    witnesses: int


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job that workers send: its recipients by the state of their request.

    *leader* is the worker that plans it, empty for none. *rate* is how many recipients a second
    were accepted in the last minute; *eta* the seconds until the last one is accepted, and
    *to_deliver* until the queue of the app is empty, None while nothing is known. *doubts* is how
    many requests are in doubt, and *listed* has the first of them.
    """

    name: str
    leader: str
    accepted: int
    rejected: int
    unknown: int
    sending: int
    planned: int
    rate: float
    eta: float | None
    to_deliver: float
    doubts: int
    listed: tuple[DoubtStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """Workers, rates of projects, queues of apps, and jobs; *ended* is how many jobs have ended."""

    workers: tuple[WorkerStatus, ...]
    rates: tuple[KnownRate, ...]
    queues: tuple[QueueStatus, ...]
    jobs: tuple[JobStatus, ...]
    ended: int


def status(url: str, *, lease: float = 30.0) -> ClusterStatus:
    """What goes on in the database at *url*; a worker is silent after *lease* seconds.

    Raises: BulkError, DatabaseAwayError; BulkArgumentError for a wrong argument.
    """
    _validate.number("lease", lease, 1.0, error=BulkArgumentError)
    database = ClusterDatabase(database_url(url, "url"))
    try:
        return read_status(database, lease)
    finally:
        database.close()


def read_status(database: ClusterDatabase, lease: float) -> ClusterStatus:
    """What goes on in *database*; raises BulkError."""
    with database.storage.read() as connection:
        found = assignments_of(connection, database_time())
        ready = [each for each in found if each.stage == AssignmentStage.READY]
        workers = {each.id: each for each in known_workers(connection, database_time())}
        shown = tuple(_worker(connection, each, ready, lease) for each in workers.values())
        rates = tuple(known_rates(connection, database_time()))
        rows = outstanding_rows(connection, database_time())
    jobs = []
    for each in ready:
        leader = workers.get(each.worker or 0)
        name = "" if leader is None else leader.name
        limits = MessageLimits(*each.options["limits"])
        job = database.job(each.job)
        known, at = rows.get(str(job.request.get("app_id")), (Outstanding(), 0.0))
        jobs.append(_job(job, name, limits, known.at_time(at, limits).count))
    queues = tuple(QueueStatus(app, round(known.count)) for app, (known, _) in rows.items())
    return ClusterStatus(shown, rates, queues, tuple(jobs), len(found) - len(ready))


def _worker(
    connection: Connection, worker: KnownWorker, jobs: Sequence[Assignment], lease: float
) -> WorkerStatus:
    has_session = PostgresSessions().has(connection, worker.id)
    return WorkerStatus(
        worker.name,
        life(worker.silence, lease, has_session=has_session),
        worker.slots,
        in_flight(connection).get(worker.id, 0),
        worker.silence,
        tuple(each.name for each in jobs if each.worker == worker.id),
    )


def _job(job: Job, leader: str, limits: MessageLimits, queued: float) -> JobStatus:
    journal = job.journal
    totals = journal.totals()
    people = {state: totals.get(state, (0, 0))[1] for state in ChunkState}
    now = journal.now()
    with journal.read() as connection:
        recent = connection.execute(_RECENT, {"since": now - 1000 * _MINUTE}).scalar_one()
        departed = journal.departed(connection) if people[ChunkState.UNKNOWN] else ()
        accepted = accepted_requests(departed).values()
    doubtful = journal.after(-1, _LISTED, state=ChunkState.UNKNOWN)
    done, left = int(recent or 0), people[ChunkState.PLANNED]
    return JobStatus(
        job.journal.name,
        leader,
        accepted=people[ChunkState.ACCEPTED],
        rejected=people[ChunkState.REJECTED],
        unknown=people[ChunkState.UNKNOWN],
        sending=people[ChunkState.SENDING],
        planned=left,
        rate=done / _MINUTE,
        eta=eta(left, queued, limits, done, _MINUTE),
        to_deliver=(queued + left) / limits.drain,
        doubts=totals.get(ChunkState.UNKNOWN, (0, 0))[0],
        listed=tuple(doubt_status(each, accepted, now) for each in doubtful),
    )


def doubt_status(chunk: Chunk, accepted: Collection[AcceptedRequest], now: int) -> DoubtStatus:
    """What is known about *chunk*, whose outcome is unknown, at *now* in Unix milliseconds."""
    left, began = chunk.first_left or 0, chunk.doubted or 0
    return DoubtStatus(
        chunk.id,
        chunk.count,
        chunk.sent,
        None if chunk.left_at is None else max(0.0, (now - chunk.left_at) / 1000),
        reason_of(chunk),
        elders=sum(each.accepted < left for each in accepted),
        witnesses=sum(each.is_witness(began) for each in accepted),
    )
