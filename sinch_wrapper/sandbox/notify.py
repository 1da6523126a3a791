"""Callbacks: which webhook gets what, and the signed POST with its retries."""

import asyncio
import json
import random
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks.signature import sign
from sinch_wrapper.sandbox.background import Background
from sinch_wrapper.sandbox.ids import Ulids
from sinch_wrapper.sandbox.settings import Settings
from sinch_wrapper.sandbox.shapes import Json, timestamp
from sinch_wrapper.sandbox.store import Store

_MAX_BACKOFF = 60.0


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


@dataclass(frozen=True, slots=True)
class _Post:
    target: str
    secret: str = field(repr=False)
    body: bytes = field(repr=False)
    attempt: int = 1


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than starting a whole sandbox.
    return ssl.create_default_context()


class Notifier:
    """
    Posts callbacks to the webhooks that asked for them, a few at a time.

    A callback that is not answered with a 2xx is repeated with exponential back-off, a bounded
    number of times; each attempt is signed anew. One that waits for its next attempt holds up no
    other. With several workers callbacks may overtake one
    another, as Sinch promises no order either.
    """

    def __init__(self, settings: Settings, store: Store, tasks: Background) -> None:
        self._settings = settings
        self._store = store
        self._tasks = tasks
        self._clock: Callable[[], float] = settings.clock
        self._nonces = Ulids(settings.clock, random.Random(settings.seed + 1))  # noqa: S311 (repeatable)
        self._posts: asyncio.Queue[_Post] = asyncio.Queue()

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self._tasks.spawn(self._work())

    def emit(self, callback: Callback) -> None:
        """Queue *callback* for each webhook that subscribed to it."""
        targets = list(self._targets(callback))
        if targets:
            body = json.dumps(self._envelope(callback), ensure_ascii=False).encode()
            for target, secret in targets:
                self._posts.put_nowait(_Post(target, secret, body))

    def _targets(self, callback: Callback) -> Iterator[tuple[str, str]]:
        if callback.override_url:
            app = self._store.apps.get(callback.app_id, {})
            settings = app.get("callback_settings", {})
            yield callback.override_url, settings.get("secret_for_overridden_callback_urls", "")
            return
        for webhook in self._store.webhooks.values():
            wanted = callback.trigger in webhook.get("triggers", [])
            live = webhook.get("target_type") == "HTTP"
            if wanted and live and callback.app_id in ("", webhook["app_id"]):
                yield webhook["target"], webhook.get("secret", "")

    def _envelope(self, callback: Callback) -> Json:
        envelope: Json = {"app_id": callback.app_id, "project_id": self._settings.project_id}
        if callback.dated:
            now = timestamp(self._clock())
            envelope |= {"accepted_time": now, "event_time": now}
        envelope |= {callback.key: callback.payload, "message_metadata": callback.message_metadata}
        if callback.correlation_id:
            envelope["correlation_id"] = callback.correlation_id
        return envelope

    async def _work(self) -> None:
        workers = self._settings.callback_workers
        limits = httpx.Limits(max_connections=workers, max_keepalive_connections=workers)
        timeout = self._settings.callback_timeout
        async with httpx.AsyncClient(
            timeout=timeout, limits=limits, verify=_tls(), trust_env=False
        ) as client:
            await asyncio.gather(*(self._deliver_all(client) for _ in range(workers)))

    async def _deliver_all(self, client: httpx.AsyncClient) -> None:
        while True:
            await self._deliver(client, await self._posts.get())

    async def _deliver(self, client: httpx.AsyncClient, post: _Post) -> None:
        if await self._accepted(client, post):
            return
        if post.attempt < self._settings.callback_attempts:
            self._tasks.spawn(self._queue_again(post))

    async def _queue_again(self, post: _Post) -> None:
        wait = self._settings.callback_backoff * 2.0 ** (post.attempt - 1)
        await self._settings.sleep(min(wait, _MAX_BACKOFF))
        self._posts.put_nowait(replace(post, attempt=post.attempt + 1))

    async def _accepted(self, client: httpx.AsyncClient, post: _Post) -> bool:
        headers = {"content-type": "application/json"}
        if post.secret:
            now = str(int(self._clock()))
            headers |= sign(post.body, post.secret, nonce=self._nonces(), timestamp=now)
        try:
            answer = await client.post(post.target, content=post.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.is_success
