"""How fast requests may leave: slots are booked, not polled for, so nobody starves."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    from sinch_wrapper._slots import Slots

__all__ = ["TOKEN_LIMITS", "Limiter", "RateLimits", "SlotLimiter", "Unlimited"]


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
        if not (math.isfinite(self.requests_per_second) and self.requests_per_second >= _SLOWEST):
            message = "RateLimits.requests_per_second must be 0.001 or more"
        elif self.burst < 1:
            message = "RateLimits.burst must be 1 or more"
        else:
            return
        raise ConfigurationError(message)


# Of the token endpoint, which has a quota of its own.
TOKEN_LIMITS: Final = RateLimits(requests_per_second=10.0, burst=30)


class Limiter(Protocol):
    """What paces requests: it books a slot and says how long to wait for it."""

    def reserve(self) -> float:
        """Book the next free slot; returns the seconds to sleep before sending, >= 0."""
        ...


class Unlimited:
    """The limiter that never waits."""

    def reserve(self) -> float:
        """Return 0."""
        return 0.0


class SlotLimiter:
    """Slots 1 / requests_per_second apart, *burst* of them free after idling; thread-safe.

    Each caller gets the next slot in the order of asking and sleeps until then. *clock* gives
    seconds and never goes back.
    """

    def __init__(self, limits: RateLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._slots: Slots | None = None
        self._opening = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Forget the bookings, whose lock another thread may have held."""
        self._slots = None
        self._opening = threading.Lock()

    def _open(self) -> "Slots":
        from sinch_wrapper._slots import Slots

        with self._opening:
            if self._slots is None:
                self._slots = Slots(self._limits.requests_per_second, self._limits.burst)
            return self._slots

    def reserve(self) -> float:
        """Book the next free slot and say how long to wait for it.

        Returns: seconds to sleep before sending, >= 0, in whole milliseconds.
        """
        slots = self._slots or self._open()
        return slots.book(int(self._clock() * 1000)) / 1000
