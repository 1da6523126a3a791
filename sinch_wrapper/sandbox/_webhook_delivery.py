"""The delivery of callbacks: which webhooks get one, when, signed how, and repeated how often."""

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
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sinch_wrapper.sandbox._background import BackgroundTasks
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._doors import is_this_machine
from sinch_wrapper.sandbox._faults import CALLBACK_OPERATION, FaultRules
from sinch_wrapper.sandbox._ids import Ulids
from sinch_wrapper.sandbox._json import Json, decode, encode, timestamp
from sinch_wrapper.sandbox._ledger import Ledger
from sinch_wrapper.sandbox._limits import SlotSchedule
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._store import RegionStore

if TYPE_CHECKING:
    import httpx  # noqa: TID251 (the sandbox shares no code with the client)
else:
    try:
        import httpx2 as httpx  # noqa: TID251 (as above; the faster one)
    except ImportError:
        import httpx  # noqa: TID251 (as above)

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError)
_PREFIX = "x-sinch-webhook-signature"
_MAX_BACKOFF = 60.0
_LONGEST_HOLD = 0.2


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where a callback goes, its signing secret, and the OAuth2 credentials the receiver wants."""

    url: str
    secret: str = field(default="", repr=False)
    credentials: Json | None = field(default=None, repr=False)


def is_local(url: str) -> bool:
    """Say whether *url* is on this machine."""
    try:
        return is_this_machine(urlsplit(url).hostname or "")
    except ValueError:
        return False


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


class WebhookClient:
    """Posts callbacks, *connections* at once; with a token where the webhook asks for one.

    Each connection has its own transport: a shared pool would look at all its connections whenever
    a request starts or ends.
    """

    def __init__(self, connections: int, timeout: float) -> None:
        self._transports = [_transport() for _ in range(connections)]
        self._free = list(self._transports)
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}
        self._client = httpx.AsyncClient(timeout=timeout, verify=_tls(), trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        for transport in self._transports:
            await transport.aclose()

    async def post(
        self, target: WebhookTarget, body: bytes, headers: dict[str, str], now: float
    ) -> bool:
        """Say whether *target* responded to *body* with a success."""
        transport = self._free.pop()
        try:
            if target.credentials:
                token = await self._token(target.credentials, now)
                headers = headers | {"authorization": f"Bearer {token}"}
            request = httpx.Request(
                "POST", target.url, content=body, headers=headers, extensions=self._extensions
            )
            response = await transport.handle_async_request(request)
            try:
                await response.aread()
            finally:
                await response.aclose()
        except _FAILURES:
            return False
        finally:
            self._free.append(transport)
        return response.is_success

    async def _token(self, credentials: Json, now: float) -> str:
        key = credentials["endpoint"], credentials["client_id"]
        token, expiry = self._tokens.get(key, ("", 0.0))
        if expiry <= now:
            response = await self._client.post(credentials["endpoint"], **_grant(credentials))
            granted = decode(response.raise_for_status().content)
            token, expiry = granted["access_token"], now + float(granted["expires_in"])
            self._tokens[key] = token, expiry
        return token


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One callback on its way to one target."""

    target: WebhookTarget
    body: bytes = field(repr=False)
    attempt: int = 1
    signature: dict[str, str] | None = field(default=None, repr=False)


