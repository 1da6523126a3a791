"""Fixtures of the core: fake time, hand-made operations, and one face for sync and async."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sinch_wrapper import AsyncSinch, RetryPolicy, Sinch
from sinch_wrapper._auth.credentials import AccessKey, AuthProvider
from sinch_wrapper._auth.flow import Auth, BearerAuth
from sinch_wrapper._auth.token_cache import TokenCache
from sinch_wrapper._auth.token_source import TokenSource
from sinch_wrapper._http import httpx
from sinch_wrapper._request import Call, SealedRequest
from sinch_wrapper._session import AsyncSession, Session, Settings
from sinch_wrapper._transport.http_client import AsyncWire, Wire
from sinch_wrapper._transport.retrying import AsyncPacedTransport, PacedTransport, Pacing

Handler = Callable[[httpx.Request], Any]

PROJECT = "project-1"
KEY_ID = "planted-key-id"
KEY_SECRET = "planted-key-secret"
TOKEN_URL = "https://auth.example/oauth2/token"
BASE_URL = "https://api.example"


@dataclass
class Clock:
    """Time that moves only when somebody sleeps; it keeps the sleeps."""

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
    """A hand-made operation of the shape that the generated packages make; it hides its values."""

    id: str = "Things_GetThing"
    method: str = "GET"
    path: str = "/v1/things/1"
    params: Mapping[str, str | list[str]] = field(default_factory=dict)
    json: object = None
    load: Callable[[object], Any] | None = lambda value: value


def token_answer(value: str = "token-1", **fields: object) -> httpx.Response:
    """Answer as the token endpoint does."""
    body = {"access_token": value, "expires_in": 3600, "token_type": "bearer", **fields}
    return httpx.Response(200, json=body)


def is_token_request(request: httpx.Request) -> bool:
    """Say whether *request* asks for a token."""
    return request.url.path.endswith("/oauth2/token")


def bearer(request: httpx.Request) -> str:
    """Read the token of *request*."""
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")


class Server:
    """A fake server: scripted answers one after the other, the last one for ever.

    An answer is a response, an exception to raise, or a function of the request.
    """

    def __init__(self, *answers: object, tokens: Sequence[object] | None = None) -> None:
        self._answers = list(answers) or [httpx.Response(200, json={})]
        self._tokens = list(tokens) if tokens is not None else None
        self.requests: list[httpx.Request] = []
        self.token_requests: list[httpx.Request] = []
        self.tokens_used: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer *request*."""
        if is_token_request(request):
            self.token_requests.append(request)
            if self._tokens is None:
                return token_answer(f"token-{len(self.token_requests)}")
            return _answer(self._tokens, request)
        self.requests.append(request)
        # Noted now, for a repeated request is the same object with another token.
        self.tokens_used.append(bearer(request))
        return _answer(self._answers, request)


def _answer(script: list[object], request: httpx.Request) -> httpx.Response:
    answer = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(answer, Exception):
        raise answer
    if callable(answer):
        answer = answer(request)
    assert isinstance(answer, httpx.Response)
    # A fresh copy, for a response can be read once.
    return httpx.Response(
        answer.status_code, headers=answer.headers.multi_items(), stream=answer.stream
    )


class Flavour:
    """What tests say once and run for threads and for tasks."""

    name: str

    def run(self, thing: Any) -> Any:
        """Return *thing*, awaited when it must be."""
        raise NotImplementedError

    def all(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make all *calls* at the same time; exceptions come back as values."""
        raise NotImplementedError

    def slowly(self, handler: Handler) -> Handler:
        """Let *handler* take a moment, so that other callers come meanwhile."""
        raise NotImplementedError

    def client(self, handler: Handler, **options: Any) -> Any:
        """Build a Sinch or AsyncSinch over *handler*."""
        kind = AsyncSinch if self.name == "async" else Sinch
        given = {
            "project_id": PROJECT,
            "key_id": KEY_ID,
            "key_secret": KEY_SECRET,
            "limits": None,
            "transport": httpx.MockTransport(handler),
        }
        if "endpoints" not in options:
            given["region"] = "eu"
        return kind(**{**given, **options})

    def close(self, client: Any) -> None:
        """Close *client*."""
        self.run(client.aclose() if self.name == "async" else client.close())

    def paced(self, inner: Any, pacing: Pacing, clock: Clock) -> Any:
        """Build a paced transport over *inner* that sleeps on *clock*."""
        if self.name == "async":
            return AsyncPacedTransport(inner, pacing, clock.asleep)
        return PacedTransport(inner, pacing, clock.sleep)

    def send(self, transport: Any, request: httpx.Request) -> httpx.Response:
        """Send *request* through *transport*."""
        if self.name == "async":
            return self.run(transport.handle_async_request(request))  # type: ignore[no-any-return]
        return transport.handle_request(request)  # type: ignore[no-any-return]

    def wire(self, transport: Any, auth: Auth) -> Any:
        """Build a wire over *transport*."""
        return (AsyncWire if self.name == "async" else Wire)(lambda: transport, auth)

    def session(
        self,
        handler: Handler,
        *,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        auth: Auth | None = None,
    ) -> Any:
        """Build a session over *handler*, with fake time and the usual wiring."""
        clock = clock or Clock()
        transport = self.paced(httpx.MockTransport(handler), pacing_on(clock), clock)
        wire = self.wire(transport, auth or bearer_auth_on(clock))
        settings = Settings(BASE_URL, retry=retry or RetryPolicy())
        return (AsyncSession if self.name == "async" else Session)(wire, settings)


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

        def answer(request: httpx.Request) -> httpx.Response:
            time.sleep(0.02)
            return handler(request)  # type: ignore[no-any-return]

        return answer


class AsyncFlavour(Flavour):
    """Tasks."""

    name = "async"

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

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

        async def answer(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.02)
            return handler(request)  # type: ignore[no-any-return]

        return answer


def pacing_on(clock: Clock, **parts: Any) -> Pacing:
    """Build a pacing on fake time, without limits and with a jitter of one half."""
    given = {"clock": clock, "jitter": lambda: 0.5, "now": lambda: datetime(2026, 1, 1, tzinfo=UTC)}
    return Pacing(**{**given, **parts})


def bearer_auth_on(clock: Clock, origin: AccessKey | AuthProvider | None = None) -> BearerAuth:
    """Build the authentication on fake time."""
    source = TokenSource(origin or AccessKey(KEY_ID, KEY_SECRET), TOKEN_URL)
    return BearerAuth(source, TokenCache(clock))


def request_for(method: str = "GET", retry: RetryPolicy | None = None) -> httpx.Request:
    """Build a request as a session does."""
    call = Call("Things_GetThing", method, retry or RetryPolicy())
    return SealedRequest(method, f"{BASE_URL}/v1/things", extensions=call.extensions)


@pytest.fixture
def clock() -> Clock:
    """Fake time."""
    return Clock()


@pytest.fixture(params=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    """Threads, then tasks."""
    if request.param == "sync":
        yield SyncFlavour()
        return
    with asyncio.Runner() as runner:
        yield AsyncFlavour(runner)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Unset every variable that the client reads."""
    for name in ("PROJECT_ID", "KEY_ID", "KEY_SECRET", "REGION", "SANDBOX_URL"):
        monkeypatch.delenv(f"SINCH_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch
