"""The rate after the server has said 429: a pure value, without clock."""

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["Pace"]

_FIRST_CUT: Final = 0.05
_LARGEST_CUT: Final = 0.5
_STEP: Final = 0.05
_STEP_SECONDS: Final = 1.0
# In it the requests that were on their way, or had their slot, come back.
_SETTLING: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests per second, *full* unless a 429 lowered them to *lowered_to* at *lowered_at*.

    A 429 lowers the rate at once: by a twentieth when it comes alone, for that may be a stall of
    this machine, and by twice the last cut, up to a half, when it comes before the rate has
    recovered. It never falls below a twentieth of the full one, and each second gives a
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

    def throttled(self, now: float, sent_at: float) -> "Pace":
        """The pace after a 429 at *now* to a request that left at *sent_at*.

        Many requests are on their way when the first 429 comes; theirs say nothing new, so what
        left before the last lowering, or within a second of it, changes nothing.
        """
        if sent_at < self.lowered_at + _SETTLING:
            return self
        rate = self.rate(now)
        again = rate < self.full or now - self.lowered_at <= _SETTLING + _STEP_SECONDS
        cut = min(_LARGEST_CUT, 2 * self.cut) if again and self.cut else _FIRST_CUT
        return Pace(self.full, max(_STEP * self.full, (1 - cut) * rate), now, cut)