class WebhookDelivery:
    """Posts callbacks, a few at a time.

    A callback without a 2xx response is repeated with exponential back-off, a bounded number of
    times; each attempt is signed anew, unless the settings keep the first signature. One that waits
    does not hold up the others. With several workers, callbacks may overtake one another: Sinch
    promises no order either. Targets outside this machine get nothing unless the settings allow it,
    and the client credentials of a webhook never leave it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tasks: BackgroundTasks,
        faults: FaultRules,
        ledger: Ledger,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tasks = tasks
        self._faults = faults
        self._counts = ledger.callbacks
        self._nonces = Ulids(clock, random.Random(settings.seed + 1))  # noqa: S311 (repeatable)
        self._rng = random.Random(settings.seed + 4)  # noqa: S311 (repeatable)
        self._slots: dict[str, SlotSchedule] = {}
        self._ready: asyncio.Queue[_Delivery] = asyncio.Queue()
        self._later: list[tuple[float, int, _Delivery]] = []
        self._order = count()
        self._alarm: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self._tasks.spawn(self._work())

    def send(self, app_id: str, target: WebhookTarget, body: bytes) -> None:
        """Post *body* to *target* in its turn."""
        if not self._may_reach(target):
            self._counts["withheld"] += 1
            return
        copies = 2 if self._rng.random() < self._settings.callback_duplicates else 1
        for _ in range(copies):
            self._schedule(self._slot(app_id) + self._hold_back(), _Delivery(target, body))

    def _may_reach(self, target: WebhookTarget) -> bool:
        if target.credentials and not is_local(target.credentials["endpoint"]):
            return False
        return self._settings.remote_callbacks or is_local(target.url)

    def _slot(self, app_id: str) -> float:
        slots = self._slots.setdefault(app_id, SlotSchedule(self._settings.callback_rate))
        return slots.book(self._clock())

    def _hold_back(self) -> float:
        held = self._rng.random() < self._settings.callback_disorder
        hold = self._rng.uniform(_LONGEST_HOLD / 4, _LONGEST_HOLD) if held else 0.0
        return self._settings.callback_delay + hold

    def _schedule(self, due: float, delivery: _Delivery) -> None:
        if due <= self._clock():
            self._ready.put_nowait(delivery)
            return
        heapq.heappush(self._later, (due, next(self._order), delivery))
        if self._later[0][0] == due:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._tasks.spawn(self._release_due())

    async def _release_due(self) -> None:
        while self._later:
            await self._clock.sleep_until(self._later[0][0])
            now = self._clock()
            while self._later and self._later[0][0] <= now:
                self._ready.put_nowait(heapq.heappop(self._later)[2])
        self._alarm = None

    async def _work(self) -> None:
        workers = self._settings.callback_workers
        client = WebhookClient(workers, self._settings.callback_timeout)
        try:
            await asyncio.gather(*(self._deliver_all(client) for _ in range(workers)))
        finally:
            await client.aclose()

    async def _deliver_all(self, client: WebhookClient) -> None:
        while True:
            await self._deliver(client, await self._ready.get())

    async def _deliver(self, client: WebhookClient, delivery: _Delivery) -> None:
        self._counts["posted"] += 1
        now, signature = self._clock(), await self._signature(delivery)
        headers = {"content-type": "application/json"} | signature
        if await client.post(delivery.target, delivery.body, headers, now):
            self._counts["accepted"] += 1
        elif delivery.attempt < self._settings.callback_attempts:
            wait = self._settings.callback_backoff * 2.0 ** (delivery.attempt - 1)
            due = self._clock() + min(wait, _MAX_BACKOFF)
            kept = signature if self._settings.callback_signature == "first" else None
            self._schedule(due, replace(delivery, attempt=delivery.attempt + 1, signature=kept))
        else:
            self._counts["given_up"] += 1

    async def _signature(self, delivery: _Delivery) -> dict[str, str]:
        rule = self._faults.strike(CALLBACK_OPERATION)
        if rule is not None and rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        skew = rule.seconds if rule is not None and rule.kind == "skew" else 0
        if delivery.signature is not None:
            return delivery.signature
        if not delivery.target.secret:
            return {}
        now = int(self._clock() + skew)
        return signature_headers(delivery.body, delivery.target.secret, self._nonces(), now)


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


class CallbackEmitter:
    """Gives the callbacks of one region to the delivery, one copy per webhook."""

    def __init__(
        self, project_id: str, store: RegionStore, clock: Clock, delivery: WebhookDelivery
    ) -> None:
        self._project_id = project_id
        self._store = store
        self._clock = clock
        self._delivery = delivery

    def emit(self, callback: Callback) -> None:
        """Send *callback* to each webhook that subscribed to it."""
        targets = list(self._targets(callback))
        if targets:
            body = encode(self._envelope(callback))
            for app_id, target in targets:
                self._delivery.send(app_id, target, body)

    def _targets(self, callback: Callback) -> Iterator[tuple[str, WebhookTarget]]:
        if callback.override_url:
            app = self._store.apps.get(callback.app_id, {})
            settings = app.get("callback_settings", {})
            secret = settings.get("secret_for_overridden_callback_urls", "")
            yield callback.app_id, WebhookTarget(callback.override_url, secret)
            return
        for webhook in self._store.webhooks.values():
            wanted = callback.trigger in webhook.get("triggers", [])
            live = webhook.get("target_type") == "HTTP"
            if wanted and live and callback.app_id in ("", webhook["app_id"]):
                credentials = webhook.get("client_credentials")
                target = WebhookTarget(webhook["target"], webhook.get("secret", ""), credentials)
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


def _grant(credentials: Json) -> Json:
    pair = credentials["client_id"], credentials["client_secret"]
    form = {"grant_type": "client_credentials"}
    form |= {name: credentials[name] for name in ("scope", "response_type") if name in credentials}
    if credentials.get("token_request_type") == "FORM":
        return {"data": form | dict(zip(("client_id", "client_secret"), pair, strict=True))}
    return {"data": form, "auth": pair}


def _transport() -> httpx.AsyncHTTPTransport:
    # Two, so that a post to a new target need not wait for the old connection to close.
    limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
    return httpx.AsyncHTTPTransport(verify=_tls(), limits=limits, trust_env=False)


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than starting a whole sandbox.
    return ssl.create_default_context()
