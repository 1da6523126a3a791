"""A worker: takes calls that leaders have handed out, sends them, and writes how they ended.

A call is taken in a transaction of its own before its request leaves, and nobody else can take it
then. *clock* gives monotonic seconds in this file, those of the database are beside it.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Final, Protocol

from sqlalchemy import Connection

from sinch_wrapper._backoff import backoff
from sinch_wrapper.bulk._calls import BatchCall, Done, send_call
from sinch_wrapper.bulk._damage import DamagedRequestError, sound
from sinch_wrapper.bulk._driver import made
from sinch_wrapper.bulk._job_spec import in_time
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._responses import Doubtful, Refused, Sent, describe, read_sent
from sinch_wrapper.cluster import _call_table as call_table
from sinch_wrapper.cluster import _worker_table as worker_table
from sinch_wrapper.cluster._call_table import HandedCall
from sinch_wrapper.cluster._desk import Surroundings
from sinch_wrapper.cluster._life import may_leave
from sinch_wrapper.cluster._opt_outs import OptOutWatch
from sinch_wrapper.cluster._results import as_text
from sinch_wrapper.errors import BulkError, DatabaseAwayError, RateLimitError

_logger: Final = logging.getLogger("sinch_wrapper")
# Seconds between attempts to write a result while the database is away.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class SharedStorage(Protocol):
    """The database with the tables that jobs share."""

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that reads."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is on disk when the block ends."""
        ...


class WorkerSession(Protocol):
    """A lock that lasts as long as its worker: by it others see that the worker lives."""

    def take(self) -> bool:
        """Take it; whether that could be."""
        ...

    @property
    def is_held(self) -> bool:
        """Whether it still has it."""
        ...

    def release(self) -> None:
        """Let others see that the worker has ended."""


class Pace(Protocol):
    """How fast requests may leave, over all workers; a RateLimiter is one for one process."""

    def reserve(self) -> float:
        """Book the next free slot; returns the seconds to wait for it."""
        ...

    def throttled(self, ago: float) -> None:
        """Take into account that a request of *ago* seconds ago was too many."""


