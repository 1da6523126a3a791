"""What a receiver writes callbacks to: a store, and the follower of a job. Values and protocols."""

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol, runtime_checkable

from sinch_wrapper.callbacks._events import Event


def digest_of(event: Event) -> bytes:
    """What makes two callbacks the same one: their bodies.

    The nonce is not used: it names a delivery, and whether a repeated delivery has a new one is
    not documented.
    """
    return sha256(event.body).digest()


def place_of(error: BaseException) -> str:
    """The kind of *error* and the line that raised it; its text may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A callback (*event*) to store, the handlers *wanted*, when *received* (Unix seconds)."""

    event: Event
    received: float
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the handlers of a callback (*id*) ended, after *attempts*: *finished* ones are done.

    *due* is the Unix time (seconds) at which the others run again, None when none is left. With
    *error* there is no further attempt: the callback becomes a dead letter, *at* that Unix time.
    """

    id: int
    attempts: int
    finished: frozenset[str]
    due: float | None = None
    error: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A callback in the store (*id*, *event*), the handlers that *wanted* it, and *finished* ones.

    *attempts* were made. *received* is a Unix time, in seconds.
    """

    id: int
    event: Event
    received: float
    attempts: int
    wanted: frozenset[str]
    finished: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A callback (*id*, *event*) whose handlers failed too often, after *attempts*.

    *error* names the handlers, the kind of error and its place, never its text, which may hold
    personal data. *received* and *died* are Unix times, in seconds.
    """

    id: int
    event: Event = field(repr=False)
    received: float
    died: float
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many callbacks are *stored*, are *waiting* for their handlers, and are *dead* letters."""

    stored: int
    waiting: int
    dead: int


@runtime_checkable
class Store(Protocol):
    """Where a receiver keeps callbacks; safe for threads. Every method may raise CallbackError."""

    def commit(self, arrivals: Sequence[Arrival], verdicts: Sequence[Verdict]) -> None:
        """Write all *arrivals* and *verdicts* or nothing; on return it is durable.

        A callback that is stored already stays as it is.
        """

    def lead(self) -> bool:
        """Whether this process is the one that runs the handlers."""

    def waiting(self, now: float, limit: int) -> list[StoredEvent]:
        """At most *limit* callbacks due at *now* (Unix seconds), the longest due first."""

    def events(self) -> Iterator[Event]:
        """All callbacks in the order in which they came."""

    def counts(self) -> Counts:
        """How many callbacks there are, after a write that proves that writing works."""

    def dead(self, limit: int = 1000) -> list[DeadLetter]:
        """At most *limit* dead letters, the newest first."""

    def retry_dead(self, ids: Sequence[int] | None = None) -> int:
        """Let handlers run again: of the dead letters with these *ids*, or of all.

        Returns: how many dead letters there were.
        """

    def prune(self, before: float, limit: int = 1000) -> int:
        """Delete at most *limit* callbacks received *before* a Unix time.

        Those that wait or are dead letters stay. Returns: how many are deleted.
        """

    def close(self) -> None:
        """Close the store; a receiver does it when it ends."""


@runtime_checkable
class JobFollower(Protocol):
    """What learns of callbacks before a receiver confirms them.

    Such as `JournalFollower` and `OptOutFollower` of `sinch_wrapper.bulk`. Every method may raise
    SinchError.
    """

    @property
    def paths(self) -> Sequence[Path]:
        """Absolute paths of the files that are followed; may be empty."""

    def check(self) -> None:
        """Raise an error when one of the files is not what it should be."""

    def take(self, events: Sequence[Event], /) -> None:
        """Write down what *events* say; taking them twice changes nothing.

        The receiver calls it in its writing thread, and refuses the callbacks when it raises.
        """

    def close(self) -> None:
        """Close the files; `take` opens them again."""
