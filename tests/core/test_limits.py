"""Rate limits: booking slots, and the rate after 429s."""

import asyncio
import copy
import heapq
import math
import os
import pickle
from bisect import bisect_left
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinch_wrapper import ConfigurationError, RateLimiter, RateLimits
from sinch_wrapper._http import httpx
from sinch_wrapper._rate_limit import AdaptiveRate, Unlimited, book
from sinch_wrapper._transport.retrying import AsyncRetryingTransport
from tests.helpers.core import Clock, Server, request_for, retry_context_on


def test_burst_is_free_then_slots_are_spaced(clock: Clock) -> None:
    """After idling, *burst* requests may leave at once; each further one waits one slot longer."""
    limiter = RateLimiter(RateLimits(requests_per_second=10, burst=3), clock)
    assert [limiter.reserve() for _ in range(6)] == [0, 0, 0, 0.1, 0.2, 0.3]


def test_idling_gives_back_the_burst_and_no_more(clock: Clock) -> None:
    """A long pause does not save up more than the burst."""
    limiter = RateLimiter(RateLimits(requests_per_second=10, burst=2), clock)
    for _ in range(5):
        limiter.reserve()
    clock.now += 3600
    assert [limiter.reserve() for _ in range(3)] == [0, 0, 0.1]


@given(
    st.floats(0.5, 2000),
    st.integers(1, 20),
    st.lists(st.floats(0, 0.5), min_size=1, max_size=60),
)
@settings(max_examples=60)
def test_sends_in_a_window_stay_below_burst_plus_rate(
    rate: float, burst: int, pauses: list[float]
) -> None:
    """In any window of w seconds there are at most burst + rate x w sends."""
    clock = Clock()
    limiter = RateLimiter(RateLimits(requests_per_second=rate, burst=burst), clock)
    sends = []
    for pause in pauses:
        clock.now += pause
        sends.append(clock.now + limiter.reserve())
    for first, start in enumerate(sends):
        for last in range(first, len(sends)):
            window = sends[last] - start
            # One more for the send that opens the window.
            assert last - first + 1 <= burst + math.ceil(rate * (window + 0.001)) + 1


@given(
    st.integers(1, 10**10),
    st.integers(1, 20),
    st.lists(st.integers(0, 10**10), min_size=1, max_size=60),
)
def test_bookings_are_a_slot_apart_and_never_too_early(
    slot: int, burst: int, pauses: list[int]
) -> None:
    """Of n sends in a row the last is n - burst slots behind the first; no slot is left unused."""
    now = booked = 0
    sends = []
    for pause in pauses:
        now += pause
        booked, wait = book(booked, now, slot, burst)
        sends.append(now + wait)
        assert wait == 0 or booked == sends[-1] + burst * slot
    for first, start in enumerate(sends):
        for last in range(first, len(sends)):
            assert sends[last] - start >= (last - first + 1 - burst) * slot


def test_threads_share_the_slots(clock: Clock) -> None:
    """Many threads book distinct slots: none is given out twice, and no thread starves."""
    limiter = RateLimiter(RateLimits(requests_per_second=1000, burst=1), clock)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: limiter.reserve(), range(800)))
    assert [number / 1000 for number in range(800)] == sorted(waits)


def test_unlimited_never_waits() -> None:
    """Without limits there is no wait, and no 429 changes that."""
    unlimited = Unlimited()
    unlimited.throttled(0.0)
    assert unlimited.reserve() == 0.0


@pytest.mark.parametrize("callers", [1, 50])
def test_default_rate_is_met_precisely(callers: int) -> None:
    """At 780/s with burst 8, over 10 s: mean within 2 %, no one-second window above 800."""
    clock = Clock(now=0.0)
    limiter, sends = RateLimiter(RateLimits(), clock), []
    # Each caller sleeps until its slot, sends, and asks for the next one at once.
    due = [(0.0, number) for number in range(callers)]
    while due[0][0] < 10:
        clock.now, caller = heapq.heappop(due)
        send = clock.now + limiter.reserve()
        sends.append(send)
        heapq.heappush(due, (send, caller))
    sends.sort()
    assert abs(sum(send < 10 for send in sends) / 10 - 780) <= 0.02 * 780
    windows = [bisect_left(sends, send + 1) - first for first, send in enumerate(sends)]
    assert max(windows) <= 800


def test_heavy_caller_starves_no_other() -> None:
    """Beside one caller with 200 requests at a time, twenty light ones get their turns."""
    clock, done = Clock(now=0.0), Counter[str]()
    limiter = RateLimiter(RateLimits(requests_per_second=100, burst=1), clock)
    due = [(0.0, "heavy")] * 200 + [(0.0, f"light {number}") for number in range(20)]
    heapq.heapify(due)
    while due[0][0] < 60:
        clock.now, caller = heapq.heappop(due)
        done[caller] += 1
        heapq.heappush(due, (clock.now + limiter.reserve(), caller))
    light = [count for caller, count in done.items() if caller != "heavy"]
    # 220 requests take turns at 100/s: each turn takes 2.2 s.
    assert len(light) == 20
    assert min(light) >= 60 / 2.2 - 1
    assert max(light) - min(light) <= 1


