"""Booking of slots."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from core_fixtures import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from sinch_wrapper import ConfigurationError, RateLimits
from sinch_wrapper._limits import SlotLimiter, Unlimited


def test_burst_is_free_then_slots_are_spaced(clock: Clock) -> None:
    """After idling *burst* may leave at once; the others wait, each one slot longer."""
    limiter = SlotLimiter(RateLimits(requests_per_second=10, burst=3), clock)
    assert [limiter.reserve() for _ in range(6)] == [0, 0, 0, 0.1, 0.2, 0.3]


def test_idling_gives_back_the_burst_and_no_more(clock: Clock) -> None:
    """A long pause does not save up more than the burst."""
    limiter = SlotLimiter(RateLimits(requests_per_second=10, burst=2), clock)
    for _ in range(5):
        limiter.reserve()
    clock.now += 3600
    assert [limiter.reserve() for _ in range(3)] == [0, 0, 0.1]


@given(
    st.floats(0.5, 2000),
    st.integers(1, 20),
    st.lists(st.floats(0, 0.5), min_size=1, max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_sends_in_a_window_stay_below_burst_plus_rate(
    rate: float, burst: int, pauses: list[float]
) -> None:
    """In any window of w seconds there are at most burst + rate x w sends."""
    clock = Clock()
    limiter = SlotLimiter(RateLimits(requests_per_second=rate, burst=burst), clock)
    sends = []
    for pause in pauses:
        clock.now += pause
        sends.append(clock.now + limiter.reserve())
    for first, start in enumerate(sends):
        for last in range(first, len(sends)):
            window = sends[last] - start
            # One more for the send that opens the window.
            assert last - first + 1 <= burst + math.ceil(rate * (window + 0.001)) + 1


def test_threads_share_the_slots(clock: Clock) -> None:
    """Many threads book distinct slots: nobody gets one twice, nobody starves."""
    limiter = SlotLimiter(RateLimits(requests_per_second=1000, burst=1), clock)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: limiter.reserve(), range(800)))
    assert [number / 1000 for number in range(800)] == sorted(waits)


def test_unlimited_never_waits() -> None:
    """No limit, no wait."""
    assert Unlimited().reserve() == 0.0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_child_books_for_itself(clock: Clock) -> None:
    """A child starts with free slots and fresh locks."""
    limiter = SlotLimiter(RateLimits(requests_per_second=1, burst=1), clock)
    limiter.reserve()
    child = os.fork()
    if child == 0:
        os._exit(0 if limiter.reserve() == 0.0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert limiter.reserve() == 1.0


@pytest.mark.parametrize(
    "options",
    [
        {"requests_per_second": 0}, {"requests_per_second": math.inf},
        {"requests_per_second": math.nan}, {"burst": 0},
    ],
)  # fmt: skip
def test_limits_refuse_senseless_values(options: dict[str, float]) -> None:
    """Wrong values are found when the limits are made."""
    with pytest.raises(ConfigurationError, match=f"RateLimits.{next(iter(options))}"):
        RateLimits(**options)  # type: ignore[arg-type]
