"""Limits of an attempt, over real sockets: its time in all, and the size of a response."""

import asyncio
import gc
import gzip
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from sinch_wrapper import (
    APIConnectionError,
    APITimeoutError,
    AsyncSinch,
    Endpoints,
    Recipient,
    RetryPolicy,
    SinchError,
    text,
)
from sinch_wrapper._http import httpx
from sinch_wrapper._transport.limits import ResponseTooLargeError, decoded
from tests.helpers.callbacks import eventually
from tests.helpers.core import CONNECTED, Flavour, Server
from tests.helpers.fault_server import (
    Fault,
    FaultServer,
    endless,
    raw,
    response,
    serving,
)
from tests.helpers.planted import PHONE, TEXT, leaks, printed

TOTAL = 0.5
# The drips have no end.
SOON = 10
MEGABYTE = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# Each byte comes well within timeout=, which is for a step.
DRIPS: dict[str, Fault] = {
    "a header": endless(OK + b"X: ", b"y", 0.1),
    "the body": endless(OK + b"Content-Length: 99999\r\n\r\n", b"{", 0.1),
    "a chunk": endless(CHUNKED + b"ffff\r\n", b"{", 0.1),
    "the status line": endless(b"HTTP/1.1 200 ", b"O", 0.1),
    "102 again and again": endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.1),
    "102 without a pause": endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 50, 0.001),
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server whose faults the test scripts."""
    with serving() as running:
        yield running


@pytest.fixture
def client(flavour: Flavour, server: FaultServer) -> Iterator[Any]:
    """A client of the server with its own connections, and no repetition."""
    made = flavour.client(
        Server(),
        endpoints=Endpoints.sandbox(server.url),
        transport=None,
        proxy="",
        timeout=2 * SOON,
        attempt_timeout=30,
        max_response_size=MEGABYTE,
        retry=RetryPolicy(attempts=1),
    )
    yield made
    flavour.close(made)


def send(flavour: Flavour, client: Any) -> Any:
    """Send one message."""
    return flavour.run(client.send(app_id="A", to=Recipient.sms(PHONE), message=text(TEXT)))


def read(flavour: Flavour, client: Any) -> Any:
    """Make one call that only reads."""
    return flavour.run(client.conversation.app.list_apps())


@CONNECTED
@pytest.mark.parametrize("call", [send, read])
@pytest.mark.parametrize("name", DRIPS)
def test_dripping_response_ends_with_the_attempt(
    flavour: Flavour, server: FaultServer, client: Any, name: str, call: Callable[..., Any]
) -> None:
    """A response that comes byte by byte is given up after the time in all, as unknown."""
    read(flavour, client)
    server.seen.clear()
    server.script = [DRIPS[name]]
    began = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        call(flavour, client.with_options(attempt_timeout=TOTAL))
    assert TOTAL * 0.9 < time.monotonic() - began < SOON
    assert ("unknown", 1, 1) == (caught.value.outcome, caught.value.attempts, len(server.seen))
    assert leaks(printed(caught.value)) == []


@CONNECTED
@pytest.mark.parametrize("name", DRIPS)
def test_dripping_token_response_holds_nobody_for_long(
    flavour: Flavour, server: FaultServer, client: Any, name: str
) -> None:
    """All callers that wait for the token fail with the attempt, and nothing was sent."""
    server.token_script = [DRIPS[name]]
    began, hasty = time.monotonic(), client.with_options(attempt_timeout=TOTAL)
    found = flavour.all([hasty.conversation.app.list_apps] * 20)
    assert time.monotonic() - began < SOON
    assert {"not_sent"} == {error.outcome for error in found}
    assert [] == server.seen


@CONNECTED
@pytest.mark.parametrize("name", ["a header", "the body", "102 again and again"])
def test_no_attempt_leaks_a_connection_or_a_thread(
    flavour: Flavour, server: FaultServer, client: Any, name: str
) -> None:
    """After attempts that took too long a good call is made, and no thread is left."""
    read(flavour, client)
    threads = set(threading.enumerate())
    server.script = [DRIPS[name]]
    quick = client.with_options(attempt_timeout=0.05)
    for _ in range(6):
        with pytest.raises(APITimeoutError):
            read(flavour, quick)
    server.script = [response()]
    read(flavour, client)
    assert set() == set(threading.enumerate()) - threads - set(server.threads)
    # The server notices that the others have gone when it sends again.
    eventually(lambda: server.open_connections <= 2)


def test_cancelled_task_ends_at_once(server: FaultServer) -> None:
    """Cancelling is not taken for the end of the time, and leaves no task behind."""
    server.script = [DRIPS["the body"]]
    options: Any = {"project_id": "p", "key_id": "k", "key_secret": "s", "proxy": ""}

    async def scenario() -> int:
        async with AsyncSinch(**options, endpoints=Endpoints.sandbox(server.url)) as sinch:
            task = asyncio.create_task(sinch.conversation.app.list_apps())
            await asyncio.to_thread(server.wait_until_seen, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            server.script = [response()]
            await sinch.conversation.app.list_apps()
        return len(asyncio.all_tasks())

    assert 1 == asyncio.run(scenario())


FLOODS: dict[str, Fault] = {
    "a body": endless(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536),
    "chunks": endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "until the connection ends": endless(OK + b"\r\n", b"x" * 65536),
}


@CONNECTED
@pytest.mark.parametrize("name", FLOODS)
def test_endless_response_is_not_collected(
    flavour: Flavour, server: FaultServer, client: Any, name: str
) -> None:
    """A response beyond the largest size is given up, as unknown."""
    server.script = [FLOODS[name]]
    began = time.monotonic()
    with pytest.raises(APIConnectionError, match="ResponseTooLargeError") as caught:
        send(flavour, client)
    assert time.monotonic() - began < SOON
    assert ("unknown", ["POST"]) == (caught.value.outcome, server.seen)


FRAMES: dict[str, Fault] = {
    "the extension of a chunk": endless(CHUNKED + b"2;", b"a" * 65536),
    "the size of a chunk": endless(CHUNKED, b"0" * 65536),
    "a trailer": endless(CHUNKED + b"2\r\n{}\r\n0\r\nX: ", b"y" * 65536),
    "trailers": endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 1000),
    "headers": endless(OK, b"X: y\r\n" * 1000),
    "a reason": endless(b"HTTP/1.1 200 ", b"O" * 65536),
    "empty lines": endless(b"", b"\r\n" * 1000),
}


@CONNECTED
@pytest.mark.parametrize("name", FRAMES)
def test_endless_frame_of_a_response_is_given_up(
    flavour: Flavour, server: FaultServer, client: Any, name: str
) -> None:
    """What is around a body has an end as well, long before the time in all is over."""
    server.script = [FRAMES[name]]
    patient = client.with_options(attempt_timeout=60)
    began = time.monotonic()
    with pytest.raises(APIConnectionError) as caught:
        send(flavour, patient)
    assert time.monotonic() - began < 30
    assert ("unknown", ["POST"]) == (caught.value.outcome, server.seen)


@cache
def packed(coding: str, size: int) -> bytes:
    """Zeros that are *size* bytes when unpacked."""
    window = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS, "raw": -zlib.MAX_WBITS}
    packing = zlib.compressobj(9, zlib.DEFLATED, window[coding])
    part = b"\0" * MEGABYTE
    return b"".join([*(packing.compress(part) for _ in range(size // MEGABYTE)), packing.flush()])


BOMB = 64 * MEGABYTE


@CONNECTED
@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
def test_bomb_is_not_built(flavour: Flavour, server: FaultServer, client: Any, coding: str) -> None:
    """A few bytes that become many are unpacked up to the largest size only."""
    name = "deflate" if coding == "raw" else coding
    bomb = packed(coding, BOMB)
    server.script = [response(200, bomb, Content_Encoding=name)]
    tracemalloc.start()
    try:
        with pytest.raises(APIConnectionError, match="ResponseTooLargeError") as caught:
            send(flavour, client)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "unknown" == caught.value.outcome
    assert most < 12 * MEGABYTE


@CONNECTED
@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_encoding_that_was_not_asked_for_is_not_unpacked(
    flavour: Flavour, server: FaultServer, client: Any, coding: str
) -> None:
    """No other decoder that happens to be installed is let loose on a response."""
    bomb = gzip.compress(gzip.compress(b"\0" * MEGABYTE))
    server.script = [response(200, bomb, Content_Encoding=coding)]
    with pytest.raises(SinchError, match="Content-Encoding is wrong"):
        send(flavour, client)


@CONNECTED
@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0)),
        ("X-GZip", gzip.compress(b"{}", mtime=0)),
        ("deflate", zlib.compress(b"{}")),
        ("deflate", zlib.compress(b"{}", wbits=-zlib.MAX_WBITS)),
        ("identity", b"{}"),
        ("", b"{}"),
    ],
    ids=["gzip", "old gzip", "zlib", "raw", "identity", "empty"],
)
def test_usual_encodings_are_unpacked(
    flavour: Flavour, server: FaultServer, client: Any, coding: str, content: bytes
) -> None:
    """What was asked for is read as ever."""
    server.script = [response(200, content, Content_Encoding=coding)]
    assert [] == list(read(flavour, client).apps or [])


def test_response_of_the_largest_size_is_read() -> None:
    """One byte more is too large."""
    content = b"x" * 1000
    assert content == decoded(gzip.compress(content), "gzip", 1000)
    with pytest.raises(ResponseTooLargeError):
        decoded(gzip.compress(content + b"x"), "gzip", 1000)


@CONNECTED
def test_slow_but_steady_response_is_read(
    flavour: Flavour, server: FaultServer, client: Any
) -> None:
    """The same drip within the time in all is a response like any other."""
    server.script = [raw(OK, b"Content-Length: 2\r\n\r\n", b"{", b"}", pause=0.05)]
    read(flavour, client)


@CONNECTED
def test_response_sent_twice_is_not_the_next_one(
    flavour: Flavour, server: FaultServer, client: Any
) -> None:
    """Bytes after a response end the connection, so no call gets what belongs to another."""
    one = b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"message_id": "%03d"}'
    halves = [one % 1 + (one % 1)[:30], one % 2 + one % 2, one % 3 + b"\r\n", one % 4]
    server.script = [raw(part, keep=True) for part in halves]
    assert ["001", "002", "003", "004"] == [send(flavour, client).message_id for _ in range(4)]
    assert 4 == len(server.seen)


class Doubting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of somebody else that drips."""

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        """Respond for ever."""
        return httpx.Response(200, stream=Drip())

    async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
        """Respond for ever."""
        return httpx.Response(200, stream=Drip())


class Drip(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body without end."""

    def __iter__(self) -> Any:
        while True:
            time.sleep(0.02)
            yield b"x"

    async def __aiter__(self) -> Any:
        while True:
            await asyncio.sleep(0.02)
            yield b"x"


@CONNECTED
def test_transport_of_the_caller_has_the_same_limits(flavour: Flavour) -> None:
    """A body that drips is given up whoever carries it."""
    client = flavour.client(
        Server(), transport=Doubting(), attempt_timeout=TOTAL, auth=lambda: "token", key_id=None,
        key_secret=None, retry=RetryPolicy(attempts=1),
    )  # fmt: skip
    with pytest.raises(APITimeoutError) as caught:
        read(flavour, client)
    assert "unknown" == caught.value.outcome
    gc.collect()
