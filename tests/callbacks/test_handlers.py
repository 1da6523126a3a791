"""Handlers run after the write until all have worked, or the callback is a dead letter."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import ConfigurationError
from sinch_wrapper.callbacks import Event, EventStore, Receiver, receiver
from sinch_wrapper.callbacks._dispatcher import retry_delay
from sinch_wrapper.callbacks._records import Arrival
from tests.helpers.callbacks import (
    SECRET,
    eventually,
    make_body,
    make_event,
    memory,
    post,
    receipt,
    serving,
)


def waiting(app: Receiver) -> int:
    """How many callbacks of a running receiver wait for their handlers."""
    store = app._store  # noqa: SLF001 (its connection, because it is in memory)
    assert store is not None
    return store.counts().waiting


@pytest.mark.parametrize("way", ["coroutine", "function", "object"])
def test_handler_gets_its_events(way: str) -> None:
    """Coroutines, plain functions and objects are called with the events of their trigger."""
    app, taken = memory(), []

    async def coroutine(event: Event) -> None:
        taken.append(event)

    def function(event: Event) -> None:
        assert threading.current_thread().name.startswith("sinch-handler")
        taken.append(event)

    class Object:
        async def __call__(self, event: Event) -> None:
            taken.append(event)

    ways: dict[str, Any] = {"coroutine": coroutine, "function": function, "object": Object()}
    app.on("MESSAGE_DELIVERY")(ways[way])
    with serving(app) as client:
        post(client, make_body())
        body = receipt("DELIVERED")
        post(client, body)
        eventually(lambda: taken and waiting(app) == 0)
    assert [body] == [event.body for event in taken]


def test_repeated_callback_is_handled_once() -> None:
    """Idempotence: the second delivery is confirmed, and not handled again."""
    app, taken = memory(), []

    @app.on()
    async def take(event: Event) -> None:
        taken.append(event.body)

    first, last = make_body(), make_body()
    with serving(app) as client:
        for body in (first, first, first, last):
            assert 200 == post(client, body).status_code
        eventually(lambda: last in taken and waiting(app) == 0)
    assert [first, last] == taken


def test_every_handler_runs_until_it_works() -> None:
    """A handler that failed is tried again; those that had worked are not."""
    app, calls = memory(backoff=0.01), []

    @app.on()
    async def good(_event: Event) -> None:
        calls.append("good")

    @app.on("message")
    def late(_event: Event) -> None:
        calls.append("late")
        if calls.count("late") < 3:
            raise KeyError

    with serving(app) as client:
        post(client, make_body())
        eventually(lambda: calls.count("late") == 3 and waiting(app) == 0)
    assert ["good", "late", "late", "late"] == calls


def test_dead_letter_is_listed_and_can_be_retried() -> None:
    """After the last attempt the callback is dead, until it is retried by hand."""
    app, broken, taken = memory(attempts=2, backoff=0.0), [True], []

    @app.on()
    async def take(event: Event) -> None:
        if broken:
            raise LookupError("+46700000001")
        taken.append(event)

    with serving(app) as client:
        post(client, make_body())
        eventually(app.dead)
        (letter,) = app.dead()
        assert (2, "message") == (letter.attempts, letter.event.kind)
        assert letter.error.endswith("take: LookupError at test_handlers.py:" + _line())
        assert "+467" not in repr(letter)
        assert 1 == client.get("/health").json()["dead"]
        assert 0 == app.retry_dead([letter.id + 1])
        broken.clear()
        assert 1 == app.retry_dead()
        eventually(lambda: taken)
        assert [] == app.dead()


def _line() -> str:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return str(next(n for n, line in enumerate(lines, 1) if 'LookupError("' in line))


def test_waiting_callbacks_are_handled_after_a_restart(tmp_path: Path) -> None:
    """Callbacks that one receiver left are handled by the next one on the same store."""
    path, taken = tmp_path / "callbacks.db", []
    store = EventStore(path)
    event = make_event("message")
    store.commit([Arrival(event, 0.0, ("take",))], [])
    store.close()
    app = receiver(SECRET, store=path)

    @app.on("MESSAGE_INBOUND", name="take")
    async def take(event: Event) -> None:
        taken.append(event)

    with serving(app):
        eventually(lambda: taken)
    assert [event] == taken


def test_callback_of_a_handler_that_is_gone_is_told(tmp_path: Path) -> None:
    """A callback for a renamed handler becomes a dead letter that says so; the others run."""
    path, taken = tmp_path / "callbacks.db", []
    store = EventStore(path)
    store.commit([Arrival(make_event("message"), 0.0, ("gone", "take"))], [])
    store.close()
    with serving(receiver(SECRET, store=path)):
        pass  # A receiver without handlers leaves the callbacks to others.
    app = receiver(SECRET, store=path, attempts=1)

    @app.on(name="take")
    async def take(event: Event) -> None:
        taken.append(event)

    with serving(app):
        eventually(app.dead)
        assert ["gone: no handler of this name is registered"] == [x.error for x in app.dead()]
    assert 1 == len(taken)


def test_one_of_two_receivers_handles(tmp_path: Path) -> None:
    """Receivers that share a store each take callbacks; one of them runs the handlers."""
    path, taken = tmp_path / "callbacks.db", []

    def make() -> Receiver:
        app = receiver(SECRET, store=path)

        @app.on()
        async def take(event: Event) -> None:
            taken.append(event.body)

        return app

    bodies = [make_body() for _ in range(20)]
    with serving(make()) as one, serving(make()) as two:
        for number, body in enumerate(bodies):
            assert 200 == post(one if number % 2 else two, body).status_code
        eventually(lambda: len(taken) >= 20)
    assert sorted(bodies) == sorted(taken)


def test_handlers_get_time_to_finish_when_the_receiver_ends() -> None:
    """A running handler is waited for; one that takes too long runs again after the restart."""
    app, ended = memory(grace=60), []

    @app.on()
    async def slow(_event: Event) -> None:
        ended.append("begun")
        await asyncio.sleep(0.05)
        ended.append("done")

    with serving(app) as client:
        post(client, make_body())
        eventually(lambda: ended)
    assert ["begun", "done"] == ended


def test_handler_that_takes_too_long_runs_again(tmp_path: Path) -> None:
    """A handler that is cut off at the end has no verdict, so the next receiver runs it."""
    path, begun = tmp_path / "callbacks.db", []
    app = receiver(SECRET, store=path, grace=0.01)

    @app.on()
    async def stuck(_event: Event) -> None:
        begun.append(1)
        await asyncio.Event().wait()

    with serving(app) as client:
        post(client, make_body())
        eventually(lambda: begun)
    store = EventStore(path)
    assert 1 == store.counts().waiting
    store.close()


@pytest.mark.parametrize("name", ["MESSAGE_DELIVRY", "", "Message"])
def test_unknown_trigger_is_refused(name: str) -> None:
    """A misspelt trigger would never fire: it is refused, and the known ones are listed."""
    with pytest.raises(ConfigurationError, match="MESSAGE_DELIVERY"):
        memory().on(name)(print)


def test_second_handler_of_one_name_is_refused() -> None:
    """The store remembers by name which handlers have worked, so names are unique."""
    app = memory()
    app.on()(print)
    app.on(name="other")(print)
    with pytest.raises(ConfigurationError, match="print already"):
        app.on()(print)


def test_payload_key_of_the_future_can_be_asked_for() -> None:
    """A kind that this library does not know reaches the handler that names it."""
    app = memory()
    taken: list[Event] = []
    app.on("future_notification")(taken.append)
    with serving(app) as client:
        post(client, make_body("future_notification"))
        eventually(lambda: taken)


def test_receiver_runs_once() -> None:
    """Entering a running receiver is refused; afterwards it can be entered again."""

    async def use() -> None:
        app = memory()
        async with app:
            with pytest.raises(ConfigurationError, match="already running"):
                await app.__aenter__()
        async with app.lifespan():
            pass

    asyncio.run(use())


@given(attempts=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_backoff_grows_to_a_limit(attempts: int, jitter: float) -> None:
    """The wait doubles, up to ten minutes, less at most half."""
    full = min(2.0 ** min(attempts - 1, 30), 600)
    assert full / 2 <= retry_delay(attempts, 1.0, jitter) <= full


def test_receiver_ends_although_a_callback_comes_at_that_moment() -> None:
    """A callback that wakes the dispatcher must not lose the order to end."""

    async def live() -> None:
        app = memory()
        app.on()(print)
        async with app:
            await asyncio.sleep(0.05)
            assert app._dispatcher is not None  # noqa: SLF001 (the moment cannot be hit from outside)
            app._dispatcher.wake()  # noqa: SLF001 (as above)

    async def run() -> bool:
        _, hanging = await asyncio.wait([asyncio.create_task(live())], timeout=60)
        return bool(hanging)

    assert not asyncio.run(run())
