"""How a receiver works: limits, retries, and how long callbacks are kept; pure."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

from sinch_wrapper import _validate
from sinch_wrapper.callbacks._signature import TOLERANCE, Window, check_tolerance
from sinch_wrapper.errors import ConfigurationError


class ReceiverOptions(TypedDict, total=False):
    """Keywords of `receiver`; times are seconds.

    path: where callbacks are POSTed to, below the place where the app is mounted. [/]
    tolerance: between signing and receiving, in both directions; infinity switches it off. [300
        for a clock of the sender that is ahead of ours. Back in time, *keep* less 300: a repeated
        callback may have its first timestamp, and for that long the store recognises it. A store
        in memory forgets, and has 300.]
    now: the clock, a function that returns the Unix time. [time.time]
    max_body: bytes; a larger callback is refused with 413. [1 MiB]
    max_incoming: bytes; beyond it, of the bodies that are being received the largest is refused
        with 408; *max_body* at least. [16 MiB]
    receive_timeout: for a body to arrive; 408 after it. Headers are the server's to limit. [10]
    backlog: callbacks that may wait to be written; the next one is refused with 503. [1000]
    retry_after: what `Retry-After` says with a 503. [5]
    workers: callbacks handled at once. [8]
    attempts: how often handlers are tried before a callback becomes a dead letter. [8]
    backoff: before the second attempt; each further wait is twice as long, at most ten minutes. [1]
    keep: how long a callback stays stored once it is handled, and is recognised when it is
        repeated. [a week]
    grace: how long running handlers may go on when the receiver ends. [10]
    health_token: GET /health shows the numbers to requests with `Authorization: Bearer` and this.
        [None: to requests that were made on this machine and not passed on by a proxy]
    """

    path: str
    tolerance: float | None
    now: Callable[[], float]
    max_body: int
    max_incoming: int
    receive_timeout: float
    backlog: int
    retry_after: int
    workers: int
    attempts: int
    backoff: float
    keep: float
    grace: float
    health_token: str | None


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """The options of a receiver, each with its default; ReceiverOptions says what they mean.

    Raises: ConfigurationError that names the option.
    """

    path: str = "/"
    tolerance: float | None = None
    now: Callable[[], float] = time.time
    max_body: int = 1 << 20
    max_incoming: int = 1 << 24
    receive_timeout: float = 10.0
    backlog: int = 1000
    retry_after: int = 5
    workers: int = 8
    attempts: int = 8
    backoff: float = 1.0
    keep: float = 7 * 86400.0
    grace: float = 10.0
    health_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        error = ConfigurationError
        if not _validate.string("path", self.path, error=error).startswith("/"):
            raise ConfigurationError("path= must begin with /")
        if self.tolerance is not None:
            check_tolerance(self.tolerance, error)
        _validate.function("now", self.now, error=error)
        for name in ("max_body", "max_incoming", "backlog", "workers", "attempts"):
            _validate.whole(name, getattr(self, name), error=error)
        _validate.whole("retry_after", self.retry_after, 0, error=error)
        for name in ("backoff", "grace"):
            _validate.seconds(name, getattr(self, name), error=error)
        _validate.seconds("receive_timeout", self.receive_timeout, above=True, error=error)
        if self.keep != math.inf:
            _validate.seconds("keep", self.keep, error=error)
        if self.health_token is not None:
            _validate.string("health_token", self.health_token, error=error)

    def window(self, *, is_lasting: bool) -> Window:
        """How old a callback may be, with a store that *is_lasting*, or one in memory."""
        if self.tolerance is not None:
            return Window(self.tolerance, self.tolerance)
        # A repetition must not be older than what the store recognises, by any of the clocks.
        behind = max(TOLERANCE, self.keep - TOLERANCE) if is_lasting else TOLERANCE
        return Window(behind, TOLERANCE)
