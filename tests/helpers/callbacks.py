"""Signed callbacks, and a receiver that takes them over HTTP."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import Event, Receiver, read_event, sign
from sinch_wrapper.sandbox import BackgroundServer

SECRET = "hook-secret"
PATIENCE = 60

_NUMBERS = itertools.count(1)


def make_body(kind: str = "message", payload: object = None, **envelope: Any) -> bytes:
    """The body of a callback, a new one each time unless *payload* has an id."""
    inner = {"id": f"M{next(_NUMBERS)}"} if payload is None else payload
    return json.dumps({"app_id": "A", "project_id": "P", kind: inner, **envelope}).encode()


def make_event(kind: str, payload: object = None, **envelope: Any) -> Event:
    """A callback that was read already."""
    return read_event(make_body(kind, payload, **envelope))


def receipt(status: str, **report: Any) -> bytes:
    """The body of a delivery receipt."""
    return make_body("message_delivery_report", {"status": status, **report})


def headers_of(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a delivery that was signed now, or *at* a Unix time."""
    stamp = str(int(time.time() if at is None else at))
    return sign(body, secret, nonce=f"n{next(_NUMBERS)}", timestamp=stamp)


def post(client: httpx.Client, body: bytes, path: str = "/", **headers: str) -> httpx.Response:
    """Deliver a signed callback."""
    return client.post(path, content=body, headers=headers_of(body) | headers)


@contextmanager
def serving(app: Any) -> Iterator[httpx.Client]:
    """A client of *app*, which is served on loopback."""
    with (
        BackgroundServer(app) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as client,
    ):
        yield client


def memory(secret: str = SECRET, **options: Any) -> Receiver:
    """A receiver without a file."""
    return Receiver(secret, store=":memory:", **options)


def eventually(happened: Callable[[], object]) -> None:
    """Wait until *happened*, at most a minute."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.005)
