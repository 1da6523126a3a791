"""Rate limits: of the requests that arrive, and of the callbacks that leave."""

from collections.abc import Callable

from sinch_wrapper.sandbox._errors import Refusal


class RequestLimiter:
    """A bucket that holds one second's worth of requests, and at least one.

    Source: Sinch documentation, Rate limits (800 per second and project).
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._size = max(1.0, per_second)
        self._left = self._size
        self._seen = clock()

    def take(self) -> None:
        """Count one request; raises Refusal 429 when the bucket is empty."""
        now = self._clock()
        earned = (now - self._seen) * self._per_second
        self._seen = now
        self._left = min(self._size, self._left + max(0.0, earned))
        if self._left < 1:
            raise Refusal(429, "The project sends too many requests per second")
        self._left -= 1


class SlotSchedule:
    """Slots that are 1 / *per_second* apart; after idling, a second's worth may go at once."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = float("-inf")

    def book(self, now: float) -> float:
        """Take the next slot and return its time, *now* or later."""
        # A second's worth of unused slots is kept, and no more.
        start = max(self._next, now - 1)
        self._next = start + self._gap
        return max(now, start)
