"""Connections of tasks that aiohttp makes; the whole fault table runs on it with the slow tests."""

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from sinch_wrapper import (
    APIConnectionError,
    APITimeoutError,
    AsyncSinch,
    ConfigurationError,
    Endpoints,
    RetryPolicy,
    Sinch,
    SinchError,
)
from sinch_wrapper._http import HTTP_VARIABLE, httpx
from sinch_wrapper._transport.aiohttp_protocol import LimitedProtocol
from sinch_wrapper._transport.aiohttp_transport import AiohttpTransport, async_pool
from sinch_wrapper._transport.pool import AsyncPooledTransport
from tests.helpers.core import PROJECT, Operation
from tests.helpers.fault_server import (
    DROP,
    RESET,
    RESET_EARLY,
    UNREAD,
    Fault,
    FaultServer,
    closed_port,
    deaf_port,
    raw,
    response,
    serving,
)
from tests.helpers.planted import PHONE, TEXT, leaks, printed

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
NOT_OURS = b"HTTP/1.1 201 Old\r\nContent-Length: 2\r\n\r\n[]"
TOKEN = "planted-token"
ANOTHER = httpx.MockTransport(lambda _: httpx.Response(200))
T = TypeVar("T")


def client(url: str, **options: Any) -> AsyncSinch:
    """A client over aiohttp for the server at *url*."""
    given = {"endpoints": Endpoints.sandbox(url), "retry": RetryPolicy(attempts=1), "proxy": ""}
    return made(AsyncSinch, **{"http": "aiohttp"} | given | options)


def made(kind: Callable[..., T], **options: Any) -> T:
    """A client with a token from nowhere, so that no failure is that of a token request."""
    return kind(project_id=PROJECT, auth=lambda: TOKEN, **options)


async def call(sinch: AsyncSinch, method: str = "POST") -> int:
    """Make one call; returns its status."""
    session: Any = sinch._session(sinch._options.endpoints.conversation)  # noqa: SLF001 (any method)
    body = {"to": PHONE, "text": TEXT} if method == "POST" else None
    response = await session.request(Operation(method=method, path="/v1/x", json=body))
    return response.status_code  # type: ignore[no-any-return]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server whose faults the test scripts."""
    with serving() as running:
        yield running


