"""The rate that processes share: no second is above it, a 429 lowers it for all."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinch_wrapper import (
    APIConnectionError,
    AsyncSinch,
    ConfigurationError,
    RateLimits,
    RetryPolicy,
    Sinch,
)
from sinch_wrapper._http import httpx
from sinch_wrapper.cluster._rate import ClockOffset, SharedRateLimiter, WorkerPace, block_size
from tests.helpers.core import Server
from tests.helpers.shared_database import SharedDatabase

pytestmark = pytest.mark.once


@pytest.fixture
def database() -> Iterator[SharedDatabase]:
    """A database in memory."""
    made = SharedDatabase()
    yield made
    made.close()


def client_of(server: Server, limiter: SharedRateLimiter) -> Sinch:
    """A client of *server*."""
    return Sinch(
        project_id="P", key_id="k", key_secret="s", region="eu", limits=limiter,
        transport=httpx.MockTransport(server), retry=RetryPolicy(attempts=4),
    )  # fmt: skip


@given(
    st.sampled_from([0.5, 20.0, 780.0]),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.0, 0.004, 0.3])), min_size=9),
)
@settings(max_examples=15, deadline=None)
def test_no_window_is_above_the_rate(
    rate: float, burst: int, turns: list[tuple[int, float]]
) -> None:
    """Whoever asks, and after whatever pauses, w seconds have burst + rate x w requests at most."""
    database = SharedDatabase()
    many = [database.process(RateLimits(rate, burst), ahead) for ahead in (0.0, 7.5, -3.0, 1e6)]
    sends = []
    for who, pause in turns * 3:
        database.now += pause
        many[who].reserve()
        sends.append(database.now)
    database.close()
    for first, start in enumerate(sends):
        for last in range(first, len(sends)):
            # A slot may be used ten milliseconds late, and one more opens the window.
            allowed = burst + rate * (sends[last] - start + 0.0101) + 1
            assert last - first + 1 <= allowed


def test_slots_that_nobody_used_in_time_are_gone(database: SharedDatabase) -> None:
    """Ten processes that all stop in the middle of a block do not catch up with it together."""
    many = [database.process() for _ in range(10)]
    for limiter in many:
        # Blocks of 1, 2, 4, 8, 16, 32 and 39 slots: the last one has just begun.
        for _ in range(64):
            limiter.reserve()
    database.now += 2.0
    began = database.now
    for limiter in many:
        for _ in range(38):
            limiter.reserve()
    assert 380 < 830 * (database.now - began) + 9


def test_eight_hundred_a_second_need_few_transactions(database: SharedDatabase) -> None:
    """One process that uses all its slots books them in blocks of a twentieth of a second."""
    limiter = database.process()
    began = database.now
    for _ in range(7800):
        limiter.reserve()
    assert 780 == pytest.approx(7800 / (database.now - began), rel=0.02)
    assert database.rate().blocks < 7800 / 39 + 10


def test_all_get_the_same_share(database: SharedDatabase) -> None:
    """Of two who always want more, neither gets less than the other, whoever was first."""
    early, late = database.process(), database.process()
    sent: Counter[str] = Counter()
    for _ in range(500):
        early.reserve()
    # Sixteen threads each, that come again when their slot has come.
    waiting = [(database.now, name) for name in ("early", "late") for _ in range(16)]
    for _ in range(1000):
        database.now, name = heapq.heappop(waiting)
        sent[name] += 1
        wait = (early if name == "early" else late).book_ahead()
        heapq.heappush(waiting, (database.now + wait + 0.1, name))
    assert 0.7 <= sent["late"] / sent["early"] <= 1.4


def test_who_pauses_books_one_slot(database: SharedDatabase) -> None:
    """A process that sends now and then leaves the slots to the others."""
    limiter = database.process()
    for _ in range(5):
        limiter.reserve()
        database.now += 1.0
    assert (5, 5) == (database.rate().slots, database.rate().blocks)


@pytest.mark.parametrize(
    ("last", "idle", "most", "expected"),
    [(0, 0.0, 39, 1), (1, 0.0, 39, 2), (32, 0.0, 39, 39), (39, 0.06, 39, 1), (1, 0.0, 0, 1)],
)
def test_size_of_a_block(last: int, idle: float, most: int, expected: int) -> None:
    """It doubles while all slots are used, up to the most, and begins at one."""
    assert expected == block_size(last, idle, most)


def test_a_moment_is_never_early() -> None:
    """A moment of the database is late by the fastest response at most, never early."""
    chance, offset, ahead = random.Random(3), ClockOffset(), 1000.0  # noqa: S311 (no secret)
    fastest, now = 9.0, 0.0
    for _ in range(200):
        sent = now
        there, back = chance.uniform(0.001, 0.3), chance.uniform(0.001, 0.3)
        now += there + back
        fastest = min(fastest, back)
        offset = offset.seen(sent, now, sent + there + ahead)
        late = offset.local(now + ahead) - now
        assert 0 <= late + 1e-9 <= fastest + 1e-6


def test_a_clock_that_is_set_is_followed() -> None:
    """When the database's clock is set back, its moments follow with the next response."""
    offset = ClockOffset().seen(0.0, 0.01, 5000.0).seen(1.0, 1.01, 4001.0)
    assert 2.0 == pytest.approx(offset.local(4002.0), abs=0.02)


