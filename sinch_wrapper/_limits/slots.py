"""Reservation on pyrate-limiter's GCRA; imported on the first request, for it costs 140 ms."""

import math
from typing import TYPE_CHECKING

from pyrate_limiter import GCRA, Decision, InMemoryStateStore, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Slots"]


class _Booking(GCRA):
    """GCRA that always admits: the state moves on, and the verdict is how long to wait."""

    def step(
        self, rates: list[Rate], state: tuple[float, ...], now: int, weight: int
    ) -> tuple[tuple[float, ...], Decision]:
        (rate,), (booked,) = rates, state
        # Microseconds between slots, rounded up as the library does: never faster than told.
        emission = max(1, math.ceil(rate.interval * 1000 / rate.limit))
        full = max(int(booked), now * 1000) + weight * emission
        early = full - rate.burst * emission - now * 1000
        return (full,), Decision(retry_after_ms=max(0, math.ceil(early / 1000)))


class Slots:
    """The bookings of one bucket, in memory; thread-safe."""

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._algorithm = _Booking()
        self._store = InMemoryStateStore()
        self._rate: tuple[float, list[Rate]] = (math.nan, [])

    def book(self, now_ms: int, per_second: float) -> int:
        """Book the next slot, 1 / *per_second* after the last; the milliseconds until it."""
        known, rates = self._rate
        if known != per_second:
            # An interval of 1000 s leaves room for rates that are no whole number.
            rates = [Rate(max(1, round(per_second * 1000)), 1_000_000, self._burst)]
            self._rate = (per_second, rates)
        # The library's own method has no types.
        check: Callable[[GCRA, list[Rate], int, int], Decision] = self._store.check
        decision = check(self._algorithm, rates, now_ms, 1)
        return decision.retry_after_ms or 0
