"""Threads and event loops together: one token, one rate."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sinch_wrapper import AsyncSinch, RateLimiter, RateLimits, RetryPolicy, Sinch
from sinch_wrapper._http import httpx
from sinch_wrapper._session import Session
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper._transport.retrying import AsyncRetryingTransport, RetryingTransport
from tests.helpers.core import (
    BASE_URL,
    Clock,
    Operation,
    Server,
    bearer,
    bearer_auth_on,
    request_for,
    retry_context_on,
    token_response,
)

OK = httpx.Response(200, json={})


@pytest.mark.parametrize("first", ["cold", "refused"])
def test_one_renewal_for_threads_and_tasks(first: str) -> None:
    """Eight threads and two loops of eight tasks share one token request, cold or after a 401."""
    clock, guard = Clock(), threading.Lock()
    asked: list[httpx.Request] = []
    good = "token-1" if first == "cold" else "token-2"

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            with guard:
                asked.append(request)
                number = len(asked)
            return token_response(f"token-{number}")
        return httpx.Response(200 if bearer(request) == good else 401)

    def blocking(request: httpx.Request) -> httpx.Response:
        time.sleep(0.02)
        return respond(request)

    async def waiting(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.02)
        return respond(request)

    auth = bearer_auth_on(clock)
    transport = RetryingTransport(httpx.MockTransport(blocking), retry_context_on(clock))
    client = HTTPClient(transport, auth)

    async def eight() -> list[int]:
        inner = AsyncRetryingTransport(httpx.MockTransport(waiting), retry_context_on(clock))
        async_client = AsyncHTTPClient(inner, auth)
        responses = await asyncio.gather(*(async_client.send(request_for()) for _ in range(8)))
        return [response.status_code for response in responses]

    if first == "refused":
        # All begin with a token that the API refuses.
        flow = auth.send(request_for())
        next(flow)
        flow.send(token_response("token-1"))
        flow.close()
        asked.append(request_for())
    with ThreadPoolExecutor(10) as pool:
        loops = [pool.submit(asyncio.run, eight()) for _ in range(2)]
        threads = [pool.submit(client.send, request_for()) for _ in range(8)]
    statuses = [future.result().status_code for future in threads]
    statuses += [status for future in loops for status in future.result()]
    assert statuses == [200] * 24
    assert len(asked) == (1 if first == "cold" else 2)


def test_clients_share_a_limiter() -> None:
    """A Sinch and an AsyncSinch with the same RateLimiter share its rate."""
    limiter = RateLimiter(RateLimits(requests_per_second=200, burst=1))
    options = {"project_id": "p", "key_id": "k", "key_secret": "s", "region": "eu"}
    server = Server(OK)
    sinch = Sinch(limits=limiter, transport=httpx.MockTransport(server), **options)  # type: ignore[arg-type]

    async def ten() -> None:
        transport = httpx.MockTransport(server)
        async with AsyncSinch(limits=limiter, transport=transport, **options) as other:  # type: ignore[arg-type]
            await asyncio.gather(*(other.conversation.app.list_apps() for _ in range(10)))

    began = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        pool.submit(asyncio.run, ten())
        for _ in range(10):
            pool.submit(sinch.conversation.app.list_apps)
    # Twenty requests are nineteen slots of 5 ms, whichever client books them.
    assert time.monotonic() - began >= 19 * 0.005
    assert len(server.requests) == 20


def test_clients_do_not_share_plain_limits() -> None:
    """Clients with equal RateLimits do not wait for each other."""
    limits = RateLimits(requests_per_second=0.01, burst=1)
    for _ in range(3):
        transport = httpx.MockTransport(Server(OK))
        with Sinch(
            project_id="p", key_id="k", key_secret="s", region="eu", limits=limits,
            transport=transport,
        ) as sinch:  # fmt: skip
            sinch.conversation.app.list_apps()


def test_throttled_client_slows_the_others(clock: Clock) -> None:
    """A 429 to one client lowers the rate of those that share its limiter, and of no other."""
    limiter = RateLimiter(RateLimits(requests_per_second=100, burst=1), clock)
    apart = RateLimiter(RateLimits(requests_per_second=100, burst=1), clock)
    throttled = Server(httpx.Response(429))
    context = retry_context_on(clock, requests=limiter)
    transport = RetryingTransport(httpx.MockTransport(throttled), context, clock.sleep)
    transport.send(request_for(retry=RetryPolicy(attempts=1)))
    assert (limiter.requests_per_second, apart.requests_per_second) == (95, 100)
    # The slot of the first request was booked at the rate before.
    waits = [limiter.reserve() for _ in range(3)]
    assert waits == pytest.approx([0.01, 0.01 + 1 / 95, 0.01 + 2 / 95], abs=1e-8)


def test_token_endpoint_is_throttled_on_its_own(clock: Clock) -> None:
    """Its 429 does not slow the API, nor the other way round."""
    requests, tokens = (
        RateLimiter(RateLimits(requests_per_second=100), clock),
        RateLimiter(RateLimits(requests_per_second=10), clock),
    )
    server = Server(OK, tokens=[httpx.Response(429), token_response()])
    context = retry_context_on(clock, requests=requests, tokens=tokens)
    transport = RetryingTransport(httpx.MockTransport(server), context, clock.sleep)
    client = HTTPClient(transport, bearer_auth_on(clock))
    Session(client, BASE_URL, timeout=10.0, retry=RetryPolicy()).request(Operation())
    assert (requests.requests_per_second, tokens.requests_per_second) == (100, 9.5)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_child_works_while_the_parent_renews() -> None:
    """A child forked in the middle of a renewal and of bookings makes its own."""
    entered, released = threading.Event(), threading.Event()

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            entered.set()
            released.wait(20)
            return token_response()
        return OK

    sinch = Sinch(
        project_id="p", key_id="k", key_secret="s", region="eu",
        transport=httpx.MockTransport(handler),
    )  # fmt: skip
    thread = threading.Thread(target=sinch.conversation.app.list_apps)
    thread.start()
    assert entered.wait(20)
    child = os.fork()
    if child == 0:
        released.set()
        os._exit(0 if sinch.conversation.app.list_apps_detailed().status_code == 200 else 1)
    released.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()
