"""The bodies of callbacks, read within limits: of size, of time, and of all that are being read."""

import asyncio
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import Receive

from sinch_wrapper.callbacks._settings import ReceiverSettings
from sinch_wrapper.errors import CallbackParseError

# What is left of a body that is refused is not read: the connection ends with the response.
CLOSE = {"Connection": "close"}


class BodyReader:
    """Reads bodies within the limits of *settings*, in one event loop.

    When all that are being read are too large together, the largest is given up, so that small
    ones, as callbacks are, still arrive.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        self._most = settings.max_body
        self._total = max(settings.max_body, settings.max_incoming)
        self._timeout = settings.receive_timeout
        self._sizes: dict[asyncio.Timeout, int] = {}
        self._kept = 0
        # When those that are being read must have arrived, the earliest first. One timer serves
        # for all, because one for each costs as much as the signature.
        self._due: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> bytes:
        """Return the body of a request with *headers*, whose messages *receive* gives.

        Raises: HTTPException 413 when it is too large, 408 when it does not arrive in time;
            CallbackParseError when the sender disconnects.
        """
        if _announced(headers) > self._most:
            raise HTTPException(413, headers=CLOSE)
        try:
            async with asyncio.timeout(None) as limit:
                self._begin(limit)
                try:
                    return await self._body(receive, limit)
                finally:
                    del self._due[limit]
                    self._kept -= self._sizes.pop(limit, 0)
        except TimeoutError:
            raise HTTPException(408, headers=CLOSE) from None

    async def _body(self, receive: Receive, limit: asyncio.Timeout) -> bytes:
        # Not a list: of a body that arrives byte by byte it would take forty times the space.
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CallbackParseError("callback unreadable: the sender disconnected")
            chunk = message.get("body", b"")
            if len(body) + len(chunk) > self._most:
                raise HTTPException(413, headers=CLOSE)
            if not message.get("more_body", False):
                return bytes(body + chunk) if body else bytes(chunk)
            body += chunk
            self._grow(limit, len(chunk))

    def _begin(self, limit: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        self._due[limit] = due = loop.time() + self._timeout
        if self._timer is None:
            self._timer = loop.call_at(due, self._end_late, loop)

    def _end_late(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        for limit, due in self._due.items():
            if due > loop.time():
                self._timer = loop.call_at(due, self._end_late, loop)
                return
            _end(limit, loop)

    def _grow(self, limit: asyncio.Timeout, by: int) -> None:
        self._sizes[limit] = self._sizes.get(limit, 0) + by
        self._kept += by
        while self._kept > self._total:
            largest = max(self._sizes, key=self._sizes.__getitem__)
            self._kept -= self._sizes.pop(largest)
            _end(largest, asyncio.get_running_loop())


def _end(limit: asyncio.Timeout, loop: asyncio.AbstractEventLoop) -> None:
    if not limit.expired():
        limit.reschedule(loop.time())


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    length = next((value for name, value in headers if name == b"content-length"), b"")
    return int(length) if length.isdigit() and len(length) < 20 else 0  # noqa: PLR2004 (digits)