def test_cancelled_wait_costs_one_slot(clock: Clock) -> None:
    """A task that is cancelled while it waits for its turn delays the others by one slot only."""

    async def scenario() -> list[float]:
        limiter = RateLimiter(RateLimits(requests_per_second=10, burst=1), clock)
        sleeping = asyncio.Event()

        async def sleep(_: float) -> None:
            sleeping.set()
            await asyncio.Event().wait()

        context = retry_context_on(clock, requests=limiter)
        server = Server()
        transport = AsyncRetryingTransport(httpx.MockTransport(server), context, sleep)
        await transport.send(request_for())
        waiting = asyncio.create_task(transport.send(request_for()))
        await sleeping.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert len(server.requests) == 1
        return [limiter.reserve() for _ in range(2)]

    assert asyncio.run(scenario()) == [0.2, 0.3]


def test_one_throttled_request_costs_little_and_the_rate_comes_back() -> None:
    """A lone 429 costs a twentieth for a second: it may have been a stall of this machine."""
    adaptive = AdaptiveRate(100).throttled(now=50.0, sent_at=49.9)
    rates = [adaptive.rate(50.0 + second) for second in (0, 0.9, 1, 1000)]
    assert rates == pytest.approx([95, 95, 100, 100])


def test_throttling_that_goes_on_cuts_deeper_each_time() -> None:
    """Each 429 before the rate has recovered cuts twice as much, up to a half."""
    adaptive, rates = AdaptiveRate(100), []
    for second in (0.0, 1.5, 3.0, 4.5, 6.0, 7.5):
        adaptive = adaptive.throttled(now=second, sent_at=second)
        rates.append(adaptive.rate(second))
    # Between two of them a twentieth comes back.
    assert rates == pytest.approx([95, 90, 76, 48.6, 26.8, 15.9])


def test_lowered_rate_comes_back_in_steps() -> None:
    """A twentieth of the full rate each second, up to the full rate and no further."""
    adaptive = AdaptiveRate(100, lowered_to=50.0, lowered_at=50.0, cut=0.5)
    rates = [adaptive.rate(50.0 + second) for second in (0, 0.9, 1, 2, 5, 9.9, 10, 1000)]
    assert rates == pytest.approx([50, 50, 55, 60, 75, 95, 100, 100])


def test_storm_of_throttled_requests_counts_once() -> None:
    """A 429 to a request that left up to a second after the last lowering changes nothing."""
    adaptive = AdaptiveRate(100).throttled(now=50.0, sent_at=49.0)
    for sent_at in (40.0, 49.9, 50.0, 50.9):
        assert adaptive.throttled(now=51.0, sent_at=sent_at) is adaptive
    again = adaptive.throttled(now=51.5, sent_at=51.0)
    assert again.rate(51.5) == pytest.approx(90)


def test_rate_is_never_lowered_to_nothing() -> None:
    """The rate stays at a twentieth, however often the server responds with 429."""
    adaptive = AdaptiveRate(100)
    for second in range(0, 100, 2):
        adaptive = adaptive.throttled(now=float(second), sent_at=float(second))
        assert adaptive.rate(second) >= 5
    assert adaptive.rate(1000) == 100


@given(st.floats(0.001, 1e4), st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30))))
def test_rate_stays_between_a_twentieth_and_the_full_rate(
    full: float, throttles: list[tuple[float, float]]
) -> None:
    """Whenever 429s come, the rate stays within its bounds, and never falls between them."""
    adaptive, now = AdaptiveRate(full), 0.0
    for pause, ago in throttles:
        before, now = adaptive.rate(now), now + pause
        assert before <= adaptive.rate(now) <= full
        adaptive = adaptive.throttled(now, now - ago)
        assert full / 20 <= adaptive.rate(now) * (1 + 1e-9)


def test_limiter_books_at_the_lowered_rate(clock: Clock) -> None:
    """The next booking after a 429 is spaced by the lower rate, and recovers."""
    limiter = RateLimiter(RateLimits(requests_per_second=100, burst=1), clock)
    assert limiter.reserve() == 0
    limiter.throttled(0.0)
    waits = [limiter.reserve() for _ in range(2)]
    assert waits == pytest.approx([0.01, 0.01 + 1 / 95], abs=1e-8)
    assert repr(limiter) == "<RateLimiter 95 of 100 per second>"
    clock.now += 60
    assert [limiter.reserve() for _ in range(3)] == [0, 0.01, 0.02]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_child_books_for_itself(clock: Clock) -> None:
    """A child starts with free slots and fresh locks."""
    limiter = RateLimiter(RateLimits(requests_per_second=1, burst=1), clock)
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
        {"requests_per_second": "9"}, {"requests_per_second": True}, {"burst": 2.5}, {"burst": "2"},
    ],
)  # fmt: skip
def test_limits_refuse_senseless_values(options: dict[str, float]) -> None:
    """Wrong values are refused when the limits are made."""
    with pytest.raises(ConfigurationError, match=f"RateLimits.{next(iter(options))}"):
        RateLimits(**options)  # type: ignore[arg-type]


def test_limiter_takes_limits_and_stays_in_its_process() -> None:
    """A bare number is refused, and so is a copy, which would count separately."""
    with pytest.raises(ConfigurationError, match="limits= must be RateLimits"):
        RateLimiter(400)  # type: ignore[arg-type]
    for make in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="counts for one process"):
            make(RateLimiter())
