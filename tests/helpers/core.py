"""Fixtures of the core: fake time, hand-made operations, and one interface for sync and async."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from sinch_wrapper import AsyncSinch, RetryPolicy, Sinch
from sinch_wrapper._auth.credentials import AccessKey, AuthProvider
from sinch_wrapper._auth.flow import Auth, BearerAuth, TokenCache
from sinch_wrapper._auth.token_source import TokenSource
from sinch_wrapper._http import AIOHTTP, httpx
from sinch_wrapper._request import APIRequest, Call, headers_for, timeouts
from sinch_wrapper._session import AsyncSession, Session
from sinch_wrapper._transport.foreign import AsyncForeignTransport, ForeignTransport
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper._transport.retrying import (
    AsyncRetryingTransport,
    RetryContext,
    RetryingTransport,
)

Handler = Callable[[httpx.Request], Any]

PROJECT = "project-1"
KEY_ID = "planted-key-id"
KEY_SECRET = "planted-key-secret"
TOKEN_URL = "https://auth.example/oauth2/token"
BASE_URL = "https://api.example"


@dataclass
class Clock:
    """Time that moves only when a caller sleeps; it records the sleeps."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Return seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.sleep(seconds)


@dataclass(frozen=True, repr=False)
class Operation:
    """An operation such as the generated packages build; its repr hides its values."""

    id: str = "Things_GetThing"
    method: str = "GET"
    path: str = "/v1/things/1"
    params: Mapping[str, str | list[str]] = field(default_factory=dict)
    json: object = None
    load: Callable[[object], Any] | None = lambda value: value


def token_response(value: str = "token-1", **fields: object) -> httpx.Response:
    """The response of the token endpoint."""
    body = {"access_token": value, "expires_in": 3600, "token_type": "bearer", **fields}
    return httpx.Response(200, json=body)


def is_token_request(request: httpx.Request) -> bool:
    """Whether *request* asks for a token."""
    return request.url.path.endswith("/oauth2/token")


def bearer(request: httpx.Request) -> str:
    """Read the token of *request*."""
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")


class Server:
    """A fake server: scripted responses one after the other, the last one for ever.

    Each is a response, an exception to raise, or a function of the request.
    """

    def __init__(self, *responses: object, tokens: Sequence[object] | None = None) -> None:
        self._responses = list(responses) or [httpx.Response(200, json={})]
        self._tokens = list(tokens) if tokens is not None else None
        self.requests: list[httpx.Request] = []
        self.token_requests: list[httpx.Request] = []
        self.tokens_used: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to *request*."""
        if is_token_request(request):
            self.token_requests.append(request)
            if self._tokens is None:
                return token_response(f"token-{len(self.token_requests)}")
            return _respond(self._tokens, request)
        self.requests.append(request)
        # Recorded now, because a repeated request is the same object with another token.
        self.tokens_used.append(bearer(request))
        return _respond(self._responses, request)


def _respond(script: list[object], request: httpx.Request) -> httpx.Response:
    response = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(response, Exception):
        raise response
    if callable(response):
        response = response(request)
    assert isinstance(response, httpx.Response)
    # A fresh copy, because a response can be read once.
    return httpx.Response(
        response.status_code, headers=response.headers.multi_items(), stream=response.stream
    )


class Flavour:
    """Threads or tasks: what lets one test run for both."""

    name: str
    # What http= a client gets whose connections are its own.
    http: Literal["aiohttp"] | None = None

    def run(self, thing: Any) -> Any:
        """Return *thing*, awaited when it must be."""
        raise NotImplementedError

    def all(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make all *calls* at the same time; exceptions come back as values."""
        raise NotImplementedError

    def slowly(self, handler: Handler) -> Handler:
        """Let *handler* take a moment, so that other callers arrive in the meantime."""
        raise NotImplementedError

    def client(self, handler: Handler, **options: Any) -> Any:
        """Build a Sinch or AsyncSinch over *handler*."""
        kind: Any = AsyncSinch if self.name == "async" else Sinch
        given: dict[str, Any] = {
            "project_id": PROJECT,
            "key_id": KEY_ID,
            "key_secret": KEY_SECRET,
            "limits": None,
            "transport": httpx.MockTransport(handler),
        }
        if "endpoints" not in options:
            given["region"] = "eu"
        given |= options
        if given["transport"] is None:
            given["http"] = self.http
        return kind(**given)

    def close(self, client: Any) -> None:
        """Close *client*."""
        self.run(client.aclose() if self.name == "async" else client.close())

    def retrying(self, inner: Any, context: RetryContext, clock: Clock) -> Any:
        """Build a retrying transport over *inner* that sleeps on *clock*."""
        if self.name == "async":
            foreign = AsyncForeignTransport(inner, context.largest)
            return AsyncRetryingTransport(foreign, context, clock.asleep)
        return RetryingTransport(ForeignTransport(inner, context.largest), context, clock.sleep)

    def http_client(self, transport: Any, auth: Auth) -> Any:
        """Build an HTTP client over a retrying *transport*."""
        return (AsyncHTTPClient if self.name == "async" else HTTPClient)(transport, auth)

    def session(
        self,
        handler: Handler,
        *,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        auth: Auth | None = None,
    ) -> Any:
        """Build a session over *handler*, with fake time."""
        clock = clock or Clock()
        transport = self.retrying(httpx.MockTransport(handler), retry_context_on(clock), clock)
        http_client = self.http_client(transport, auth or bearer_auth_on(clock))
        kind: Any = AsyncSession if self.name == "async" else Session
        return kind(http_client, BASE_URL, timeout=10.0, retry=retry or RetryPolicy())


