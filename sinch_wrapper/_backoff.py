"""Exponential back-off: how long to wait after failures in a row. Every part uses this one."""

from typing import Final

# Beyond this exponent a float overflows, and every *longest* has been reached long before.
_LARGEST_EXPONENT: Final = 1000


def backoff(earlier: int, first: float, longest: float) -> float:
    """Return `first * 2 ** earlier` seconds, at most *longest*.

    *earlier* is the number of waits before this one, so 0 gives *first*. Multiply the result by a
    random number where many callers would otherwise come back at the same moment.
    """
    return min(longest, first * 2.0 ** min(earlier, _LARGEST_EXPONENT))
