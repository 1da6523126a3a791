"""The HTTP side of a receiver: which answer each request gets."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sinch_wrapper.callbacks.events import Event, parse
from sinch_wrapper.callbacks.records import Counts
from sinch_wrapper.callbacks.settings import Settings
from sinch_wrapper.callbacks.signature import Secrets
from sinch_wrapper.errors import (
    CallbackError,
    CallbackParseError,
    ConfigurationError,
    SignatureError,
)

__all__ = ["SecretSource", "make_app"]

SecretSource: TypeAlias = Secrets | Callable[[], Secrets]

_LOG: Final = logging.getLogger(__name__)
_HEALTH: Final = "/health"


def make_app(
    secrets: SecretSource,
    settings: Settings,
    keep: Callable[[Event], Awaitable[None]],
    health: Callable[[], Awaitable[Counts]],
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
) -> Starlette:
    """Return the app; *keep* returns when an event is durable, or raises CallbackError.

    Raises: ConfigurationError when there is no secret.
    """
    current = _secrets(secrets)

    async def receive(request: Request) -> Response:
        try:
            body = await _body(request, settings.max_body)
            event = parse(
                body,
                request.scope["headers"],
                current(),
                tolerance=settings.tolerance,
                now=settings.now,
            )
            await keep(event)
        except CallbackError as error:
            return _refusal(error, settings.retry_after)
        return Response()

    async def show_health(_request: Request) -> Response:
        try:
            counts = await health()
        except CallbackError as error:
            _LOG.error("not healthy: %s", error)
            return JSONResponse({"status": "failing"}, 503)
        return JSONResponse(
            {
                "status": "ok",
                "stored": counts.stored,
                "waiting": counts.waiting,
                "dead": counts.dead,
            }
        )

    return Starlette(
        routes=[
            *(Route(path, receive, methods=["POST"]) for path in _spellings(settings.path)),
            Route(_HEALTH, show_health, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


def _spellings(path: str) -> list[str]:
    # A redirect to the other spelling would be a callback that is not taken.
    bare = path.rstrip("/")
    return [bare, f"{bare}/"] if bare else ["/"]


def _secrets(given: SecretSource) -> Callable[[], Secrets]:
    if callable(given):
        return given
    keys = [given] if isinstance(given, (str, bytes)) else list(given)
    usable = [each for each in keys if each]
    if not usable:
        raise ConfigurationError("no callback secret: give secrets= the secret of each webhook")
    return lambda: usable  # type: ignore[return-value]  # str and bytes may be mixed


def _refusal(error: CallbackError, retry_after: int) -> Response:
    if isinstance(error, SignatureError):
        status, headers = 401, None
    elif isinstance(error, CallbackParseError):
        status, headers = 400, None
    else:
        status, headers = 503, {"Retry-After": str(retry_after)}
    # The sender learns nothing that would help to guess.
    _LOG.warning("answered %d: %s", status, error)
    return Response(status_code=status, headers=headers)


async def _body(request: Request, most: int) -> bytes:
    if _announced(request.headers) > most:
        raise HTTPException(413)
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise HTTPException(413)
            chunks.append(chunk)
    except ClientDisconnect:
        raise CallbackParseError("callback unreadable: the sender went away") from None
    return b"".join(chunks)


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0  # noqa: PLR2004 (digits)
