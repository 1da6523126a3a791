"""Ends of a connection that HTTP does not provide for, and that ASGI has no words for."""

import asyncio
import socket
import struct
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "sinch_wrapper.transport"
_NO_LINGER = struct.pack("ii", 1, 0)


class AbortableProtocol(H11Protocol):
    """The HTTP protocol of uvicorn, which lets the app at the connection of a request."""

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # narrowed by uvicorn too
    ) -> None:
        """Give each request of the connection the means to end it."""
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            extensions: dict[str, Any] = scope.setdefault("extensions", {})
            extensions[_EXTENSION] = transport
            await inner(scope, receive, send)

        self.app = app


async def abort_connection(request: Request, *, reset: bool = False) -> None:
    """Close the connection of *request* without an answer, or with *reset* by a TCP reset.

    Returns when the server has noticed.
    Raises: ConnectionAbortedError under a server that cannot do it.
    """
    transport = _transport(request)
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
    await _noticed(request)


class HalfResponse(Response):
    """A response that promises its whole body and sends half of it, then closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half the body."""
        request = Request(scope, receive)
        transport = _transport(request)
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport.close()
        await _noticed(request)


def _transport(request: Request) -> asyncio.Transport:
    transport = request.scope.get("extensions", {}).get(_EXTENSION)
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionAbortedError
    return transport


async def _noticed(request: Request) -> None:
    while not await request.is_disconnected():  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0)