class AnyPace:
    """The pace that never waits."""

    def reserve(self) -> float:
        """Book nothing."""
        return 0.0

    def throttled(self, ago: float) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Seat:
    """One time that a worker takes part, under a *number* of its own.

    *confirmed* is when it was last heard of for certain, by both clocks, and *running* has its
    calls.
    """

    number: int
    session: WorkerSession
    confirmed: tuple[float, float]
    running: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A request that is ready to leave, and the job that it is of.

    *token* is that of its leader. *items* has its recipients, packed; None when it cannot leave,
    and *call* is its result then.
    """

    number: int
    job: Job = field(repr=False)
    token: int
    call: BatchCall | Refused
    items: bytes | None = field(default=None, repr=False)


class Worker:
    """Takes calls and makes them with the API *batch*; safe for threads.

    *job_of* opens the job with a number and a mark, None for one that is gone. *session* gives the
    lock of the worker with a number. *slots* is how many calls it makes at a time. *wall* gives
    Unix seconds, for what is scheduled.
    """

    def __init__(  # noqa: PLR0913 (keyword-only, what it works with)
        self,
        batch: object,
        storage: SharedStorage,
        around: Surroundings,
        *,
        job_of: Callable[[int, str], Job | None],
        session: Callable[[int], WorkerSession],
        name: str,
        slots: int,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._batch = batch
        self._storage = storage
        self._around = around
        self._job_of = job_of
        self._session = session
        self._name, self._slots = name, slots
        self._pace = pace or AnyPace()
        self._clock, self._wall = clock, wall
        self.opt_outs = OptOutWatch()
        self._guard = threading.Lock()
        self._seats: list[Seat] = []
        # How many requests have left.
        self.sent = 0
        # Set when no new call is taken, and when nobody waits for results any more.
        self.stopping, self.over = threading.Event(), threading.Event()

    def beat(self) -> None:
        """Say that it lives, which it has to do several times in each lease; raises BulkError."""
        seats = list(self._seats)
        began, found = self._moment(), set[int]()
        if seats:
            with self._storage.write() as connection:
                numbers = [each.number for each in seats]
                found = worker_table.beat(connection, numbers, self._around.time())
        for each in seats:
            if each.number in found:
                each.confirmed = began
        is_seated = bool(seats) and seats[-1].number in found and seats[-1].session.is_held
        if not is_seated:
            self._sit_down()
        for each in seats[:-1] if is_seated else seats:
            self._stand_up(each)

    def prepare(self, number: int) -> PreparedCall | None:
        """Read a call; None when it is not to be taken any more. Raises BulkError."""
        with self._storage.read() as connection:
            row = call_table.handed(connection, number)
        if row is None:
            return None
        job = self._job_of(row.job, row.mark)
        if job is None:
            return None
        try:
            return self._prepared(job, row)
        except DamagedRequestError as error:
            return PreparedCall(number, job, row.token, Refused(describe(error)))

    def take(self, prepared: PreparedCall) -> Seat | None:
        """Take a call; None when another one has it, or nobody may. Raises BulkError."""
        with self._guard:
            if not self._seats:
                return None
            seat = self._seats[-1]
            if prepared.number in seat.running:
                # Its ticket came twice: what it says about one would be taken for the other.
                return None
            seat.running.add(prepared.number)
        try:
            with self._storage.write() as connection:
                time_ = self._around.time()
                is_taken = call_table.take(connection, prepared.number, seat.number, time_)
        except BulkError:
            # It may be taken all the same.
            self._insist(prepared.number, seat, None)
            raise
        if not is_taken:
            self._leave(seat, prepared.number)
        return seat if is_taken else None

    def may_leave(self, seat: Seat, looked: tuple[float, float] | None = None) -> bool:
        """Whether the request of a call that was taken may leave now.

        *looked* is when the worker saw whether its recipients want it, by both clocks.
        """
        now = self._moment()
        since = [seat.confirmed, looked or now]
        silence = max(late - early for each in since for late, early in zip(now, each, strict=True))
        return may_leave(silence, self._around.lease)

    def is_outdated(self, prepared: PreparedCall) -> bool:
        """Whether somebody has opted out since a request was built: it is built anew then."""
        job, items = prepared.job, prepared.items
        if items is None or not self.opt_outs.is_outdated(job, prepared.token, items):
            return False
        with self._storage.write() as connection:
            call_table.refuse(connection, prepared.number)
        return True

    def _moment(self) -> tuple[float, float]:
        """The time by both clocks: the monotonic one stands still while the machine sleeps."""
        return self._clock(), self._wall()

    def finish(self, prepared: PreparedCall, seat: Seat, done: Done | None) -> None:
        """Write how a call ended, None for one that did not leave; waits for the database."""
        said: object = prepared.call if done is None else done.value
        sent: Sent | None = said if isinstance(said, Sent) else None
        if sent is None and done is not None:
            sent = read_sent(done, prepared.job.request)
        text = None if sent is None else as_text(sent, done.error if done else None)
        self._insist(prepared.number, seat, text)

    def perform(self, number: int) -> None:
        """Take the call with this number, make it, and write how it ended; raises BulkError."""
        prepared = self.prepare(number)
        if prepared is None or self.stopping.wait(self._pace.reserve()):
            return
        looked = self._moment()
        seat = None if self.is_outdated(prepared) else self.take(prepared)
        if seat is None:
            return
        done = None
        if isinstance(prepared.call, BatchCall) and self.may_leave(seat, looked):
            left = self._clock()
            done = _made(self._batch, prepared.call)
            self.sent += 1
            if isinstance(done.error, RateLimitError):
                self._pace.throttled(self._clock() - left)
        self.finish(prepared, seat, done)

    def close(self) -> None:
        """Stop taking part, once all calls have ended; raises BulkError."""
        self.stopping.set()
        self.over.set()
        with self._guard:
            seats, self._seats = self._seats, []
        for each in seats:
            self._strike(each)
        self.opt_outs.close()

    @property
    def number(self) -> int | None:
        """The number under which it takes part; None before it does."""
        return self._seats[-1].number if self._seats else None

    @property
    def running(self) -> int:
        """How many calls it is making."""
        return sum(len(each.running) for each in self._seats)

    def _prepared(self, job: Job, row: HandedCall) -> PreparedCall:
        """The request of a call, as its leader meant it."""
        journal = job.journal
        with sound(journal.name, row.chunk), journal.read() as connection:
            items, _ = journal.body(connection, row.chunk)
            request = {**job.request, **row.request}
            request = {name: value for name, value in request.items() if value is not None}
            timely = in_time(request, datetime.fromtimestamp(self._wall(), UTC))
            call = send_call(job.kind, timely, job.id, row.chunk, items, self._clock())
            return PreparedCall(row.id, job, row.token, call, items)

    def _sit_down(self) -> None:
        began = self._moment()
        with self._storage.write() as connection:
            time_ = self._around.time()
            number = worker_table.enrol(connection, self._name, self._slots, time_)
        session = self._session(number)
        session.take()
        with self._guard:
            self._seats.append(Seat(number, session, began))

    def _stand_up(self, seat: Seat) -> None:
        """Let a seat go whose session was lost, once none of its calls is running."""
        with self._storage.write() as connection:
            worker_table.retire(connection, seat.number)
        with self._guard:
            if seat.running:
                return
            self._seats.remove(seat)
        self._strike(seat)

    def _strike(self, seat: Seat) -> None:
        seat.session.release()
        with self._storage.write() as connection:
            worker_table.strike(connection, seat.number)

    def _leave(self, seat: Seat, number: int) -> None:
        with self._guard:
            seat.running.discard(number)

    def _insist(self, number: int, seat: Seat, text: str | None) -> None:
        """Write the result *text* of a call, None when it did not leave, as soon as that can be."""
        try:
            for attempt in count():
                try:
                    return self._write(number, seat.number, text)
                except DatabaseAwayError:
                    pause = backoff(attempt, _FIRST_PAUSE, _LONGEST_PAUSE)
                    if self.over.wait(pause):
                        _logger.warning("the result of a request is lost: it is looked up later")
                        return None
        finally:
            self._leave(seat, number)

    def _write(self, number: int, worker: int, text: str | None) -> None:
        with self._storage.write() as connection:
            if text is None:
                is_awaited = call_table.give_back(connection, number, worker)
            else:
                is_awaited = call_table.finish(connection, number, worker, text)
            if not is_awaited:
                call_table.drop(connection, number, worker)


def _made(batch: object, call: BatchCall) -> Done:
    try:
        return made(batch, call)
    except Exception as error:  # noqa: BLE001 (its request may have left)
        kind = type(error).__name__
        return Done(call, Doubtful(False, json.dumps({"line": f"the call failed with {kind}"})))
