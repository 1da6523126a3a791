"""How fast requests may leave: slots are booked, not polled for, so nobody starves."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._limits.pace import Pace
from sinch_wrapper._numbers import is_number, is_whole
from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    from sinch_wrapper._limits.slots import Slots

__all__ = ["TOKEN_LIMITS", "Limiter", "RateLimiter", "RateLimits", "Unlimited"]


# One request in 1000 s; slots are booked in whole microseconds within such an interval.
_SLOWEST: Final = 0.001


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests per second of the project, and how many may leave at once after idling.

    Keep their sum at or below the project's quota: a window of one second can hold both.

    Raises: ConfigurationError for values out of range.
    Source: 800 requests per second and project (overview of the Conversation API).
    """

    requests_per_second: float = 780.0
    burst: int = 8

    def __post_init__(self) -> None:
        rate = self.requests_per_second
        if not (is_number(rate) and _SLOWEST <= rate < math.inf):
            message = "RateLimits.requests_per_second must be a number, 0.001 or more"
        elif not is_whole(self.burst) or self.burst < 1:
            message = "RateLimits.burst must be a whole number, 1 or more"
        else:
            return
        raise ConfigurationError(message)


# Of the token endpoint, which has a quota of its own.
TOKEN_LIMITS: Final = RateLimits(requests_per_second=10.0, burst=30)


class Limiter(Protocol):
    """What paces requests: it books a slot, says how long to wait for it, and hears of 429s."""

    def reserve(self) -> float:
        """Book the next free slot; returns the seconds to sleep before sending, >= 0."""
        ...

    def throttled(self, ago: float) -> None:
        """Hear that a request that left *ago* seconds ago was answered 429."""
        ...


class Unlimited:
    """The limiter that never waits."""

    def reserve(self) -> float:
        """Return 0."""
        return 0.0

    def throttled(self, ago: float) -> None:
        """Do nothing."""


class RateLimiter:
    """Applies RateLimits; give one to several clients, and they share them.

    It may be shared by threads, event loops, Sinch and AsyncSinch, within one process. Requests
    get slots 1 / requests_per_second apart, in the order of asking, *burst* of them free after
    idling; each sleeps until its slot, so nobody starves, and who gives up waiting costs one
    slot. A 429 lowers the rate for all at once, by more when 429s go on; each second after gives a
    twentieth back. A forked child counts for itself.

    *clock* gives seconds and never goes back.
    """

    def __init__(
        self, limits: RateLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = RateLimits() if limits is None else limits
        if not isinstance(self._limits, RateLimits):
            message = "RateLimiter takes RateLimits, such as RateLimits(requests_per_second=400)"
            raise ConfigurationError(message)
        self._pace = Pace(self._limits.requests_per_second)
        self._clock = clock
        self._slots: Slots | None = None
        self._guard = threading.Lock()
        renew_after_fork(self)

    def __reduce__(self) -> NoReturn:
        message = "a RateLimiter cannot be pickled or copied: it counts for one process"
        raise TypeError(message)

    def __repr__(self) -> str:
        return f"<RateLimiter {self.requests_per_second:g} of {self._pace.full:g} per second>"

    @property
    def requests_per_second(self) -> float:
        """The rate now: below that of the limits for a while after a 429."""
        return self._pace.rate(self._clock())

    def after_fork(self) -> None:
        """Forget the bookings, whose lock another thread may have held."""
        self._slots = None
        self._guard = threading.Lock()

    def _open(self) -> "Slots":
        from sinch_wrapper._limits.slots import Slots

        with self._guard:
            if self._slots is None:
                self._slots = Slots(self._limits.burst)
            return self._slots

    def reserve(self) -> float:
        """Book the next free slot and say how long to wait for it.

        Returns: seconds to sleep before sending, >= 0, in whole milliseconds.
        """
        slots, now = self._slots or self._open(), self._clock()
        return slots.book(int(now * 1000), self._pace.rate(now)) / 1000

    def throttled(self, ago: float) -> None:
        """Lower the rate, for a request that left *ago* seconds ago was answered 429."""
        now = self._clock()
        with self._guard:
            self._pace = self._pace.throttled(now, now - ago)
