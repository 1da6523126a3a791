"""The dispatcher: runs the handlers of stored callbacks until all have worked."""

import asyncio
import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final, TypeAlias, TypeVar

from sinch_conversation_api.callbacks import TRIGGERS

from sinch_wrapper import _validate
from sinch_wrapper._backoff import backoff
from sinch_wrapper.callbacks._events import Event
from sinch_wrapper.callbacks._records import Store, StoredEvent, Verdict, place_of
from sinch_wrapper.callbacks._settings import ReceiverSettings
from sinch_wrapper.errors import CallbackError, ConfigurationError

EventHandler: TypeAlias = Callable[[Event], Awaitable[None]] | Callable[[Event], None]

HandlerT = TypeVar("HandlerT", bound=EventHandler)

_LOG: Final = logging.getLogger(__name__)
_TICK: Final = 1.0
_PRUNE_EVERY: Final = 3600.0
# Callbacks read ahead, per worker.
_AHEAD: Final = 8
_LONGEST_DELAY: Final = 600.0


class Handler:
    """A function, the payload keys it wants (None for all), and its name in the store."""

    def __init__(self, function: EventHandler, kinds: frozenset[str] | None, name: str) -> None:
        self.name = name or _name(function)
        self._function = function
        self._kinds = kinds
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (it is looked at, not called)
        )

    def wants(self, kind: str) -> bool:
        """Whether this handler wants callbacks of this *kind*."""
        return self._kinds is None or kind in self._kinds

    async def run(self, event: Event, pool: Executor) -> None:
        """Run the function; a plain one runs in a thread of *pool*, so it may block."""
        if self._is_async:
            outcome: object = self._function(event)
        else:
            outcome = await asyncio.get_running_loop().run_in_executor(pool, self._function, event)
        if inspect.isawaitable(outcome):
            await outcome


class Handlers:
    """All handlers of a receiver."""

    def __init__(self) -> None:
        self._all: list[Handler] = []

    def add(self, function: HandlerT, kinds: frozenset[str] | None, name: str) -> HandlerT:
        """Register *function* for these payload *kinds*, for all when None.

        Raises: ConfigurationError for a second function of one name, because the store remembers
            by name which handlers have worked; TypeError when *function* cannot be called.
        """
        handler = Handler(_validate.function("handler", function), kinds, name)
        if any(each.name == handler.name for each in self._all):
            raise ConfigurationError(
                f"a callback handler named {handler.name} already exists: give one of them a name="
            )
        self._all.append(handler)
        return function

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._all)

    def wanting(self, kind: str) -> tuple[str, ...]:
        """The names of the handlers that want callbacks of this *kind*."""
        return tuple(each.name for each in self._all if each.wants(kind))


def _name(function: EventHandler) -> str:
    # Objects and partial functions are named by their class.
    kind = type(function)
    module = getattr(function, "__module__", None) or kind.__module__
    return f"{module}.{getattr(function, '__qualname__', kind.__qualname__)}"


def kinds_of(wanted: tuple[str, ...]) -> frozenset[str] | None:
    """The payload keys of the triggers or payload keys *wanted*; None for all kinds.

    Raises: ConfigurationError for an unknown trigger.
    """
    return frozenset(map(_kind, wanted)) if wanted else None


def _kind(name: str) -> str:
    for kind, trigger in TRIGGERS.items():
        if name in (kind, trigger):
            return kind
    # A payload key that the document does not have yet looks like those it has.
    if isinstance(name, str) and name.islower():
        return name
    raise ConfigurationError(
        f"unknown trigger {name!r}: choose from {', '.join(sorted(TRIGGERS.values()))}"
    )


def retry_delay(attempts: int, first: float, jitter: float) -> float:
    """Seconds to wait after *attempts* failed; *jitter* from 0 to 1 takes up to half off.

    Handlers that failed together, because a service was down, should not all return together.
    """
    return backoff(attempts - 1, first, _LONGEST_DELAY) * (1 - jitter / 2)


class Dispatcher:
    """Runs the handlers of callbacks that wait in *store*, a few at a time.

    Of several processes that share a store one runs the handlers, and another one when that ends.
    *put_verdict* writes how they ended. Callbacks that other processes stored, and those that have
    become due, are found within a second.
    """

    def __init__(
        self,
        store: Store,
        handlers: Handlers,
        settings: ReceiverSettings,
        put_verdict: Callable[[Verdict], Awaitable[None]],
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._settings = settings
        self._put_verdict = put_verdict
        self._pool = ThreadPoolExecutor(settings.workers, "sinch-handler")
        self._slots = asyncio.Semaphore(settings.workers)
        self._awake = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._ended: set[int] = set()
        self._pruned = float("-inf")
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look for callbacks that are due, at once."""
        self._awake.set()

    async def aclose(self, grace: float) -> None:
        """Start nothing more; what runs has *grace* seconds, the rest runs after the next start."""
        self._task.cancel()
        await asyncio.wait([self._task])
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            try:
                more = await self._round()
            except CallbackError as error:
                _LOG.error("callbacks wait: %s", error)
                more = False
            except Exception as error:  # noqa: BLE001 (a store of the caller may raise anything)
                _LOG.error("callbacks wait: %s", place_of(error))
                more = False
            if not more:
                try:
                    # Not wait_for: in Python 3.11 it may lose a cancellation.
                    async with asyncio.timeout(_TICK):
                        await self._awake.wait()
                except TimeoutError:
                    continue

    async def _round(self) -> bool:
        """Start what is due; returns whether more may be due."""
        unix_now = self._settings.now()
        if unix_now - self._pruned >= _PRUNE_EVERY:
            await self._prune(unix_now)
        # A process without handlers must not lead: one that has some could not run them.
        if not any(self._handlers) or not await asyncio.to_thread(self._store.lead):
            return False
        most = self._settings.workers * _AHEAD
        if len(self._running) > most // 2:
            return False
        # A callback that ends while the store is read may look as if it still waited.
        self._ended.clear()
        found = await asyncio.to_thread(self._store.waiting, unix_now, most)
        busy = self._ended | self._running.keys()
        fresh = [each for each in found if each.id not in busy]
        for stored in fresh:
            self._running[stored.id] = asyncio.create_task(self._handle(stored))
        return bool(fresh)

    async def _prune(self, unix_now: float) -> None:
        # A little at a time: callbacks that arrive meanwhile must be written as well.
        before = unix_now - self._settings.keep
        more = True
        while more:
            more = await asyncio.to_thread(self._store.prune, before) > 0
        self._pruned = unix_now

    async def _handle(self, stored: StoredEvent) -> None:
        try:
            async with self._slots:
                verdict = await self._judge(stored)
            await self._write(verdict)
        finally:
            self._ended.add(stored.id)
            del self._running[stored.id]
            if len(self._running) <= self._settings.workers * _AHEAD // 2:
                self._awake.set()

    async def _judge(self, stored: StoredEvent) -> Verdict:
        left = set(stored.wanted - stored.finished)
        errors: dict[str, str] = {}
        for handler in self._handlers:
            if handler.name not in left:
                continue
            left.remove(handler.name)
            try:
                await handler.run(stored.event, self._pool)
            except asyncio.CancelledError as error:
                if (task := asyncio.current_task()) is None or task.cancelling():
                    raise
                # Not this task is cancelled, but what the handler was waiting for.
                errors[handler.name] = place_of(error)
            except Exception as error:  # noqa: BLE001 (whatever a handler raises, it is tried again)
                errors[handler.name] = place_of(error)
        # Renamed, or of another program that uses the same store: reported, not dropped.
        errors |= dict.fromkeys(sorted(left), "no handler of this name is registered")
        finished = stored.wanted - errors.keys()
        if not errors:
            return Verdict(stored.id, stored.attempts + 1, finished)
        reasons = "; ".join(f"{name}: {reason}" for name, reason in errors.items())
        return self._failed(stored, finished, reasons)

    def _failed(self, stored: StoredEvent, finished: frozenset[str], error: str) -> Verdict:
        attempts, unix_now = stored.attempts + 1, self._settings.now()
        if attempts >= self._settings.attempts:
            _LOG.error("callback %d is dead after %d attempts: %s", stored.id, attempts, error)
            return Verdict(stored.id, attempts, finished, error=error, at=unix_now)
        jitter = random.random()  # noqa: S311 (spreads retries, guards nothing)
        delay = retry_delay(attempts, self._settings.backoff, jitter)
        _LOG.warning("callback %d failed, again in %.1f s: %s", stored.id, delay, error)
        return Verdict(stored.id, attempts, finished, due=unix_now + delay)

    async def _write(self, verdict: Verdict) -> None:
        # Until the verdict is written the handlers would run again and again.
        while True:
            try:
                await self._put_verdict(verdict)
            except CallbackError:
                await asyncio.sleep(_TICK)
            else:
                return
