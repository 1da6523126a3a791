"""The rate that all processes of a project share: one row of a database, booked in blocks of slots.

A slot is a moment by the clock of the database. The decisions are those of the RateLimiter of one
process; here is what a block needs beside them.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sinch_wrapper import RateLimiter, RateLimits
from sinch_wrapper._giving_up import waiting
from sinch_wrapper.cluster import _rate_table as rate_table
from sinch_wrapper.cluster._call_table import Clock
from sinch_wrapper.cluster._worker import SharedStorage
from sinch_wrapper.errors import APIConnectionError, BulkError

_logger: Final = logging.getLogger("sinch_wrapper")
# Seconds of the full rate that a block has at most, and after which a slot is not used any more:
# too many late ones would come in one second with others.
_BLOCK: Final = 0.05
_LATE: Final = 0.01
# For how many seconds before its slot a request gets ready.
_LEAD: Final = 0.1
# Beyond it a slow database is not made up for, in seconds.
_LONGEST_AHEAD: Final = 1.0


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """By how many *seconds* the clock of a database is ahead of a local one, at least.

    With that its moments are never too early, and too late by the fastest response at most.
    """

    seconds: float | None = None

    def seen(self, sent: float, received: float, database: float) -> "ClockOffset":
        """The offset when *database* was read between *sent* and *received*, of the local clock."""
        least = database - received
        # Beyond the most that it can be, one of the clocks was set.
        is_set = self.seconds is None or self.seconds > database - sent
        return ClockOffset(least if is_set else max(least, self.seconds or 0.0))

    def local(self, moment: float) -> float:
        """A moment of the database on the local clock."""
        return moment - (self.seconds or 0.0)


def block_size(last: int, idle: float, most: int) -> int:
    """How many slots to book, after a block of *last* whose last slot was *idle* seconds ago.

    Who uses all of his slots books twice as many, until all who do so book the same.
    """
    return max(1, min(most, 2 * last if idle < _BLOCK else 1))


def sleep(seconds: float) -> None:
    """Wait for a slot.

    Raises: APIConnectionError, with the outcome "not_sent", when nobody waits any more.
    """
    group = waiting()
    if group is None:
        time.sleep(seconds)
    elif group.pause(seconds):
        raise APIConnectionError("nothing was sent: the wait for a slot was ended", "not_sent", 0)


class SharedRateLimiter(RateLimiter):
    """Applies the rate of *project*, in the database *storage*, over all processes.

    *limits* sets the rate for all of them, who then have the last word that was said; without it
    the project keeps its rate. Of each block of slots one process books, all its threads take the
    next one. *time* is the clock of the database, as an expression; *clock* gives seconds.

    Raises: BulkError when the database cannot be reached.
    """

    blocks = True

    def __init__(  # noqa: PLR0913 (keyword-only, but for its place)
        self,
        storage: SharedStorage,
        project: str,
        limits: RateLimits | None = None,
        *,
        time: Callable[[], Clock],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        super().__init__(limits, clock)
        self._storage = storage
        self._project = project
        self._time = time
        self._sleep = sleep
        self._offset = ClockOffset()
        self._most = 1
        self._size = 0
        self._took = 0.0
        self._last = 0.0
        self._slots: deque[float] = deque()
        self._own = threading.local()
        with storage.write() as connection:
            rate_table.set_limits(connection, project, limits)

    def after_fork(self) -> None:
        """Drop the slots, which are the parent's."""
        super().after_fork()
        self._slots = deque()
        self._own = threading.local()

    def reserve(self) -> float:
        """Take the next free slot and sleep until then, so that it is not used late; returns 0.

        Raises: APIConnectionError, with the outcome "not_sent", when the database is away.
        """
        slot, self._own.slot = getattr(self._own, "slot", None), None
        while slot is None or not self._sleeps_until(slot):
            try:
                slot = self._next()
            except BulkError as error:
                message = f"nothing was sent, because the shared rate is not known: {error}"
                raise APIConnectionError(message, "not_sent", 0) from error
        return 0.0

    def _sleeps_until(self, slot: float) -> bool:
        """Sleep until *slot*; whether it is not too late then."""
        wait = slot - self._clock()
        if wait > 0:
            self._sleep(wait)
        return self._clock() <= slot + _LATE

    def book_ahead(self) -> float:
        """Take a slot for the next request of this thread, which gets ready a moment before it.

        Returns: seconds to sleep before getting ready, >= 0. The request then waits for its slot.
        Raises: BulkError when the database is away.
        """
        self._own.slot = slot = self._next()
        return max(0.0, slot - _LEAD - self._clock())

    def throttled(self, ago: float) -> None:
        """Lower the rate for all after a 429 for a request sent *ago* seconds ago."""
        sent = self._clock() - ago
        with self._guard:
            offset = self._offset.seconds or 0.0
            known = self._bucket
            if known.throttled(self._clock() + offset, sent + offset) == known:
                return
            # They are at the old pace.
            self._slots.clear()
            try:
                self._turn(0, sent)
            except BulkError:
                _logger.warning("a 429 is not known to other processes: the database is away")

    @property
    def requests_per_second(self) -> float:
        """The rate of the project, as it was when this process last booked."""
        return self._bucket.rate.rate(self._clock() + (self._offset.seconds or 0.0))

    def _next(self) -> float:
        """The next slot, in seconds of the local clock; raises BulkError."""
        with self._guard:
            while True:
                now = self._clock()
                while self._slots:
                    slot = self._slots.popleft()
                    if now <= slot + _LATE:
                        return slot
                self._size = block_size(self._size, now - self._last, self._most)
                self._turn(self._size)
                self._took = min(_LONGEST_AHEAD, self._clock() - now)

    def _turn(self, many: int, throttled: float | None = None) -> None:
        """Book *many* slots, and lower the rate when a request of *throttled* got a 429."""
        with self._storage.write() as connection:
            sent = self._clock()
            bucket, now = rate_table.turn(connection, self._project, many, self._time())
            offset = self._offset.seen(sent, self._clock(), now)
            if throttled is not None:
                bucket = bucket.throttled(now, throttled + (offset.seconds or 0.0))
            # What the last block took, the next one will take: its slots begin after it.
            begin = now + (self._took if many else 0.0)
            bucket, waits = bucket.book(begin, many)
            rate_table.keep(connection, self._project, bucket)
        self._bucket, self._offset = bucket, offset
        self._most = int(_BLOCK * bucket.rate.full)
        self._slots.extend(offset.local(begin + wait) for wait in waits)
        if self._slots:
            self._last = self._slots[-1]


class WorkerPace:
    """The pace of a worker whose client has *limiter*: it books before it takes a call."""

    def __init__(self, limiter: SharedRateLimiter) -> None:
        self._limiter = limiter

    def reserve(self) -> float:
        """Book the slot of the next request of this thread; raises BulkError."""
        return self._limiter.book_ahead()

    def throttled(self, ago: float) -> None:
        """Do nothing: the client has told its limiter."""
