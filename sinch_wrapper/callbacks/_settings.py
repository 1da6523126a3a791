"""How a receiver works: limits, retries, what is kept; pure."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypedDict

from sinch_wrapper.callbacks._signature import TOLERANCE
from sinch_wrapper.errors import ConfigurationError

_LONGEST_DELAY: Final = 600.0


class ReceiverOptions(TypedDict, total=False):
    """Keywords of `receiver`; what each means stands at `Settings`."""

    path: str
    tolerance: float
    now: Callable[[], float]
    max_body: int
    backlog: int
    retry_after: int
    workers: int
    attempts: int
    backoff: float
    keep: float
    grace: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How a receiver works; times are seconds."""

    path: str = "/"
    """Where callbacks are POSTed to, below the place where the app is mounted."""
    tolerance: float = TOLERANCE
    """Between signing and receiving, in both directions."""
    now: Callable[[], float] = time.time
    """The Unix time."""
    max_body: int = 1 << 20
    """Bytes; a larger callback is answered with 413."""
    backlog: int = 1000
    """Callbacks that may wait to be written; the next one is answered with 503."""
    retry_after: int = 5
    """What `Retry-After` says with a 503."""
    workers: int = 8
    """Callbacks handled at once."""
    attempts: int = 8
    """How often handlers are tried before a callback becomes a dead letter."""
    backoff: float = 1.0
    """Before the second attempt; each further wait is twice as long, at most ten minutes."""
    keep: float = 7 * 86400.0
    """How long a callback stays stored once it is handled: so long a repetition is known."""
    grace: float = 10.0
    """How long handlers that run may go on when the receiver ends."""

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ConfigurationError("the receiver's path must begin with /")
        for name in ("max_body", "backlog", "workers", "attempts"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"the receiver's {name} must be 1 or more")


def backoff_delay(attempts: int, first: float, jitter: float) -> float:
    """Seconds to wait after so many failed *attempts*; *jitter* from 0 to 1 takes up to half off.

    Handlers that failed together, because something else was down, shall not come back together.
    """
    full = min(first * 2.0 ** min(attempts - 1, 30), _LONGEST_DELAY)
    return full * (1 - jitter / 2)
