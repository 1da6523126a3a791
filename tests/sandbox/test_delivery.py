"""Queues, callbacks, faults, and the server that carries them."""

# ruff: noqa: S311 (repeatable)

import random
import socket
import threading
from collections import deque
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import parse
from sinch_wrapper.sandbox import BackgroundServer, Clock, Server, Settings
from sinch_wrapper.sandbox._ids import Ulids, is_ulid
from tests.helpers.sandbox import (
    SECRET,
    START,
    Api,
    Inbox,
    StartSandbox,
    eventually,
    row,
)

SEND = "/conversation/v1/~/messages:send"


class Flaky:
    """A callback target that responds with *statuses* in turn and keeps the requests."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = deque(statuses)
        self.requests: list[tuple[bytes, dict[str, str]]] = []
        self.app = Starlette(routes=[Route("/", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.requests.append((await request.body(), dict(request.headers)))
        return Response(status_code=self._statuses.popleft() if self._statuses else 200)


def test_only_subscribed_triggers_are_sent(api: Api, inbox: Inbox) -> None:
    """A webhook gets the events of its triggers and of its app, and nothing else."""
    app_id, other = api.app(), api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_SUBMIT")
    api.send(other)
    message_id = api.send(app_id)

    [event] = inbox.wait(1)

    assert ("MESSAGE_SUBMIT", message_id) == (event.trigger, event.payload["message_id"])


def test_dismissed_webhook_gets_nothing(api: Api, inbox: Inbox) -> None:
    """A webhook of the default target type DISMISS is never called."""
    app_id = api.app()
    api.webhook(app_id, f"{inbox.url}/off", "MESSAGE_SUBMIT", target_type="DISMISS")
    api.webhook(app_id, inbox.url, "MESSAGE_SUBMIT")
    api.send(app_id)

    inbox.wait(1)


def test_callback_is_repeated_until_accepted(start_sandbox: StartSandbox) -> None:
    """A callback without a 2xx response is posted again, signed anew each time."""
    target = Flaky(500, 404)
    api = start_sandbox(callback_backoff=0.001)
    with BackgroundServer(target.app) as server:
        api.webhook(api.settings.app_id, server.url, "MESSAGE_SUBMIT")
        api.send(api.settings.app_id)
        eventually(lambda: len(target.requests) == 3)

    nonces = {headers["x-sinch-webhook-signature-nonce"] for _, headers in target.requests}
    assert len(nonces) == 3
    for body, headers in target.requests:
        parse(body, headers, [SECRET])


def test_callback_is_given_up_after_its_attempts(start_sandbox: StartSandbox) -> None:
    """The number of attempts is bounded."""
    target = Flaky(500, 500, 200)
    api = start_sandbox(callback_backoff=0.001, callback_attempts=2, callback_workers=1)
    with BackgroundServer(target.app) as server:
        api.webhook(api.settings.app_id, server.url, "MESSAGE_SUBMIT")
        first = api.send(api.settings.app_id)
        eventually(lambda: len(target.requests) == 2)
        second = api.send(api.settings.app_id)
        eventually(lambda: len(target.requests) == 3)

    assert [first, first, second] == [
        parse(body, headers, [SECRET]).payload["message_id"] for body, headers in target.requests
    ]


def test_callback_that_waits_for_its_next_attempt_holds_up_no_other(
    start_sandbox: StartSandbox,
) -> None:
    """With one worker, a target that fails does not delay the callbacks of another."""
    target = Flaky(500)
    api = start_sandbox(callback_backoff=60, callback_workers=1)
    with BackgroundServer(target.app) as server:
        api.webhook(api.settings.app_id, server.url, "MESSAGE_SUBMIT")
        first, second = api.send(api.settings.app_id), api.send(api.settings.app_id)
        eventually(lambda: len(target.requests) == 2)

    assert [first, second] == [
        parse(body, headers, [SECRET]).payload["message_id"] for body, headers in target.requests
    ]


def test_webhook_without_secret_is_unsigned(start_sandbox: StartSandbox) -> None:
    """Without a secret no signature headers are sent."""
    target = Flaky()
    api = start_sandbox()
    with BackgroundServer(target.app) as server:
        api.webhook(api.settings.app_id, server.url, "MESSAGE_SUBMIT", secret="")
        api.send(api.settings.app_id)
        eventually(lambda: len(target.requests) == 1)

    assert not [name for name in target.requests[0][1] if name.startswith("x-sinch")]


def test_callback_url_overrides_the_webhook(api: Api, inbox: Inbox) -> None:
    """Receipts of a message with a callback_url go there, signed with the app's secret."""
    app_id = api.app(callback_settings={"secret_for_overridden_callback_urls": SECRET})
    api.webhook(app_id, "http://127.0.0.1:9/unused", "MESSAGE_DELIVERY")
    api.send(app_id, callback_url=inbox.url, correlation_id="c-1")

    events = inbox.wait(2)

    assert {("MESSAGE_DELIVERY", "c-1")} == {(each.trigger, each.correlation_id) for each in events}


def test_silent_number_stays_queued(api: Api, inbox: Inbox) -> None:
    """An identity that ends in 999 never gets a final receipt."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    api.send(app_id, "+46700000999")
    api.send(app_id, "+46700000998")

    events = inbox.wait(3)

    silent = [each for each in events if "999" in str(each.payload["channel_identity"])]
    assert [each.payload["status"] for each in silent] == ["QUEUED_ON_CHANNEL"]


def test_queue_drains_at_its_rate(start_sandbox: StartSandbox) -> None:
    """Messages leave the queue at the drain rate, and the app shows what is left."""
    api = start_sandbox(frozen=True, drain_rate=10)
    for _ in range(3):
        api.send(api.settings.app_id)

    def left() -> int:
        path = f"/conversation/v1/~/apps/{api.settings.app_id}"
        size: int = api.ok("GET", path)["queue_stats"]["outbound_size"]
        return size

    def has_left(expected: int) -> bool:
        return left() == expected

    sizes = [left()]
    for expected in (2, 1, 0):
        api.server.clock.advance(0.1)
        eventually(partial(has_left, expected))
        sizes.append(left())
    assert sizes == [3, 2, 1, 0]


def test_seed_makes_ids_repeatable() -> None:
    """The same seed and clock give the same increasing ULIDs."""

    def ids() -> list[str]:
        source = Ulids(Clock(START, frozen=True), random.Random(1))
        return [source() for _ in range(100)]

    assert ids() == ids() == sorted(set(ids()))
    assert all(map(is_ulid, ids()))


def test_server_picks_free_port_when_taken() -> None:
    """A port that is taken is replaced by a free one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Server(port=port) as server:
            assert port != server.port
            assert httpx.get(f"{server.url}/conversation/v1/projects/p/apps").status_code == 401


def test_server_leaves_nothing_behind() -> None:
    """After the with block the thread is gone and the port is closed."""
    before = threading.active_count()
    with Server(Settings(drain_rate=0.001)) as server:
        api = Api(server)
        api.batch(server.settings.app_id, [row("+46700000001", name="Ada")])
        api.http.close()

    assert before == threading.active_count()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
