"""Limiting and repeating requests, for threads and tasks."""

import asyncio
import contextlib
import gzip
import logging
import time
from typing import Any

import pytest

from sinch_wrapper import RetryPolicy
from sinch_wrapper._http import httpx
from sinch_wrapper._request import UNDECODABLE, APIRequest
from sinch_wrapper._transport.retrying import AsyncRetryingTransport
from tests.helpers.core import Clock, Flavour, Server, request_for, retry_context_on

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
DATE = "Wed, 01 Jan 2099 00:00:00 GMT"


class Counting(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that counts how often it is closed, and may break in the middle."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.closed = 0

    def __iter__(self) -> Any:
        yield b'{"half":'
        if self.broken:
            raise httpx.ReadError("reset")
        yield b"1}"

    async def __aiter__(self) -> Any:
        for part in self:
            yield part

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.close()


def send(
    flavour: Flavour, server: Any, clock: Clock, request: APIRequest, **parts: Any
) -> httpx.Response:
    """Send *request* to *server* through a retrying transport on fake time."""
    transport = flavour.retrying(
        httpx.MockTransport(server), retry_context_on(clock, **parts), clock
    )
    return flavour.run(transport.send(request))  # type: ignore[no-any-return]


def test_failure_is_repeated_after_a_backoff(flavour: Flavour, clock: Clock) -> None:
    """Two 503s and a 200: three attempts, with waits of half the range."""
    server = Server(httpx.Response(503), httpx.Response(503), httpx.Response(200))
    request = request_for()
    assert send(flavour, server, clock, request).status_code == 200
    assert clock.sleeps == [0.25, 0.5]
    assert request.call.attempts == 3
    assert request.call.doubtful


def test_last_response_is_returned(flavour: Flavour, clock: Clock) -> None:
    """When the attempts are used up, the last response is final, body and all."""
    request = request_for()
    server = Server(httpx.Response(503, text="busy"))
    response = send(flavour, server, clock, request)
    assert (response.status_code, response.content, len(server.requests)) == (503, b"busy", 4)


def test_last_exception_is_raised(flavour: Flavour, clock: Clock) -> None:
    """When the attempts are used up, the last exception is raised."""
    server = Server(httpx.ConnectError("refused"))
    with pytest.raises(httpx.ConnectError):
        send(flavour, server, clock, request_for("POST"))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout(""), httpx.ReadError(""), httpx.Response(502)]
)
def test_doubtful_post_is_not_repeated(
    flavour: Flavour, clock: Clock, failure: httpx.Response | Exception
) -> None:
    """A POST that may have been carried out is sent once."""
    server = Server(failure)
    request = request_for("POST")
    with contextlib.suppress(httpx.TransportError):
        send(flavour, server, clock, request)
    assert len(server.requests) == 1
    assert request.call.doubtful


@pytest.mark.parametrize(
    ("method", "seen"), [("GET", 2), ("PUT", 2), ("DELETE", 2), ("PATCH", 1), ("POST", 1)]
)
def test_half_a_body_counts_as_a_failed_attempt(
    flavour: Flavour, clock: Clock, method: str, seen: int
) -> None:
    """The body is read inside the attempt, and repeating depends on the method."""
    broken = Counting(broken=True)
    server = Server(httpx.Response(200, stream=broken), httpx.Response(200, json={"whole": 1}))
    try:
        assert send(flavour, server, clock, request_for(method)).json() == {"whole": 1}
    except httpx.ReadError:
        assert seen == 1
    assert seen == len(server.requests)
    assert broken.closed >= 1


def test_failed_response_is_closed_before_the_repetition(flavour: Flavour, clock: Clock) -> None:
    """A failed response is closed first: otherwise each attempt would leak a connection."""
    body = Counting()
    closed_at_repetition: list[int] = []

    def again(_: httpx.Request) -> httpx.Response:
        closed_at_repetition.append(body.closed)
        return httpx.Response(200)

    send(flavour, Server(httpx.Response(503, stream=body), again), clock, request_for())
    assert closed_at_repetition >= [1]


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({"Retry-After": "0"}, {}, 0.25),
        ({"Retry-After": "86400"}, {}, 60.0),
        ({"Retry-After": DATE}, {}, 60.0),
        ({"Retry-After": "inf"}, {}, 0.25),
        ({"Retry-After": "nan"}, {}, 0.25),
        ({"Retry-After": "-3"}, {}, 0.25),
        ({"Retry-After": "soon"}, {}, 0.25),
        ({}, {"@type": RETRY_INFO, "retry_delay": "4s"}, 4.0),
        ({"Retry-After": "2"}, {"@type": RETRY_INFO, "retry_delay": "4s"}, 4.0),
        ({"Retry-After": "6.5"}, {"@type": RETRY_INFO, "retry_delay": "4s"}, 6.5),
        ({"Retry-After": "soon"}, {"@type": RETRY_INFO, "retry_delay": "86400s"}, 60.0),
    ],
)
def test_server_decides_the_wait(
    flavour: Flavour,
    clock: Clock,
    headers: dict[str, str],
    body: dict[str, str],
    seconds: float,
) -> None:
    """`Retry-After` and RetryInfo are honoured, up to a minute; garbage is not."""
    throttled = httpx.Response(429, headers=headers, json={"error": {"details": [body]}})
    assert (
        send(
            flavour, Server(throttled, httpx.Response(200)), clock, request_for("POST")
        ).status_code
        == 200
    )
    assert [seconds] == clock.sleeps


