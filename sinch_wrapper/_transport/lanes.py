"""Many small pools instead of a large one: a lane carries one request at a time.

The pools of httpx look at every connection whenever a request comes or goes, which at 32 at once
costs more than the request itself, and may close a connection that another thread was just given
(httpcore #1110). A lane has one connection a host, and one user. The lane that was used last is
taken first, so that no more connections open than requests are in flight.
"""

import threading
from collections.abc import Callable
from typing import Final, cast

from sinch_wrapper._http import httpx

__all__ = ["AsyncLanes", "Lanes"]

_FULL: Final = "all connections are in use"


def _patience(request: httpx.Request) -> float | None:
    timeouts = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
    return timeouts.get("pool")


class Lanes(httpx.BaseTransport):
    """*number* lanes for threads."""

    def __init__(self, open_: Callable[[], httpx.BaseTransport], number: int) -> None:
        self._lanes = [open_() for _ in range(number)]
        self._free = list(self._lanes)
        self._places = threading.Semaphore(number)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and take in the whole body, still encoded.

        Raises: PoolTimeout when no lane is free in time; else the HTTP library's exceptions.
        """
        if not self._places.acquire(timeout=_patience(request)):
            raise httpx.PoolTimeout(_FULL, request=request)
        lane = self._free.pop()
        try:
            response = lane.handle_request(request)
            stream = cast("httpx.SyncByteStream", response.stream)
            try:
                response.stream = httpx.ByteStream(b"".join(stream))
            finally:
                stream.close()
        finally:
            self._free.append(lane)
            self._places.release()
        return response

    def close(self) -> None:
        """Close all lanes."""
        for lane in self._lanes:
            lane.close()


class AsyncLanes(httpx.AsyncBaseTransport):
    """The same as Lanes, awaited."""

    def __init__(self, open_: Callable[[], httpx.AsyncBaseTransport], number: int) -> None:
        self._open = open_
        self._lanes = [open_() for _ in range(number)]
        self._free = list(self._lanes)
        import asyncio  # 10 ms of start-up: imported when tasks are in use

        self._places = asyncio.Semaphore(number)
        self._cancelled = asyncio.CancelledError

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and take in the whole body, still encoded.

        Raises: PoolTimeout when no lane is free in time; else the HTTP library's exceptions.
        """
        await self._enter(request)
        lane = self._free.pop()
        try:
            response = await lane.handle_async_request(request)
            stream = cast("httpx.AsyncByteStream", response.stream)
            try:
                content = b"".join([part async for part in stream])
                response.stream = httpx.ByteStream(content)
            finally:
                await stream.aclose()
        except self._cancelled:
            lost, lane = lane, self._replace(lane)
            await lost.aclose()
            raise
        finally:
            self._free.append(lane)
            self._places.release()
        return response

    def _replace(self, lane: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """A new lane in the place of one whose request was cancelled.

        The pool of httpcore 1.0.9 forgets neither a connection that was being opened then nor its
        request: after four of them no request would get through that lane any more.
        """
        fresh = self._open()
        self._lanes[self._lanes.index(lane)] = fresh
        return fresh

    async def _enter(self, request: httpx.Request) -> None:
        if not self._places.locked():
            # Without a timer: this never waits.
            await self._places.acquire()
            return
        from asyncio import timeout

        try:
            async with timeout(_patience(request)):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout(_FULL, request=request) from None

    async def aclose(self) -> None:
        """Close all lanes."""
        for lane in self._lanes:
            await lane.aclose()
