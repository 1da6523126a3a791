"""The time of a sandbox: it runs with the machine's or stands still, and can be moved forward."""

import asyncio
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Coroutine

# The last year that all of datetime can handle, less one for what is scheduled then.
_END = 253370764800.0


class Clock:
    """Unix time in seconds, with sleepers that wake when it passes their time.

    It starts at *start* (now, when None). A *frozen* clock moves by `advance` alone. All methods
    may be called from any thread.
    """

    def __init__(
        self,
        start: float | None = None,
        *,
        frozen: bool = False,
        source: Callable[[], float] = time.time,
    ) -> None:
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

        Raises: ValueError when *seconds* is negative, for nothing here can be undone by going
        back, or leads beyond the year 9998.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("the clock moves forward only: give seconds of 0 or more")
        if self() + seconds > _END:
            raise ValueError("the clock ends with the year 9998: give fewer seconds")
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
        """Let the time run again, from where it stands."""
        with self._lock:
            if self._stopped_at is not None:
                self._offset = self._stopped_at - self._source()
                self._stopped_at = None
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Return when *seconds* have passed on this clock."""
        await self.sleep_until(self() + seconds)

    async def sleep_until(self, due: float) -> None:
        """Return when this clock has reached *due*."""
        while due > self():
            await self._pause(asyncio.get_running_loop(), due)

    async def _pause(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        waiter: asyncio.Future[None] = loop.create_future()
        entry = (loop, waiter)
        with self._lock:
            # Looked at again under the lock: a clock moved meanwhile would wake nobody.
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


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_ULID = re.compile(f"[{_ALPHABET}]{{26}}")


def is_ulid(text: str) -> bool:
    """Say whether *text* has the form of a ULID: 26 characters of Crockford's base 32."""
    return _ULID.fullmatch(text) is not None


class Ulids:
    """A source of ULIDs: 48 bits of milliseconds, then 80 bits that start at random and count up.

    Each identifier is greater than the one before, so that sorting by id is sorting by creation.
    """

    def __init__(self, clock: Callable[[], float], rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._last = 0

    def __call__(self) -> str:
        """Return the next identifier."""
        moment = int(self._clock() * 1000) << _RANDOM_BITS
        fresh = moment | self._rng.getrandbits(_RANDOM_BITS - 1)
        self._last = fresh if fresh >> _RANDOM_BITS > self._last >> _RANDOM_BITS else self._last + 1
        return "".join(_ALPHABET[self._last >> shift & 31] for shift in range(125, -1, -5))


_log = logging.getLogger("sinch_wrapper.sandbox")


class Background:
    """The running tasks of one sandbox; a failing one is logged, and closing ends them all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None]":
        """Start *work* on the running event loop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def aclose(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a background task of the sandbox failed", exc_info=error)
