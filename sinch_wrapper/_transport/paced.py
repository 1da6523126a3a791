"""The transports that pace and repeat; each attempt on the wire passes here, token requests too.

The decisions are in `pacing` and `_retry`; the two transports differ in `await`.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from sinch_wrapper._failures import FAILURES
from sinch_wrapper._http import httpx
from sinch_wrapper._transport.core_logs import OUR_REQUEST
from sinch_wrapper._transport.pacing import Pacing, Result

__all__ = ["UNDECODABLE", "AsyncPacedTransport", "PacedTransport", "asleep"]

UNDECODABLE: Final = "sinch_wrapper.undecodable"


async def asleep(seconds: float) -> None:
    """Wait in a task."""
    import asyncio  # 10 ms of start-up, which programs with threads need not spend

    await asyncio.sleep(seconds)


def _undecodable(response: httpx.Response) -> httpx.Response:
    """The same status without the body, whose Content-Encoding is a lie."""
    lies = {"content-encoding", "content-length", "transfer-encoding"}
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in lies]
    return httpx.Response(response.status_code, headers=headers, extensions={UNDECODABLE: True})


def _given(result: Result) -> httpx.Response:
    if isinstance(result, httpx.Response):
        return result
    raise result


class PacedTransport(httpx.BaseTransport):
    """Waits for its turn, sends, and repeats what the policy of the call lets it repeat.

    The body is read here, so that half a body counts as a failed attempt.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        pacing: Pacing,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._pacing = pacing
        self._sleep = sleep
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, repeating it as its policy says.

        Raises: the HTTP library's exception of the last attempt.
        """
        attempts = self._pacing.begin(request)
        while True:
            self._pause(attempts.book())
            attempts.start()
            result = self._attempt(request)
            wait = attempts.settle(result)
            if wait is None or self._closed:
                return _given(result)
            self._pause(wait)

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _attempt(self, request: httpx.Request) -> Result:
        OUR_REQUEST.set(True)
        try:
            response = self._inner.handle_request(request)
            try:
                response.read()
            except httpx.DecodingError:
                return _undecodable(response)
            finally:
                response.close()
        except FAILURES as error:
            return error
        finally:
            OUR_REQUEST.set(False)
        return response

    def close(self) -> None:
        """Close the inner transport; what waits to be repeated is not repeated any more."""
        self._closed = True
        self._inner.close()


class AsyncPacedTransport(httpx.AsyncBaseTransport):
    """The same as PacedTransport, awaited; cancelling ends it at once, in a wait too."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        pacing: Pacing,
        sleep: Callable[[float], Awaitable[None]] = asleep,
    ) -> None:
        self._inner = inner
        self._pacing = pacing
        self._sleep = sleep
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, repeating it as its policy says.

        Raises: the HTTP library's exception of the last attempt.
        """
        attempts = self._pacing.begin(request)
        while True:
            await self._pause(attempts.book())
            attempts.start()
            result = await self._attempt(request)
            wait = attempts.settle(result)
            if wait is None or self._closed:
                return _given(result)
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    async def _attempt(self, request: httpx.Request) -> Result:
        OUR_REQUEST.set(True)
        try:
            response = await self._inner.handle_async_request(request)
            try:
                await response.aread()
            except httpx.DecodingError:
                return _undecodable(response)
            finally:
                await response.aclose()
        except FAILURES as error:
            return error
        finally:
            OUR_REQUEST.set(False)
        return response

    async def aclose(self) -> None:
        """Close the inner transport; what waits to be repeated is not repeated any more."""
        self._closed = True
        await self._inner.aclose()
