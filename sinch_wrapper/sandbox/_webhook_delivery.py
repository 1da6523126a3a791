"""The delivery of callbacks: paced per app, late, doubled or out of order as told, repeated."""

import asyncio
import hashlib
import heapq
import hmac
import random
import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_address
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sinch_wrapper.sandbox._auth import Slots
from sinch_wrapper.sandbox._clock import Background, Clock, Ulids
from sinch_wrapper.sandbox._errors import Json, decode, encode, timestamp
from sinch_wrapper.sandbox._faults import CALLBACK_OPERATION, Faults
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._store import Ledger, Store

if TYPE_CHECKING:
    import httpx  # noqa: TID251 (the sandbox shares no code with the client)
else:
    try:
        import httpx2 as httpx  # noqa: TID251 (as above; the faster one)
    except ImportError:
        import httpx  # noqa: TID251 (as above)

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a callback goes, its signing secret, and the OAuth2 credentials the receiver wants."""

    url: str
    secret: str = field(default="", repr=False)
    credentials: Json | None = field(default=None, repr=False)


def is_local(url: str) -> bool:
    """Say whether *url* leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


class Poster:
    """Posts callbacks, *connections* at once; with a token where the webhook asks for one.

    Each has a transport to itself: the pool of one client looks at all its connections whenever a
    request comes or goes.
    """

    def __init__(self, connections: int, timeout: float) -> None:
        self._lanes = [_lane() for _ in range(connections)]
        self._free = list(self._lanes)
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}
        self._client = httpx.AsyncClient(timeout=timeout, verify=_tls(), trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        for lane in self._lanes:
            await lane.aclose()

    async def post(self, target: Target, body: bytes, headers: dict[str, str], now: float) -> bool:
        """Say whether *target* answered *body* with a success."""
        lane = self._free.pop()
        try:
            if target.credentials:
                token = await self._token(target.credentials, now)
                headers = headers | {"authorization": f"Bearer {token}"}
            request = httpx.Request(
                "POST", target.url, content=body, headers=headers, extensions=self._extensions
            )
            answer = await lane.handle_async_request(request)
            try:
                await answer.aread()
            finally:
                await answer.aclose()
        except _FAILURES:
            return False
        finally:
            self._free.append(lane)
        return answer.is_success

    async def _token(self, credentials: Json, now: float) -> str:
        # The client credentials of a webhook.
        key = credentials["endpoint"], credentials["client_id"]
        token, expiry = self._tokens.get(key, ("", 0.0))
        if expiry <= now:
            answer = await self._client.post(credentials["endpoint"], **_grant(credentials))
            granted = decode(answer.raise_for_status().content)
            token, expiry = granted["access_token"], now + float(granted["expires_in"])
            self._tokens[key] = token, expiry
        return token


def _grant(credentials: Json) -> Json:
    pair = credentials["client_id"], credentials["client_secret"]
    form = {"grant_type": "client_credentials"}
    form |= {name: credentials[name] for name in ("scope", "response_type") if name in credentials}
    if credentials.get("token_request_type") == "FORM":
        return {"data": form | dict(zip(("client_id", "client_secret"), pair, strict=True))}
    return {"data": form, "auth": pair}


def _lane() -> httpx.AsyncHTTPTransport:
    # A target may change, so that the connection to the last one need not be closed first.
    limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
    return httpx.AsyncHTTPTransport(verify=_tls(), limits=limits, trust_env=False)


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than starting a whole sandbox.
    return ssl.create_default_context()


_PREFIX = "x-sinch-webhook-signature"


def signature_headers(body: bytes, secret: str, nonce: str, timestamp: int) -> dict[str, str]:
    """Return the four headers: base64 of HMAC-SHA256 over body, nonce and timestamp, dotted."""
    signed = b".".join([body, nonce.encode(), str(timestamp).encode()])
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return {
        _PREFIX: b64encode(digest).decode(),
        f"{_PREFIX}-timestamp": str(timestamp),
        f"{_PREFIX}-nonce": nonce,
        f"{_PREFIX}-algorithm": "HmacSHA256",
    }


_MAX_BACKOFF = 60.0
_LONGEST_HOLD = 0.2


@dataclass(frozen=True, slots=True)
class _Post:
    target: Target
    body: bytes = field(repr=False)
    attempt: int = 1


class Courier:
    """Posts callbacks, a few at a time.

    A callback that is not answered with a 2xx is repeated with exponential back-off, a bounded
    number of times; each attempt is signed anew. One that waits holds up no other. With several
    workers callbacks may overtake one another, as Sinch promises no order either. Targets beyond
    this machine get nothing unless the settings allow it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tasks: Background,
        faults: Faults,
        ledger: Ledger,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tasks = tasks
        self._faults = faults
        self._counts = ledger.callbacks
        self._nonces = Ulids(clock, random.Random(settings.seed + 1))  # noqa: S311 (repeatable)
        self._rng = random.Random(settings.seed + 4)  # noqa: S311 (repeatable)
        self._slots: dict[str, Slots] = {}
        self._ready: asyncio.Queue[_Post] = asyncio.Queue()
        self._later: list[tuple[float, int, _Post]] = []
        self._order = count()
        self._alarm: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self._tasks.spawn(self._work())

    def send(self, app_id: str, target: Target, body: bytes) -> None:
        """Post *body* to *target* when it is its turn."""
        if not (self._settings.remote_callbacks or is_local(target.url)):
            self._counts["withheld"] += 1
            return
        copies = 2 if self._rng.random() < self._settings.callback_duplicates else 1
        for _ in range(copies):
            self._schedule(self._slot(app_id) + self._detour(), _Post(target, body))

    def _slot(self, app_id: str) -> float:
        slots = self._slots.setdefault(app_id, Slots(self._settings.callback_rate))
        return slots.book(self._clock())

    def _detour(self) -> float:
        held = self._rng.random() < self._settings.callback_disorder
        hold = self._rng.uniform(_LONGEST_HOLD / 4, _LONGEST_HOLD) if held else 0.0
        return self._settings.callback_delay + hold

    def _schedule(self, due: float, post: _Post) -> None:
        if due <= self._clock():
            self._ready.put_nowait(post)
            return
        heapq.heappush(self._later, (due, next(self._order), post))
        if self._later[0][0] == due:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._tasks.spawn(self._ring())

    async def _ring(self) -> None:
        while self._later:
            await self._clock.sleep_until(self._later[0][0])
            now = self._clock()
            while self._later and self._later[0][0] <= now:
                self._ready.put_nowait(heapq.heappop(self._later)[2])
        self._alarm = None

    async def _work(self) -> None:
        workers = self._settings.callback_workers
        poster = Poster(workers, self._settings.callback_timeout)
        try:
            await asyncio.gather(*(self._deliver_all(poster) for _ in range(workers)))
        finally:
            await poster.aclose()

    async def _deliver_all(self, poster: Poster) -> None:
        while True:
            await self._deliver(poster, await self._ready.get())

    async def _deliver(self, poster: Poster, post: _Post) -> None:
        self._counts["posted"] += 1
        now = self._clock()
        if await poster.post(post.target, post.body, await self._headers(post), now):
            self._counts["accepted"] += 1
        elif post.attempt < self._settings.callback_attempts:
            wait = self._settings.callback_backoff * 2.0 ** (post.attempt - 1)
            due = self._clock() + min(wait, _MAX_BACKOFF)
            self._schedule(due, replace(post, attempt=post.attempt + 1))
        else:
            self._counts["given_up"] += 1

    async def _headers(self, post: _Post) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        rule = self._faults.strike(CALLBACK_OPERATION)
        if rule is not None and rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        skew = rule.seconds if rule is not None and rule.kind == "skew" else 0
        if post.target.secret:
            now = int(self._clock() + skew)
            headers |= signature_headers(post.body, post.target.secret, self._nonces(), now)
        return headers


@dataclass(frozen=True, slots=True)
class Callback:
    """One notification: its trigger, its payload, and what the envelope adds."""

    trigger: str
    key: str
    payload: Json
    app_id: str = ""
    message_metadata: str = ""
    correlation_id: str = ""
    override_url: str = ""
    dated: bool = True


class Notifier:
    """Hands the callbacks of one region to the courier, a copy for each webhook."""

    def __init__(self, project_id: str, store: Store, clock: Clock, courier: Courier) -> None:
        self._project_id = project_id
        self._store = store
        self._clock = clock
        self._courier = courier

    def emit(self, callback: Callback) -> None:
        """Send *callback* to each webhook that subscribed to it."""
        targets = list(self._targets(callback))
        if targets:
            body = encode(self._envelope(callback))
            for app_id, target in targets:
                self._courier.send(app_id, target, body)

    def _targets(self, callback: Callback) -> Iterator[tuple[str, Target]]:
        if callback.override_url:
            app = self._store.apps.get(callback.app_id, {})
            settings = app.get("callback_settings", {})
            secret = settings.get("secret_for_overridden_callback_urls", "")
            yield callback.app_id, Target(callback.override_url, secret)
            return
        for webhook in self._store.webhooks.values():
            wanted = callback.trigger in webhook.get("triggers", [])
            live = webhook.get("target_type") == "HTTP"
            if wanted and live and callback.app_id in ("", webhook["app_id"]):
                credentials = webhook.get("client_credentials")
                target = Target(webhook["target"], webhook.get("secret", ""), credentials)
                yield webhook["app_id"], target

    def _envelope(self, callback: Callback) -> Json:
        envelope: Json = {"app_id": callback.app_id, "project_id": self._project_id}
        if callback.dated:
            now = timestamp(self._clock())
            envelope |= {"accepted_time": now, "event_time": now}
        envelope |= {callback.key: callback.payload, "message_metadata": callback.message_metadata}
        if callback.correlation_id:
            envelope["correlation_id"] = callback.correlation_id
        return envelope
