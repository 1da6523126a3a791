"""The time of a sandbox: it runs like the machine's or stands still, and can be moved forward."""

import asyncio
import math
import threading
import time
from collections.abc import Callable

from sinch_wrapper.sandbox._arguments import check_flag, check_number, check_real, wrong_kind

# The last year that all of datetime can handle, less one for what is scheduled then.
LAST_START = 253370764800.0


# Seconds; no clock of a machine stands still for as long.
_STALL = 0.1


class MachineTime:
    """The machine's Unix time, which goes on while a test has stopped it for its own code.

    Libraries that freeze the time leave `perf_counter` alone; with the time standing still,
    queues and back-offs would never come to their end.
    """

    # Held from the start, because such a library may replace them in their module.
    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._wall = wall
        self._ticks = ticks
        self._last = 0.0
        self._stalled_at: float | None = None

    def __call__(self) -> float:
        """Return the time."""
        now = self._wall()
        if now != self._last:
            self._last, self._stalled_at = now, None
            return now
        ticks = self._ticks()
        if self._stalled_at is None:
            self._stalled_at = ticks
        stalled = ticks - self._stalled_at
        return now + stalled if stalled > _STALL else now


class Clock:
    """Unix time in seconds, with sleepers that wake when it passes their time.

    All methods may be called from any thread.

    Args:
        start: the time at which it starts, as Unix time; the time of *source* when None.
        frozen: whether it stands still and moves by `advance` alone.
        source: gives the Unix time in seconds, by which it runs.

    Raises: TypeError or ValueError for an option of another kind.
    """

    def __init__(
        self,
        start: float | None = None,
        *,
        frozen: bool = False,
        source: Callable[[], float] = MachineTime(),  # noqa: B008 (one for all; it keeps no time)
    ) -> None:
        if start is not None:
            check_number("start", start, 0, LAST_START)
        check_flag("frozen", frozen)
        if not callable(source):
            raise wrong_kind("source", "a function that returns Unix time", source)
        self._source = source
        self._lock = threading.Lock()
        begin = source() if start is None else start
        self._offset = 0.0 if start is None else start - source()
        self._stopped_at = begin if frozen else None
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = set()

    def __call__(self) -> float:
        """Return the time."""
        stopped = self._stopped_at
        return self._source() + self._offset if stopped is None else stopped

    @property
    def frozen(self) -> bool:
        """Whether the time stands still."""
        return self._stopped_at is not None

    @property
    def waiting(self) -> int:
        """How many sleepers wait for a time to come."""
        return len(self._waiters)

    def advance(self, seconds: float) -> None:
        """Move the time forward; schedules, expiries and back-offs that fall due happen now.

        Raises: ValueError when *seconds* is negative, because going back would undo nothing, or
        when it is infinite or leads beyond the year 9998; TypeError when it is not a number.
        """
        check_real("seconds", seconds, "a number of seconds")
        if not 0 <= seconds < math.inf:
            raise ValueError(
                "the clock only moves forward: seconds= must be a finite number, 0 or more"
            )
        if seconds > LAST_START - self():
            raise ValueError("the clock ends with the year 9998: seconds= is too large")
        with self._lock:
            if self._stopped_at is None:
                self._offset += seconds
            else:
                self._stopped_at += seconds
        self._wake()

    def freeze(self) -> None:
        """Stop the time where it is."""
        with self._lock:
            self._stopped_at = self()
        self._wake()

    def run(self) -> None:
        """Let the time run again, from where it stopped."""
        with self._lock:
            if self._stopped_at is not None:
                self._offset = self._stopped_at - self._source()
                self._stopped_at = None
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Return when *seconds* have passed on this clock."""
        check_real("seconds", seconds, "a number of seconds")
        await self.sleep_until(self() + seconds)

    async def sleep_until(self, due: float) -> None:
        """Return when this clock has reached *due*, a Unix time in seconds."""
        check_real("due", due, "a Unix time in seconds")
        while due > self():
            await self._pause(asyncio.get_running_loop(), due)

    async def _pause(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        waiter: asyncio.Future[None] = loop.create_future()
        entry = (loop, waiter)
        with self._lock:
            # Checked again under the lock: a clock that was moved in the meantime wakes nobody.
            if (left := due - self()) <= 0:
                return
            self._waiters.add(entry)
            timer = None if self.frozen else loop.call_later(left, _finish, waiter)
        try:
            await waiter
        finally:
            with self._lock:
                self._waiters.discard(entry)
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        with self._lock:
            waiting, self._waiters = self._waiters, set()
        for loop, waiter in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_finish, waiter)


def _finish(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
