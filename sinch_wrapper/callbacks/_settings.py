"""How a receiver works: limits, retries, and how long callbacks are kept; pure."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from sinch_wrapper import _validate
from sinch_wrapper.callbacks._signature import TOLERANCE, check_tolerance
from sinch_wrapper.errors import ConfigurationError


class ReceiverOptions(TypedDict, total=False):
    """Keywords of `receiver`; times are seconds.

    path: where callbacks are POSTed to, below the place where the app is mounted. [/]
    tolerance: between signing and receiving, in both directions; infinity switches it off. [300]
    now: the clock, a function that returns the Unix time. [time.time]
    max_body: bytes; a larger callback is refused with 413. [1 MiB]
    backlog: callbacks that may wait to be written; the next one is refused with 503. [1000]
    retry_after: what `Retry-After` says with a 503. [5]
    workers: callbacks handled at once. [8]
    attempts: how often handlers are tried before a callback becomes a dead letter. [8]
    backoff: before the second attempt; each further wait is twice as long, at most ten minutes. [1]
    keep: how long a callback stays stored once it is handled, and is recognised when it is
        repeated. [a week]
    grace: how long running handlers may go on when the receiver ends. [10]
    """

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
class ReceiverSettings:
    """The options of a receiver, each with its default; ReceiverOptions says what they mean.

    Raises: ConfigurationError that names the option.
    """

    path: str = "/"
    tolerance: float = TOLERANCE
    now: Callable[[], float] = time.time
    max_body: int = 1 << 20
    backlog: int = 1000
    retry_after: int = 5
    workers: int = 8
    attempts: int = 8
    backoff: float = 1.0
    keep: float = 7 * 86400.0
    grace: float = 10.0

    def __post_init__(self) -> None:
        error = ConfigurationError
        if not _validate.string("path", self.path, error=error).startswith("/"):
            raise ConfigurationError("path= must begin with /")
        check_tolerance(self.tolerance, error)
        _validate.function("now", self.now, error=error)
        for name in ("max_body", "backlog", "workers", "attempts"):
            _validate.whole(name, getattr(self, name), error=error)
        _validate.whole("retry_after", self.retry_after, 0, error=error)
        for name in ("backoff", "grace"):
            _validate.seconds(name, getattr(self, name), error=error)
        if self.keep != math.inf:
            _validate.seconds("keep", self.keep, error=error)
