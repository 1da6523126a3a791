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
        emission = self._emission_us(rate)
        full = max(int(booked), now * 1000) + weight * emission
        early = full - rate.burst * emission - now * 1000
        return (full,), Decision(retry_after_ms=max(0, math.ceil(early / 1000)))


class Slots:
    """The bookings of one bucket, in memory; thread-safe."""

    def __init__(self, per_second: float, burst: int) -> None:
        # An interval of 1000 s leaves room for rates that are no whole number.
        self._rates = [Rate(max(1, round(per_second * 1000)), 1_000_000, burst)]
        self._algorithm = _Booking()
        self._store = InMemoryStateStore()

    def book(self, now_ms: int) -> int:
        """Book the next slot; returns the milliseconds until it."""
        # The library's own method has no types.
        check: Callable[[GCRA, list[Rate], int, int], Decision] = self._store.check
        decision = check(self._algorithm, self._rates, now_ms, 1)
        return decision.retry_after_ms or 0