# --- Choice -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "option", "expected"),
    [
        (None, None, AsyncPooledTransport),
        ("httpx", None, AsyncPooledTransport),
        ("aiohttp", None, AiohttpTransport),
        (None, "aiohttp", AiohttpTransport),
        ("httpx", "aiohttp", AiohttpTransport),
    ],
)
def test_option_wins_over_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, option: Any, expected: type
) -> None:
    """SINCH_WRAPPER_HTTP chooses for all clients, http= for one."""
    monkeypatch.delenv(HTTP_VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(HTTP_VARIABLE, variable)

    assert expected is async_pool(option)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: made(Sinch, region="eu", http="aiohttp"), 'http="aiohttp" is for AsyncSinch'),
        (
            lambda: made(AsyncSinch, region="eu", http="aiohttp", transport=ANOTHER),
            "http= and transport= contradict each other",
        ),
        (lambda: made(AsyncSinch, region="eu", http="requests"), 'http= must be "aiohttp"'),
    ],
    ids=["sync", "transport", "another"],
)
def test_wrong_choice_is_named(make: Callable[[], object], text: str) -> None:
    """What cannot be is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=text):
        make()


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says what to install."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigurationError, match=r"install sinch-wrapper\[aiohttp\]"):
        async_pool("aiohttp")


# --- Failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "fault",
    [
        RESET_EARLY,
        DROP,
        RESET,
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\n", pause=5),
        raw(b"no HTTP\r\n\r\n"),
    ],
    ids=["reset early", "drop", "reset", "half", "slow", "no HTTP"],
)
def test_lost_response_is_unknown_and_sent_once(
    server: FaultServer, fault: Fault, method: str
) -> None:
    """Neither we nor aiohttp send it again: it repeats a GET by itself unless it is told not to."""

    async def scenario() -> APIConnectionError:
        async with client(server.url, timeout=2) as sinch:
            # A connection that is in use already is the one on which aiohttp would repeat.
            server.script = [response(), fault]
            await call(sinch, method)
            with pytest.raises(APIConnectionError) as caught:
                await call(sinch, method)
            return caught.value

    error = asyncio.run(scenario())
    assert ("unknown", 1) == (error.outcome, error.attempts)
    assert len(server.seen) == (1 if fault.at_once and server.connections > 1 else 2)
    assert [] == leaks(printed(error))


@pytest.mark.parametrize(
    "where", ["server", "proxy", "tunnel", "refusing proxy", "silent proxy", "proxy without HTTP"]
)
def test_failure_to_connect_is_not_sent(where: str) -> None:
    """Whatever happens before the request leaves, nothing was sent."""

    async def scenario(url: str, proxy: str) -> APIConnectionError:
        async with client(url, proxy=proxy, timeout=0.3) as sinch:
            with pytest.raises(APIConnectionError) as caught:
                await call(sinch)
            return caught.value

    with (
        closed_port() as closed,
        deaf_port() as silent,
        serving(response(407)) as refusing,
        serving(raw(b"220 hello\r\n\r\n")) as other,
    ):
        secure = "https://127.0.0.1:1"
        url, proxy = {
            "server": (closed, ""),
            "proxy": ("http://127.0.0.1:1", closed.replace("://", f"://u:{TOKEN}@")),
            "tunnel": (secure, closed),
            "refusing proxy": (secure, refusing.url.replace("://", f"://u:{TOKEN}@")),
            "silent proxy": (secure, silent),
            "proxy without HTTP": (secure, other.url),
        }[where]
        error = asyncio.run(scenario(url, proxy))

    assert "not_sent" == error.outcome
    assert [] == leaks(printed(error))


def test_no_free_connection_is_not_sent(server: FaultServer) -> None:
    """A call that waits too long for a connection never leaves."""

    async def scenario() -> tuple[str, str]:
        async with client(server.url, connections=1) as sinch:
            await call(sinch)
            server.script = [raw(HEAD, b"{}", pause=2, keep=True)]
            first = asyncio.create_task(call(sinch))
            await asyncio.to_thread(server.wait_until_seen, 2)
            with pytest.raises(APITimeoutError) as caught:
                await call(sinch.with_options(timeout=0.05))
            await first
            return caught.value.outcome, type(caught.value.__cause__).__name__

    assert ("not_sent", "PoolTimeout") == asyncio.run(scenario())
    assert 2 == len(server.seen)


def test_socks_proxy_is_refused(server: FaultServer) -> None:
    """Aiohttp has none, and nothing goes around a proxy that was asked for."""

    async def scenario() -> None:
        async with client(server.url, proxy="socks5://u:secret@127.0.0.1:1") as sinch:
            await call(sinch)

    with pytest.raises(ConfigurationError, match="aiohttp knows no SOCKS") as caught:
        asyncio.run(scenario())
    assert [] == leaks(printed(caught.value))
    assert 0 == server.connections


# --- Connections --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        raw(HEAD + b"{}" + NOT_OURS, keep=True),
        raw(HEAD + b"{}", NOT_OURS, pause=0.05, keep=True),
        raw(HEAD + b"{}"),
    ],
    ids=["at once", "later", "the end"],
)
@pytest.mark.parametrize("stands_still", [True, False], ids=["unread", "read"])
def test_connection_with_unasked_bytes_is_not_used_again(
    server: FaultServer, fault: Fault, *, stands_still: bool
) -> None:
    """A second response to one request is not the response to the next one, nor is an end.

    So it is whether or not the event loop has had the time to look at the connection.
    """

    async def scenario() -> list[int]:
        async with client(server.url) as sinch:
            server.script = [fault, response()]
            statuses = [await call(sinch)]
            if stands_still:
                time.sleep(1)  # noqa: ASYNC251 (see above)
            else:
                await asyncio.sleep(1)
            return [*statuses, await call(sinch)]

    assert [200, 200] == asyncio.run(scenario())
    assert 2 == len(server.seen)


@pytest.mark.parametrize("ticks", range(0, 45, 3))
def test_call_can_be_cancelled_at_any_time(server: FaultServer, ticks: int) -> None:
    """Wherever a call is cancelled, its place is free for the next one, and no task is left."""

    async def scenario() -> tuple[int, int]:
        async with client(server.url, connections=1) as sinch:
            cancelled = asyncio.create_task(call(sinch))
            for _ in range(ticks):
                await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
            status = await call(sinch)
        return status, len(asyncio.all_tasks())

    assert (200, 1) == asyncio.run(scenario())


def test_cancelled_call_leaves_no_request_on_its_way(server: FaultServer) -> None:
    """Its connection ends at once, also when the server has not taken the request in."""
    server.script = [UNREAD]

    async def scenario() -> None:
        async with client(server.url) as sinch:
            session: Any = sinch._session(sinch._options.endpoints.conversation)  # noqa: SLF001 (as above)
            body = {"text": "x" * 10_000_000}
            task = asyncio.create_task(session.request(Operation(method="POST", json=body)))
            await asyncio.to_thread(server.wait_until_connected)
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            found = [each for each in gc.get_objects() if isinstance(each, LimitedProtocol)]
            assert [None] * len(found) == [each.transport for each in found]

    asyncio.run(scenario())


@pytest.mark.parametrize("http", [None, "aiohttp"])
def test_closing_ends_the_calls_that_are_made(server: FaultServer, http: Any) -> None:
    """Those on their way are in doubt, those that wait for a connection were not sent."""
    server.script = [raw(HEAD, b"{}", pause=30)]

    async def scenario() -> list[str]:
        sinch = client(server.url, connections=2, http=http)
        calls = [asyncio.create_task(call(sinch)) for _ in range(4)]
        await asyncio.to_thread(server.wait_until_seen, 2)
        await sinch.aclose()
        ended: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
        return sorted(each.outcome for each in ended)

    assert ["not_sent"] * 2 + ["unknown"] * 2 == asyncio.run(scenario())
    assert 2 == len(server.seen)


def test_client_belongs_to_the_loop_of_its_first_call(server: FaultServer) -> None:
    """In a second one it says so and sends nothing; closing it there is harmless."""
    server.script = [response(Connection="close")]
    sinch = client(server.url)
    assert 200 == asyncio.run(call(sinch))
    with pytest.raises(SinchError, match="another event loop"):
        asyncio.run(call(sinch))
    asyncio.run(sinch.aclose())
    assert 1 == len(server.seen)


def test_unclosed_client_ends_without_a_word(
    server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that nobody closed is no error in the log, as with the HTTP library."""

    async def scenario() -> None:
        await call(client(server.url))

    caplog.set_level(logging.DEBUG)

    def run() -> None:
        asyncio.run(scenario())
        gc.collect()

    with pytest.warns(ResourceWarning):
        run()
    assert [] == [each for each in caplog.records if each.levelno > logging.DEBUG]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_child_leaves_the_connections_of_the_parent_alone(server: FaultServer) -> None:
    """The child forgets them, and the parent goes on with the same connection."""

    async def scenario() -> list[int]:
        async with client(server.url) as sinch:
            return [await call(sinch), _child_that_ends(), await call(sinch)]

    assert [200, 0, 200] == asyncio.run(scenario())
    assert 1 == server.connections


def _child_that_ends() -> int:
    child = os.fork()
    if not child:
        gc.collect()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
