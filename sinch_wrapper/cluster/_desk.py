"""Where the leader of a job hands its requests out, and takes how they ended; steps of one thread.

The leader is the one planner of a job. What it hands out is written in the transaction that moves
the request to "sending", and deleted in the one that takes its end, so that the next leader finds
for each request that is on its way the call that is about it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from sqlalchemy import Connection, Row

from sinch_wrapper.bulk._calls import BatchCall, BatchOperation, Done
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._queue import SendQueue
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.cluster import _call_table as call_table
from sinch_wrapper.cluster._app_queue import SharedQueue
from sinch_wrapper.cluster._assignments import lead
from sinch_wrapper.cluster._call_table import ENDED, CallOrigin, CallState, Clock, NewCall
from sinch_wrapper.cluster._life import WorkerLife, life
from sinch_wrapper.cluster._results import LOST, NOT_LEFT, read_text
from sinch_wrapper.cluster._worker_table import KnownWorker, known_workers, now, strike

# Calls for each request that workers may run at a time: the next one waits where they look.
_AHEAD: Final = 2


class Tickets(Protocol):
    """What wakes workers up: each call has a ticket until a worker takes that."""

    def issue(self, connection: Connection, numbers: Collection[int]) -> None:
        """Issue tickets for calls, in the transaction that hands them out."""

    def missing(self, connection: Connection, numbers: Collection[int]) -> Collection[int]:
        """The calls among *numbers* whose tickets were taken, or are lost."""
        ...


class Sessions(Protocol):
    """Which workers have a session with the database."""

    def has(self, connection: Connection, worker: int) -> bool:
        """Whether the session of *worker* lives."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What leaders and workers share: the clock of the database, tickets, sessions, the *lease*.

    A worker that was not heard of for *lease* seconds is not waited for any more.
    """

    time: Callable[[], Clock]
    tickets: Tickets
    sessions: Sessions
    lease: float = 30.0


class CallDesk:
    """Hands out the requests of *job*, number *number* of all, for *worker*, which leads it."""

    def __init__(self, job: Job, number: int, worker: int, around: Surroundings) -> None:
        self._job = job
        self._number = number
        self._worker = worker
        self._around = around
        self.token = 0
        # The calls that are on their way, by number, and the numbers by chunk.
        self._calls: dict[int, BatchCall] = {}
        self._numbers: dict[int, int] = {}
        # Of those, what has been told to the planner and not yet taken by it.
        self._told: set[int] = set()
        app = job.request.get("app_id")
        self._queue = SharedQueue(app, around.time) if isinstance(app, str) else None
        self.held: frozenset[int] = frozenset()
        self.concurrency: int | None = None
        self._take_over()

    @property
    def running(self) -> Collection[int]:
        """The numbers of requests that are on their way."""
        return self._numbers.keys()

    def call(  # noqa: PLR0913, PLR0917 (those of a Dispatch)
        self,
        kind: BatchOperation,
        request: Mapping[str, object],
        job: str,  # noqa: ARG002 (its worker knows it)
        chunk: int,
        items: bytes,  # noqa: ARG002 (its worker reads them itself)
        now: float,
    ) -> BatchCall:
        """The request for a worker: what differs from those of the job."""
        usual = self._job.request
        fields = {
            name: request.get(name)
            for name in {**usual, **request}
            if request.get(name) != usual.get(name)
        }
        return BatchCall("send", kind.resource, kind.method, {"request": fields}, chunk, now)

    def enter(self, connection: Connection, queue: SendQueue, now: float) -> None:
        """Let *queue* know what other jobs of its app have sent."""
        if self._queue is not None:
            self._queue.enter(connection, queue, now)

    def leave(self, connection: Connection, queue: SendQueue, now: float) -> None:
        """Let other jobs of the app know what *queue* knows."""
        if self._queue is not None:
            self._queue.leave(connection, queue, now)

    def note(
        self, connection: Connection, done: Sequence[Done], calls: Sequence[BatchCall]
    ) -> None:
        """Delete what is *done*, and hand *calls* out."""
        ended = [self._numbers.pop(each.call.chunk) for each in done if each.call.purpose == "send"]
        for number in ended:
            del self._calls[number]
        self._told.difference_update(ended)
        call_table.forget(connection, ended, *ENDED)
        sends = [each for each in calls if each.purpose == "send"]
        if not sends:
            return
        chunks = self._job.journal.chunks(connection, [each.chunk for each in sends])
        new = [
            NewCall(
                each.chunk,
                chunks[each.chunk].last_left or 0,
                cast("Mapping[str, object]", each.arguments["request"]),
            )
            for each in sends
        ]
        around = self._around
        origin = CallOrigin(self._number, self._job.id, self.token)
        numbers = call_table.hand_out(connection, origin, new, around.time())
        around.tickets.issue(connection, numbers)
        for number, each in zip(numbers, sends, strict=True):
            self._keep(number, each)

    def ended(self) -> list[Done]:
        """What has ended since it was last asked."""
        with self._job.journal.read() as connection:
            rows = call_table.of_job(connection, self._number, *ENDED)
        return self._told_of(rows)

    def revoke(self) -> None:
        """Take back what no worker has taken: the job is to stop."""
        with self._job.journal.write() as connection:
            call_table.revoke(connection, self._number)

    def sweep(self) -> list[Done]:
        """Look after workers and tickets; returns what nobody waits for any more."""
        lost: list[Done] = []
        with self._job.journal.write() as connection:
            workers = {each.id: each for each in known_workers(connection, self._around.time())}
            lives = {each.id: self._life(connection, each) for each in workers.values()}
            self._revoke_overdue(connection)
            for row in call_table.of_job(connection, self._number, CallState.LEFT, CallState.LOST):
                self._look_after(connection, row, lives.get(row.worker, WorkerLife.DEAD), lost)
            self._strike(connection, lives)
            self._hold(connection)
            lead(connection, self._number, self._worker, self.token, self._around.time())
        slots = sum(workers[n].slots for n, found in lives.items() if found is WorkerLife.WORKING)
        self.concurrency = max(1, _AHEAD * slots)
        return lost

    def _take_over(self) -> None:
        """Take up what an earlier leader has handed out; what nobody has taken is taken back."""
        with self._job.journal.write() as connection:
            # Who writes as a leader is the one whose token this is.
            self.token = call_table.token_of(connection, self._number)
            call_table.revoke(connection, self._number)
            rows = call_table.of_job(connection, self._number)
            chunks = self._job.journal.chunks(connection, [row.chunk for row in rows])
            for row in rows:
                if row.state != CallState.LOST and self._is_about(row, chunks.get(row.chunk)):
                    self._keep(row.id, _call_of(self._job.kind, row))
                elif row.state in ENDED or not call_table.lose(connection, row.id):
                    call_table.forget(connection, [row.id], *ENDED)
            self._hold(connection)

    def _is_about(self, row: Row[Any], chunk: Chunk | None) -> bool:
        """Whether a call is about the last leaving of *chunk*, whose end is not known yet."""
        if chunk is None or row.mark != self._job.id:
            return False
        return chunk.state is ChunkState.SENDING and chunk.last_left == row.event

    def _keep(self, number: int, call: BatchCall) -> None:
        self._calls[number] = call
        self._numbers[call.chunk] = number

    def _told_of(self, rows: Iterable[Row[Any]]) -> list[Done]:
        found = []
        for row in rows:
            call = self._calls.get(row.id)
            if call is not None and row.id not in self._told:
                self._told.add(row.id)
                is_left = row.state == CallState.DONE
                found.append(read_text(call, row.result) if is_left else Done(call, NOT_LEFT))
        return found

    def _life(self, connection: Connection, worker: KnownWorker) -> WorkerLife:
        lease = self._around.lease
        # Sessions are asked about only where it matters.
        has_session = worker.silence > lease and self._around.sessions.has(connection, worker.id)
        return life(worker.silence, lease, has_session=has_session)

    def _look_after(
        self, connection: Connection, row: Row[Any], found: WorkerLife, lost: list[Done]
    ) -> None:
        if found is WorkerLife.WORKING:
            return
        if row.state == CallState.LEFT and call_table.lose(connection, row.id):
            call = self._calls.get(row.id)
            if call is not None and row.id not in self._told:
                self._told.add(row.id)
                lost.append(Done(call, LOST))
        if found is WorkerLife.DEAD:
            call_table.forget(connection, [row.id], CallState.LOST)

    def _revoke_overdue(self, connection: Connection) -> None:
        """Take back what waits although nobody has its ticket: it died with the worker."""
        oldest = now(connection, self._around.time()) - self._around.lease
        rows = call_table.of_job(connection, self._number, CallState.HANDED)
        waiting = [row.id for row in rows if row.handed_at < oldest]
        if waiting:
            missing = self._around.tickets.missing(connection, waiting)
            call_table.revoke(connection, self._number, missing)

    def _strike(self, connection: Connection, lives: Mapping[int, WorkerLife]) -> None:
        for number, found in lives.items():
            if found is WorkerLife.DEAD:
                strike(connection, number)

    def _hold(self, connection: Connection) -> None:
        rows = call_table.of_job(connection, self._number, CallState.LOST)
        self.held = frozenset(row.chunk for row in rows if row.mark == self._job.id)


def _call_of(kind: BatchOperation, row: Row[Any]) -> BatchCall:
    """The call in one row, whose request left before this run began."""
    return BatchCall("send", kind.resource, kind.method, {}, row.chunk, 0.0)