def test_a_429_lowers_the_rate_for_all(database: SharedDatabase) -> None:
    """What one process is told slows all down at once, and each second gives a twentieth back."""
    one, other = database.process(RateLimits(100, 1)), database.process()
    other.reserve()
    one.reserve()
    one.throttled(0.0)
    one.throttled(0.0)
    began = database.now
    for _ in range(95):
        other.reserve()
    assert 1.0 == pytest.approx(database.now - began, abs=0.08)
    assert (95, 100) == (database.rate().rate, database.rate().full)
    database.now += 1.0
    assert 100 == database.rate().rate


def test_the_last_word_about_the_rate_counts(database: SharedDatabase) -> None:
    """Limits that one process is given are those of all; without any they stay as they are."""
    other = database.process()
    database.process(RateLimits(20, 2))
    database.process()
    other.reserve()
    assert (20, 20) == (database.rate().full, other.requests_per_second)


def test_nothing_leaves_without_the_database(database: SharedDatabase) -> None:
    """A request whose slot cannot be booked is not sent, and says so; it goes on by itself."""
    server = Server()
    limiter = database.process()
    with client_of(server, limiter) as sinch:
        database.is_away = True
        with pytest.raises(APIConnectionError, match="the shared rate is not known") as caught:
            sinch.conversation.app.list_apps()
        limiter.throttled(0.0)
        assert ("not_sent", 0) == (caught.value.outcome, len(server.requests))
        database.is_away = False
        sinch.conversation.app.list_apps()


def test_each_attempt_books_a_slot(database: SharedDatabase) -> None:
    """Whatever a client asks for, and each repetition, books a slot; a 429 lowers the rate."""
    server = Server(httpx.Response(429), httpx.Response(200, json={}))
    limiter = database.process(RateLimits(10, 1))
    with client_of(server, limiter) as sinch:
        sinch.conversation.app.list_apps()
        sinch.batch.messages.get_batch_statuses_by_metadata(metadata_key="k", metadata_value="v")
    assert (3, 3, 9.5) == (len(server.requests), database.rate().slots, database.rate().rate)


def test_a_worker_books_once(database: SharedDatabase) -> None:
    """The slot that a worker books before it takes a call is that of its request."""
    limiter = database.process(RateLimits(1, 1))
    pace = WorkerPace(limiter)
    began, waits = database.now, list[float]()
    for _ in range(3):
        waits.append(pace.reserve())
        database.sleep(waits[-1])
        limiter.reserve()
    assert [0.0, 0.9, 0.9] == pytest.approx(waits, abs=0.01)
    assert 2.0 == pytest.approx(database.now - began, abs=0.01)
    assert 3 == database.rate().slots


def test_an_event_loop_does_not_wait_for_a_database(database: SharedDatabase) -> None:
    """An AsyncSinch refuses the limiter, before anything is sent."""
    with pytest.raises(ConfigurationError, match="limits= waits for a database"):
        AsyncSinch(
            project_id="P", key_id="k", key_secret="s", region="eu", limits=database.process()
        )
