"""The wire of a client: one pool, one token, one set of limits, opened by the first request.

It drives the authentication flow itself, for `httpx.Client` logs every URL (with ids and, for
consents, phone numbers) and hides a failed token request from the flow.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._http import httpx
from sinch_wrapper.errors import SinchError

__all__ = ["AsyncWire", "Wire"]

T = TypeVar("T")

_CLOSED: Final = "this client is closed: make a new one, or use it inside its with block"
_FOREIGN_LOOP: Final = (
    "this AsyncSinch was first used in another event loop: make one in each loop, "
    "for its connections belong to the loop that opened them"
)


class _Line(Generic[T]):
    """A transport that is opened once, by whoever needs it first."""

    def __init__(self, open_: Callable[[], T], auth: httpx.Auth) -> None:
        self._open = open_
        self._auth = auth
        self._transport: T | None = None
        self._opening = threading.Lock()
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Drop the connections, which are still the parent's."""
        self._transport = None
        self._opening = threading.Lock()

    def check_open(self) -> None:
        """Raise SinchError when the client is closed."""
        if self._closed:
            raise SinchError(_CLOSED)

    def _opened(self) -> T:
        self.check_open()
        if self._transport is None:
            with self._opening:
                if self._transport is None:
                    self._transport = self._open()
        return self._transport

    def _shut(self) -> T | None:
        self._closed = True
        transport, self._transport = self._transport, None
        return transport


class Wire(_Line[httpx.BaseTransport]):
    """Sends requests in threads."""

    def send(self, request: httpx.Request) -> httpx.Response:
        """Authenticate and send *request*; the body of the response has been read.

        Raises: SinchError when there is no token or the client is closed; else the HTTP
        library's exceptions.
        """
        transport = self._opened()
        flow = self._auth.sync_auth_flow(request)
        try:
            step = next(flow)
            while True:
                try:
                    response = transport.handle_request(step)
                except (httpx.RequestError, OSError) as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration:
            return response
        finally:
            flow.close()

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        transport = self._shut()
        if transport is not None:
            transport.close()


class AsyncWire(_Line[httpx.AsyncBaseTransport]):
    """Sends requests in tasks of one event loop."""

    _loop: "weakref.ref[asyncio.AbstractEventLoop] | None" = None

    def after_fork(self) -> None:
        """Drop the connections and the loop, which are still the parent's."""
        super().after_fork()
        self._loop = None

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Authenticate and send *request*; the body of the response has been read.

        Raises: SinchError when there is no token, the client is closed or belongs to another
        event loop; else the HTTP library's exceptions.
        """
        self._bind()
        transport = self._opened()
        flow = self._auth.async_auth_flow(request)
        try:
            step = await anext(flow)
            while True:
                try:
                    response = await transport.handle_async_request(step)
                except (httpx.RequestError, OSError) as error:
                    step = await flow.athrow(error)
                else:
                    step = await flow.asend(response)
        except StopAsyncIteration:
            return response
        finally:
            await flow.aclose()

    def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = weakref.ref(loop)
        elif self._loop() is not loop:
            raise SinchError(_FOREIGN_LOOP)

    async def aclose(self) -> None:
        """Close the connections; closing twice is harmless."""
        transport = self._shut()
        if transport is not None:
            await transport.aclose()