class SyncFlavour(Flavour):
    """Threads."""

    name = "sync"

    def run(self, thing: Any) -> Any:
        """Return *thing*."""
        assert not inspect.isawaitable(thing)
        return thing

    def all(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make all *calls*, each in a thread."""
        with ThreadPoolExecutor(len(calls)) as pool:
            futures = [pool.submit(call) for call in calls]
        return [future.exception() or future.result() for future in futures]

    def slowly(self, handler: Handler) -> Handler:
        """Let *handler* take a moment."""

        def response(request: httpx.Request) -> httpx.Response:
            time.sleep(0.02)
            return handler(request)  # type: ignore[no-any-return]

        return response


class AsyncFlavour(Flavour):
    """Tasks."""

    name = "async"

    def __init__(self, runner: asyncio.Runner, http: Literal["aiohttp"] | None = None) -> None:
        self._runner, self.http = runner, http

    def run(self, thing: Any) -> Any:
        """Await *thing*."""

        async def wait() -> Any:
            return await thing

        return self._runner.run(wait())

    def all(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make all *calls*, each in a task."""

        async def gather() -> list[Any]:
            return await asyncio.gather(*(call() for call in calls), return_exceptions=True)

        return self._runner.run(gather())

    def slowly(self, handler: Handler) -> Handler:
        """Let *handler* take a moment."""

        async def response(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.02)
            return handler(request)  # type: ignore[no-any-return]

        return response


def retry_context_on(clock: Clock, **parts: Any) -> RetryContext:
    """Build a retry context on fake time, without limits and with a jitter of one half."""
    given = {"clock": clock, "jitter": lambda: 0.5, "now": lambda: datetime(2026, 1, 1, tzinfo=UTC)}
    return RetryContext(**{**given, **parts})


def bearer_auth_on(clock: Clock, origin: AccessKey | AuthProvider | None = None) -> BearerAuth:
    """Build the authentication on fake time."""
    source = TokenSource(origin or AccessKey(KEY_ID, KEY_SECRET), TOKEN_URL)
    return BearerAuth(source, TokenCache(clock))


def request_for(method: str = "GET", retry: RetryPolicy | None = None) -> APIRequest:
    """Build a request as a session does."""
    call = Call("Things_GetThing", method, retry or RetryPolicy(), timeouts(10.0))
    url = httpx.URL(f"{BASE_URL}/v1/things")
    return APIRequest(call, method, url, headers_for(url.netloc))


@pytest.fixture
def clock() -> Clock:
    """Fake time."""
    return Clock()


# For tests of real connections: threads, tasks, and tasks over aiohttp.
CONNECTED = pytest.mark.parametrize("flavour", ["sync", "async", "aiohttp"], indirect=True)


@pytest.fixture(params=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    """Threads, then tasks."""
    if request.param == "sync":
        yield SyncFlavour()
        return
    with asyncio.Runner() as runner:
        yield AsyncFlavour(runner, AIOHTTP if request.param == AIOHTTP else None)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Unset every variable that the client reads."""
    for name in ("PROJECT_ID", "KEY_ID", "KEY_SECRET", "REGION", "SANDBOX_URL"):
        monkeypatch.delenv(f"SINCH_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch
