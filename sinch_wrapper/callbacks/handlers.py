"""Handlers: which function wants which callbacks, and running one of them."""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeAlias, TypeVar

from sinch_wrapper.callbacks.events import Event
from sinch_wrapper.callbacks.triggers import TRIGGERS
from sinch_wrapper.errors import ConfigurationError

__all__ = ["EventHandler", "Handler", "Handlers", "place_of"]

EventHandler: TypeAlias = Callable[[Event], Awaitable[None]] | Callable[[Event], None]

F = TypeVar("F", bound=EventHandler)


class Handler:
    """One function; *kinds* are the payload keys it wants, None for all."""

    def __init__(self, function: EventHandler, kinds: frozenset[str] | None, name: str) -> None:
        self.name = name or _name(function)
        self._function = function
        self._kinds = kinds
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (it is looked at, not called)
        )

    def wants(self, kind: str) -> bool:
        """Whether callbacks of this *kind* are for it."""
        return self._kinds is None or kind in self._kinds

    async def run(self, event: Event, pool: Executor) -> None:
        """Run it; a plain function runs in a thread of *pool*, so it may block."""
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

    def add(self, function: F, wanted: tuple[str, ...], name: str) -> F:
        """Register *function* for the triggers or payload keys *wanted*, for all without any.

        Raises: ConfigurationError for an unknown trigger, or a second function of this name: by
        it the store remembers who has worked.
        """
        handler = Handler(function, frozenset(map(_kind, wanted)) if wanted else None, name)
        if any(each.name == handler.name for each in self._all):
            raise ConfigurationError(
                f"there is a callback handler {handler.name} already: give one of them a name="
            )
        self._all.append(handler)
        return function

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._all)

    def wanting(self, kind: str) -> tuple[str, ...]:
        """The names of those that want callbacks of this *kind*."""
        return tuple(each.name for each in self._all if each.wants(kind))


def _name(function: EventHandler) -> str:
    # Objects and partial functions have the name of their class.
    kind = type(function)
    module = getattr(function, "__module__", None) or kind.__module__
    return f"{module}.{getattr(function, '__qualname__', kind.__qualname__)}"


def _kind(name: str) -> str:
    for kind, trigger in TRIGGERS.items():
        if name in (kind, trigger):
            return kind
    # A payload key of the future looks like those of today.
    if isinstance(name, str) and name.islower():
        return name
    raise ConfigurationError(
        f"no trigger is called {name!r}: choose from {', '.join(sorted(TRIGGERS.values()))}"
    )


def place_of(error: BaseException) -> str:
    """The kind of *error* and the line that raised it; its text may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
