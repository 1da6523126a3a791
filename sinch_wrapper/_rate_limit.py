"""How fast requests may leave: slots are booked, not polled for, so no caller starves."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NoReturn, Protocol

from sinch_wrapper import _validate
from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper.errors import ConfigurationError

_FIRST_CUT: Final = 0.05
_LARGEST_CUT: Final = 0.5
_STEP: Final = 0.05
_STEP_SECONDS: Final = 1.0
# Within it, requests that had left or had a slot get their responses.
_SETTLING: Final = 1.0


@dataclass(frozen=True, slots=True)
class AdaptiveRate:
    """Requests per second, *full* unless a 429 lowered them to *lowered_to* at *lowered_at*.

    A 429 lowers the rate at once: by a twentieth when it comes alone, because that may be a stall
    of this machine, and by twice the last cut, up to a half, when it comes before the rate has
    recovered. The rate never falls below a twentieth of the full one, and each second gives a
    twentieth back. Times are seconds of one clock.
    """

    full: float
    lowered_to: float = math.inf
    lowered_at: float = -math.inf
    cut: float = 0.0

    def rate(self, now: float) -> float:
        """Requests per second at *now*."""
        if self.lowered_to >= self.full:
            return self.full
        steps = max(0, math.floor((now - self.lowered_at) / _STEP_SECONDS))
        return min(self.full, self.lowered_to + steps * _STEP * self.full)

    def throttled(self, now: float, sent_at: float) -> "AdaptiveRate":
        """The rate after a 429 at *now* to a request that left at *sent_at*.

        Many requests are on their way when the first 429 comes; their 429s say nothing new. So a
        request that left before the last lowering, or within a second of it, changes nothing.
        """
        if sent_at < self.lowered_at + _SETTLING:
            return self
        rate = self.rate(now)
        again = rate < self.full or now - self.lowered_at <= _SETTLING + _STEP_SECONDS
        cut = min(_LARGEST_CUT, 2 * self.cut) if again and self.cut else _FIRST_CUT
        return AdaptiveRate(self.full, max(_STEP * self.full, (1 - cut) * rate), now, cut)


# One request in 1000 s.
_SLOWEST: Final = 0.001
_SECOND: Final = 1_000_000_000


def book(booked: int, now: int, slot: int, burst: int) -> tuple[int, int]:
    """Book the next slot of a bucket: where the bookings end then, and how long to wait.

    This is GCRA (the leaky bucket as a meter, ITU-T I.371) that always admits: *booked* is its
    theoretical arrival time, and a request that it would refuse waits instead. All times are whole
    nanoseconds, so that bookings add up exactly; *slot* is the time between two requests.
    """
    ends = max(booked, now) + slot
    return ends, max(0, ends - burst * slot - now)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """*requests_per_second* of the project, and how many may leave at once after idling (*burst*).

    Keep their sum at or below the project's quota: one second can contain both.

    Raises: ConfigurationError for values out of range.
    Source: 800 requests per second and project (overview of the Conversation API).
    """

    requests_per_second: float = 780.0
    burst: int = 8

    def __post_init__(self) -> None:
        fault = ConfigurationError
        rate = self.requests_per_second
        _validate.number("RateLimits.requests_per_second", rate, _SLOWEST, error=fault)
        _validate.whole("RateLimits.burst", self.burst, error=fault)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The slots of one project: their *rate*, how many are free after idling, and the bookings.

    *booked* is where the bookings end, in nanoseconds of the clock that all times here are of.
    """

    rate: AdaptiveRate
    burst: int
    booked: int = 0

    def book(self, now: float, many: int = 1) -> tuple["Bucket", list[float]]:
        """Book the next slots at *now*, in seconds: the bucket then, and the wait for each."""
        booked, waits = self.booked, list[float]()
        # Rounded up: never faster than the rate.
        at, slot = int(now * _SECOND), math.ceil(_SECOND / self.rate.rate(now))
        for _ in range(many):
            booked, wait = book(booked, at, slot, self.burst)
            waits.append(wait / _SECOND)
        return Bucket(self.rate, self.burst, booked), waits

    def throttled(self, now: float, sent_at: float) -> "Bucket":
        """The bucket after a 429 at *now* to a request that left at *sent_at*."""
        return Bucket(self.rate.throttled(now, sent_at), self.burst, self.booked)


# For the token endpoint, which has a quota of its own.
TOKEN_LIMITS: Final = RateLimits(requests_per_second=10.0, burst=30)


class Limiter(Protocol):
    """Limits the rate: it books slots, returns the wait for each, and takes 429s into account."""

    def reserve(self) -> float:
        """Book the next free slot; returns the seconds to sleep before sending, >= 0."""
        ...

    def throttled(self, ago: float) -> None:
        """Record a 429 for a request sent *ago* seconds ago."""
        ...


class Unlimited:
    """The limiter that never waits."""

    def reserve(self) -> float:
        """Book nothing; there is no wait."""
        return 0.0

    def throttled(self, ago: float) -> None:
        """Ignore the 429: there is no rate to lower."""


class RateLimiter:
    """Applies RateLimits; give one to several clients, and they share them.

    It may be shared by threads, event loops, Sinch and AsyncSinch, within one process. Requests
    get slots 1 / requests_per_second apart, in the order in which they ask, *burst* of them free
    after idling. Each sleeps until its slot, so none starves, and a cancelled wait costs one slot.
    A 429 lowers the rate for all at once, by more when 429s go on, and each second after it gives
    a twentieth back. A forked child counts for itself.

    *clock* returns seconds and never goes back.
    """

    blocks = False
    """Whether its methods wait for others, so that no event loop may call them."""

    def __init__(
        self, limits: RateLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        fault = ConfigurationError
        wanted = "RateLimits, such as RateLimits(requests_per_second=400)"
        given = RateLimits() if limits is None else limits
        given = _validate.instance("limits", given, RateLimits, wanted, error=fault)
        _validate.function("clock", clock, "a function that returns seconds", error=fault)
        self._bucket = Bucket(AdaptiveRate(given.requests_per_second), given.burst)
        self._clock = clock
        self._guard = threading.Lock()
        renew_after_fork(self)

    def __reduce__(self) -> NoReturn:
        message = "a RateLimiter cannot be pickled or copied: it counts for one process"
        raise TypeError(message)

    def __repr__(self) -> str:
        return (
            f"<RateLimiter {self.requests_per_second:g} of {self._bucket.rate.full:g} per second>"
        )

    @property
    def requests_per_second(self) -> float:
        """The rate now; for a while after a 429 it is below that of the limits."""
        return self._bucket.rate.rate(self._clock())

    def after_fork(self) -> None:
        """Drop the bookings and their lock, which another thread may have held."""
        self._bucket = replace(self._bucket, booked=0)
        self._guard = threading.Lock()

    def reserve(self) -> float:
        """Book the next free slot.

        Returns: seconds to sleep before sending, >= 0.
        """
        with self._guard:
            self._bucket, waits = self._bucket.book(self._clock())
        return waits[0]

    def throttled(self, ago: float) -> None:
        """Lower the rate after a 429 for a request sent *ago* seconds ago."""
        now = self._clock()
        with self._guard:
            self._bucket = self._bucket.throttled(now, now - ago)
