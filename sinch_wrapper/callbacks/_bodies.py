"""The bodies of callbacks, read within limits: of size, of time, and of all that are being read."""

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from sinch_wrapper.callbacks._settings import ReceiverSettings
from sinch_wrapper.errors import CallbackParseError

# What is left of a body that is refused is not read: the connection ends with the response.
CLOSE = {"Connection": "close"}


class BodyReader:
    """Reads bodies within the limits of *settings*.

    When all that are being read are too large together, the largest is given up, so that small
    ones, as callbacks are, still arrive.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        self._most = settings.max_body
        self._total = max(settings.max_body, settings.max_incoming)
        self._timeout = settings.receive_timeout
        self._sizes: dict[asyncio.Timeout, int] = {}
        self._kept = 0

    async def read(self, request: Request) -> bytes:
        """Return the body of *request*.

        Raises: HTTPException 413 when it is too large, 408 when it does not arrive in time;
            CallbackParseError when the sender disconnects.
        """
        if _announced(request.headers) > self._most:
            raise HTTPException(413, headers=CLOSE)
        try:
            async with asyncio.timeout(self._timeout) as limit:
                return await self._body(request, limit)
        except TimeoutError:
            raise HTTPException(408, headers=CLOSE) from None
        except ClientDisconnect:
            raise CallbackParseError("callback unreadable: the sender disconnected") from None

    async def _body(self, request: Request, limit: asyncio.Timeout) -> bytes:
        # Not a list: of a body that arrives byte by byte it would take forty times the space.
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > self._most:
                    raise HTTPException(413, headers=CLOSE)
                self._grow(limit, len(chunk))
        finally:
            self._kept -= self._sizes.pop(limit, 0)
        return bytes(body)

    def _grow(self, limit: asyncio.Timeout, by: int) -> None:
        self._sizes[limit] = self._sizes.get(limit, 0) + by
        self._kept += by
        while self._kept > self._total:
            largest = max(self._sizes, key=self._sizes.__getitem__)
            self._kept -= self._sizes.pop(largest)
            if not largest.expired():
                largest.reschedule(asyncio.get_running_loop().time())


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0  # noqa: PLR2004 (digits)
