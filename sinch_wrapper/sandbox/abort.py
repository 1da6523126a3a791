"""Closing a connection without an answer, which ASGI itself has no word for."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "sinch_wrapper.abort"


class AbortableProtocol(H11Protocol):
    """The HTTP protocol of uvicorn, which lets the app abort the connection of a request."""

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # narrowed by uvicorn too
    ) -> None:
        """Give each request of the connection the means to abort it."""
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            extensions: dict[str, Any] = scope.setdefault("extensions", {})
            extensions[_EXTENSION] = transport.abort
            await inner(scope, receive, send)

        self.app = app


async def abort_connection(request: Request) -> None:
    """Abort the connection of *request* and wait until the server has noticed.

    Raises: ConnectionAbortedError under a server that cannot abort a connection.
    """
    abort = request.scope.get("extensions", {}).get(_EXTENSION)
    if abort is None:
        raise ConnectionAbortedError
    abort()
    while not await request.is_disconnected():  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0)
