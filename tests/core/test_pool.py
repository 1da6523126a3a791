"""The connection pool: each request has a transport of the HTTP library to itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper._transport.pool import AsyncConnectionPool, ConnectionPool
from sinch_wrapper.sandbox import Server


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in two parts that records whether it was closed."""

    closed = False

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - the parts of the body
        yield b"one "
        yield b"two"

    async def __aiter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - as above
        yield b"one "
        yield b"two"

    def close(self) -> None:
        """Record it."""
        self.closed = True

    async def aclose(self) -> None:
        """Record it."""
        self.closed = True


def request(pool: float = 5.0) -> httpx.Request:
    """A request that waits *pool* seconds for a free transport."""
    return httpx.Request("GET", "http://api.example/", extensions={"timeout": {"pool": pool}})


Send = Callable[[Callable[[httpx.Request], httpx.Response], int], httpx.Response]


@pytest.fixture(params=["threads", "tasks"])
def send(request: pytest.FixtureRequest) -> Send:
    """Send one request through a pool whose transports are a function."""

    def blocking(handler: Callable[[httpx.Request], httpx.Response], number: int) -> httpx.Response:
        pool = ConnectionPool(lambda: httpx.MockTransport(handler), number)
        return pool.handle_request(globals()["request"]())

    def asynchronous(
        handler: Callable[[httpx.Request], httpx.Response], number: int
    ) -> httpx.Response:
        pool = AsyncConnectionPool(lambda: httpx.MockTransport(handler), number)
        return asyncio.run(pool.handle_async_request(globals()["request"]()))

    return blocking if request.param == "threads" else asynchronous


def test_body_is_taken_in_and_the_connection_given_back(send: Send) -> None:
    """The whole body is read inside the pool, and its stream is closed."""
    body = Body()
    response = send(lambda _: httpx.Response(200, stream=body), 1)
    assert (b"one two", True) == (response.read(), body.closed)


def test_failure_frees_the_transport_in_threads() -> None:
    """A transport whose request failed is used for the next one."""
    failures = [httpx.ReadError("reset")]

    def handler(_: httpx.Request) -> httpx.Response:
        if failures:
            raise failures.pop()
        return httpx.Response(200)

    pool = ConnectionPool(lambda: httpx.MockTransport(handler), 1)
    with pytest.raises(httpx.ReadError):
        pool.handle_request(request())
    assert 200 == pool.handle_request(request()).status_code


def test_cancelled_task_frees_its_transport() -> None:
    """A task that is cancelled in its request leaves the transport to the next one."""

    async def run() -> int:
        started = asyncio.Event()

        async def handler(_: httpx.Request) -> httpx.Response:
            if not started.is_set():
                started.set()
                await asyncio.sleep(60)
            return httpx.Response(200)

        pool = AsyncConnectionPool(lambda: httpx.MockTransport(handler), 1)
        task = asyncio.create_task(pool.handle_async_request(request()))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return (await pool.handle_async_request(request())).status_code

    assert 200 == asyncio.run(run())


def test_no_free_transport_in_time_is_a_pool_timeout_in_threads() -> None:
    """A request that finds no free transport for as long as it may wait is not sent."""
    entered, leave = threading.Event(), threading.Event()

    def handler(_: httpx.Request) -> httpx.Response:
        entered.set()
        leave.wait(10)
        return httpx.Response(200)

    pool = ConnectionPool(lambda: httpx.MockTransport(handler), 1)
    other = threading.Thread(target=pool.handle_request, args=[request()])
    other.start()
    entered.wait(10)
    with pytest.raises(httpx.PoolTimeout):
        pool.handle_request(request(pool=0.01))
    leave.set()
    other.join()


def test_request_that_waits_when_the_pool_is_closed_is_not_sent() -> None:
    """It gets the transport of the one before it, which must not open a connection any more."""
    entered, leave = threading.Event(), threading.Event()
    seen = []

    def handler(_: httpx.Request) -> httpx.Response:
        seen.append(1)
        entered.set()
        leave.wait(10)
        return httpx.Response(200)

    pool = ConnectionPool(lambda: httpx.MockTransport(handler), 1)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(pool.handle_request, request())
        entered.wait(10)
        second = threads.submit(pool.handle_request, request())
        pool.close()
        leave.set()
        assert 200 == first.result().status_code
        with pytest.raises(httpx.ConnectError):
            second.result()
    assert [1] == seen


def test_no_free_transport_in_time_is_a_pool_timeout_in_tasks() -> None:
    """A request that finds no free transport in time is not sent; one that may wait longer is."""

    async def run() -> list[object]:
        leave = asyncio.Event()

        async def handler(_: httpx.Request) -> httpx.Response:
            await leave.wait()
            return httpx.Response(200)

        pool = AsyncConnectionPool(lambda: httpx.MockTransport(handler), 1)
        calls = [
            asyncio.create_task(pool.handle_async_request(request(pool=seconds)))
            for seconds in (60, 0.01, 60)
        ]
        await asyncio.wait(calls[1:2])
        leave.set()
        found = await asyncio.gather(*calls, return_exceptions=True)
        return [getattr(each, "status_code", type(each)) for each in found]

    assert [200, httpx.PoolTimeout, 200] == asyncio.run(run())


class Hanging(httpx.AsyncBaseTransport):
    """A transport that never responds; each one opened after the first responds at once."""

    opened: list[Hanging]

    def __init__(self) -> None:
        self.opened.append(self)
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hang, unless another transport was opened before."""
        del request
        if self is self.opened[0]:
            await asyncio.sleep(3600)
        return httpx.Response(200, stream=Body())

    async def aclose(self) -> None:
        """Record it."""
        self.closed = True


def test_transport_of_a_cancelled_request_is_replaced() -> None:
    """What a cancelled request leaves behind in its transport does not block later requests."""
    Hanging.opened = []

    async def scenario() -> tuple[int, list[bool]]:
        pool = AsyncConnectionPool(Hanging, 1)
        first = asyncio.create_task(pool.handle_async_request(request()))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        response = await asyncio.wait_for(pool.handle_async_request(request()), 10)
        closed = [each.closed for each in Hanging.opened]
        await pool.aclose()
        return response.status_code, closed + [each.closed for each in Hanging.opened]

    assert (200, [True, False, True, True]) == asyncio.run(scenario())


@pytest.mark.slow
def test_cancelled_connects_leave_nothing_behind() -> None:
    """Whenever a request is cancelled, the next one gets through."""

    def open_transport() -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))

    async def after_cancelling(url: str, ticks: int) -> int:
        pool = AsyncConnectionPool(open_transport, 1)
        timeouts = {"pool": 1.0, "connect": 5.0, "read": 5.0, "write": 5.0}

        async def call() -> int:
            asked = httpx.Request("GET", url, extensions={"timeout": timeouts})
            return (await pool.handle_async_request(asked)).status_code

        cancelled = asyncio.create_task(call())
        for _ in range(ticks):
            await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        try:
            return await call()
        finally:
            await pool.aclose()

    with Server() as server:
        for ticks in range(40):
            assert 200 == asyncio.run(after_cancelling(f"{server.url}/_sandbox", ticks))
