"""The receiver takes signed callbacks over HTTP and refuses the rest."""

# ruff: noqa: ARG001, ARG005 (a handler takes the event)

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import Event, receiver_app, sign
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.sandbox import BackgroundServer

SECRET = "hook-secret"
BODY = b'{"app_id":"A","project_id":"P","message":{"id":"M"}}'


@contextmanager
def _serving(handle: Any, **options: Any) -> Iterator[httpx.Client]:
    with ExitStack() as stack:
        app = receiver_app(handle, secrets=[SECRET], **options)
        server = stack.enter_context(BackgroundServer(app))
        yield stack.enter_context(httpx.Client(base_url=server.url, trust_env=False))


def _post(client: httpx.Client, body: bytes, path: str = "/", **headers: str) -> int:
    signed = sign(body, SECRET, nonce="n", timestamp=str(int(time.time())))
    return client.post(path, content=body, headers=signed | headers).status_code


def test_event_reaches_coroutine() -> None:
    """A signed callback is parsed, handed over and answered with 200."""
    taken: list[Event] = []

    async def handle(event: Event) -> None:
        taken.append(event)

    with _serving(handle, path="/hook") as client:
        status = _post(client, BODY, "/hook")

    assert (status, [event.kind for event in taken]) == (200, ["message"])


def test_plain_function_runs_in_a_thread() -> None:
    """A plain function may block: it does not run on the event loop."""
    threads: list[str] = []

    def handle(event: Event) -> None:
        threads.append(threading.current_thread().name)

    with _serving(handle) as client:
        assert _post(client, BODY) == 200

    assert threads != ["sinch-server"]


def test_bad_signature_is_401_without_detail() -> None:
    """A wrong signature is refused with an empty answer, and nothing is handed over."""
    taken: list[Event] = []
    with _serving(taken.append) as client:
        response = client.post("/", content=BODY)

    assert (response.status_code, response.content, taken) == (401, b"", [])


@pytest.mark.parametrize(("body", "status"), [(b"[]", 400), (b" " * (2**20 + 1), 413)])
def test_unusable_body_is_refused(body: bytes, status: int) -> None:
    """A signed body that is no event, or too large for one, is refused."""
    with _serving(lambda event: None) as client:
        assert status == _post(client, body)


def test_old_callback_is_refused() -> None:
    """The limit of age is the receiver's."""
    with _serving(lambda event: None, clock=lambda: time.time() + 400) as client:
        assert _post(client, BODY) == 401


def test_failing_handler_is_500() -> None:
    """When the handler raises the answer is 500, so that the callback comes again."""

    async def handle(event: Event) -> None:
        raise KeyError

    with _serving(handle) as client:
        assert _post(client, BODY) == 500


@pytest.mark.parametrize("secrets", [[], [""]])
def test_receiver_needs_a_secret(secrets: list[str]) -> None:
    """Without a secret nothing could be verified, so that is refused at once."""
    with pytest.raises(ConfigurationError, match="secret"):
        receiver_app(lambda event: None, secrets=secrets)
