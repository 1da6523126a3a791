"""A small ASGI app that takes callbacks: verify, parse, hand over (extra: cli)."""

import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sinch_wrapper.callbacks.events import Event, parse
from sinch_wrapper.callbacks.signature import DEFAULT_MAX_AGE
from sinch_wrapper.errors import CallbackParseError, ConfigurationError, SignatureError

__all__ = ["EventHandler", "receiver_app"]

EventHandler: TypeAlias = Callable[[Event], Awaitable[None]] | Callable[[Event], None]

_MAX_BODY = 1 << 20


class _TooLargeError(Exception):
    """The body is beyond any callback."""


def receiver_app(
    handle: EventHandler,
    *,
    secrets: Iterable[str],
    path: str = "/",
    max_age: float = DEFAULT_MAX_AGE,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """Return an ASGI app that verifies callbacks POSTed to *path* and hands them to *handle*.

    A plain function runs in a thread, so it may block. The answer is 200 once *handle* returns,
    401 without any detail for a bad signature, 400 for an unreadable body, 413 for more than a
    mebibyte; when *handle* raises it is 500, and Sinch will send the callback again: callbacks
    may come twice and in any order.

    Raises: ConfigurationError when there is no secret.
    """
    keys = tuple(each for each in secrets if each)
    if not keys:
        message = "no callback secret: give secrets= the secret of each webhook"
        raise ConfigurationError(message)
    is_async = inspect.iscoroutinefunction(handle)

    async def receive(request: Request) -> Response:
        event = parse(await _body(request), request.headers, keys, max_age=max_age, clock=clock)
        outcome = handle(event) if is_async else await run_in_threadpool(handle, event)
        if inspect.isawaitable(outcome):
            await outcome
        return Response(status_code=200)

    return Starlette(
        routes=[Route(path, receive, methods=["POST"])],
        exception_handlers={
            SignatureError: _refusal(401),
            CallbackParseError: _refusal(400),
            _TooLargeError: _refusal(413),
        },
    )


def _refusal(status: int) -> Callable[[Request, Exception], Response]:
    return lambda _request, _error: Response(status_code=status)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise _TooLargeError
    return bytes(body)
