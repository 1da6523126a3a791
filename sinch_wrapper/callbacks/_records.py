"""What a store of callbacks takes and gives; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from sinch_wrapper.callbacks._events import Event


def digest_of(event: Event) -> bytes:
    """What makes two callbacks the same one: their bodies.

    Not the nonce: it names a delivery, and whether a repetition has a new one is not documented.
    """
    return sha256(event.body).digest()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A callback to be stored, and the names of the handlers that want it; a Unix time."""

    event: Event
    received: float
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a stored callback: *finished* handlers need not run again.

    *due* is when the others do, None when none is left. With *error* there will be no other
    attempt: the callback becomes a dead letter.
    """

    id: int
    attempts: int
    finished: frozenset[str]
    due: float | None = None
    error: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A callback in the store: the handlers that want it, and those that have worked."""

    id: int
    event: Event
    received: float
    attempts: int
    wanted: frozenset[str]
    finished: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A callback whose handlers failed too often.

    *error* names the handlers, the kind of error and its place, never its text, which may hold
    personal data. *died* is a Unix time.
    """

    id: int
    event: Event = field(repr=False)
    received: float
    died: float
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many callbacks are stored, wait for their handlers, and are dead letters."""

    stored: int
    waiting: int
    dead: int


class Store(Protocol):
    """Where a receiver keeps callbacks; safe for threads. Every method may raise CallbackError."""

    def commit(self, arrivals: Sequence[Arrival], verdicts: Sequence[Verdict]) -> None:
        """Write all of it or nothing; on return it is durable.

        A callback that is stored already stays as it is.
        """

    def lead(self) -> bool:
        """Whether this process is the one that runs the handlers."""

    def waiting(self, now: float, limit: int) -> list[StoredEvent]:
        """Callbacks that are due, the longest due first."""

    def events(self) -> Iterator[Event]:
        """All callbacks in the order in which they came."""

    def counts(self) -> Counts:
        """Count, after a write that proves that the store can be written."""

    def dead(self, limit: int = 1000) -> list[DeadLetter]:
        """Dead letters, the newest first."""

    def retry_dead(self, ids: Sequence[int] | None = None) -> int:
        """Let the handlers of dead letters run again, all when *ids* is None; says how many."""

    def prune(self, before: float, limit: int = 1000) -> int:
        """Forget callbacks received *before*, unless they wait or are dead; says how many."""

    def close(self) -> None:
        """Close it."""