def test_deadline_ends_the_attempts(flavour: Flavour, clock: Clock) -> None:
    """Two waits of a minute fit into the deadline of two minutes."""
    server = Server(httpx.Response(429, headers={"Retry-After": "3600"}))
    policy = RetryPolicy(attempts=100)
    assert send(flavour, server, clock, request_for("GET", policy)).status_code == 429
    assert clock.sleeps == [60.0, 60.0]


class Stubborn:
    """A limiter that makes each request wait, and counts."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.count = 0

    def reserve(self) -> float:
        """Make the caller wait."""
        self.count += 1
        return self.seconds

    def throttled(self, ago: float) -> None:
        """Ignore it."""


def test_each_attempt_books_a_slot(flavour: Flavour, clock: Clock) -> None:
    """Repetitions book a slot too."""
    limiter = Stubborn(0.125)
    server = Server(httpx.Response(503), httpx.Response(200))
    send(flavour, server, clock, request_for(), requests=limiter)
    assert clock.sleeps == [0.125, 0.25, 0.125]
    assert limiter.count == 2


def test_token_requests_have_their_own_bucket(flavour: Flavour, clock: Clock) -> None:
    """The token endpoint has a quota of its own."""
    requests, tokens = Stubborn(0), Stubborn(0)
    request = request_for()
    request.call.token = True
    send(flavour, Server(), clock, request, requests=requests, tokens=tokens)
    assert (requests.count, tokens.count) == (0, 1)


def test_undecodable_body_keeps_the_status(flavour: Flavour, clock: Clock) -> None:
    """A wrong Content-Encoding loses the body, not the status; and the 503 is repeated."""
    wrong = {"Content-Encoding": "gzip"}

    def encoded(status: int) -> Any:
        return lambda _: httpx.Response(status, headers=wrong, stream=httpx.ByteStream(b"no gzip"))

    server = Server(encoded(503), encoded(200))
    response = send(flavour, server, clock, request_for())
    assert (response.status_code, response.content, response.extensions[UNDECODABLE]) == (
        200,
        b"",
        True,
    )
    assert len(server.requests) == 2


def test_compressed_body_is_decoded(flavour: Flavour, clock: Clock) -> None:
    """A body is decoded as its Content-Encoding says."""
    body = httpx.ByteStream(gzip.compress(b'{"a":1}'))
    response = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=body)
    assert send(flavour, Server(response), clock, request_for()).json() == {"a": 1}


def test_cancelling_ends_a_wait_at_once() -> None:
    """A task that waits to repeat stops when it is cancelled."""

    async def scenario() -> float:
        clock = Clock()
        throttled = Server(httpx.Response(429, headers={"Retry-After": "60"}))
        transport = AsyncRetryingTransport(httpx.MockTransport(throttled), retry_context_on(clock))
        task = asyncio.create_task(transport.send(request_for()))
        await asyncio.sleep(0.01)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(scenario()) < 30


def test_deadline_counts_from_the_first_attempt(flavour: Flavour, clock: Clock) -> None:
    """Waiting for the first slot does not use up the time for repeating."""
    server = Server(httpx.Response(503), httpx.Response(200))
    response = send(flavour, server, clock, request_for(), requests=Stubborn(500))
    assert (response.status_code, clock.sleeps[0]) == (200, 500)


def test_closed_transport_repeats_nothing(flavour: Flavour, clock: Clock) -> None:
    """A call whose client is closed in the meantime ends with its last response."""
    seen: list[httpx.Request] = []

    def close(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        transport.close()
        return httpx.Response(503)

    async def aclose(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        await transport.aclose()
        return httpx.Response(503)

    inner = httpx.MockTransport(close if flavour.name == "sync" else aclose)
    transport = flavour.retrying(inner, retry_context_on(clock), clock)
    assert flavour.run(transport.send(request_for())).status_code == 503
    assert len(seen) == 1


def test_log_reports_attempts_without_ids(
    flavour: Flavour, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Repetitions are logged at INFO, the end at DEBUG, and no URL is complete."""
    caplog.set_level(logging.DEBUG, "sinch_wrapper")
    send(flavour, Server(httpx.Response(503), httpx.Response(200)), clock, request_for())
    assert [record.getMessage() for record in caplog.records] == [
        "Things_GetThing: 503 on attempt 1, next in 0.25 s",
        "Things_GetThing: attempt 1 was GET /v1/<hidden>",
        "Things_GetThing: 200 on attempt 2 after 250 ms (GET /v1/<hidden>)",
    ]


def test_close_closes_the_inner_transport(flavour: Flavour, clock: Clock) -> None:
    """Closing the transport closes the pool."""

    class Inner(httpx.BaseTransport, httpx.AsyncBaseTransport):
        closed = False

        def close(self) -> None:
            self.closed = True

        async def aclose(self) -> None:
            self.closed = True

    inner = Inner()
    transport = flavour.retrying(inner, retry_context_on(clock), clock)
    flavour.run(transport.close() if flavour.name == "sync" else transport.aclose())
    assert inner.closed
