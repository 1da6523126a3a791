"""Transports that a caller gave in transport=: what is believed of them, and their limits."""

import sys
from typing import Final

from sinch_wrapper._http import httpx
from sinch_wrapper._transport.limits import (
    ResponseTooLargeError,
    deadline,
    take_in,
    take_in_async,
    total_time,
    within_time,
)
from sinch_wrapper._transport.pool import AsyncPooledTransport, PooledTransport

_OURS: Final = (PooledTransport, AsyncPooledTransport)
_NETWORK: Final = (httpx.HTTPTransport, httpx.AsyncHTTPTransport)
_POOLS: Final = ("ConnectionPool", "HTTPProxy", "SOCKSProxy")


def tells_what_was_sent(transport: httpx.BaseTransport | httpx.AsyncBaseTransport) -> bool:
    """Whether a failure to connect, as *transport* reports it, proves that nothing was sent.

    It does in our own pools and in the transports of the HTTP library: exactly those, neither
    subclasses nor altered objects. Others may report a lost response as a failure to connect, or
    have sent more than once; two public ones do. In MockTransport a test says what happened.
    """
    kind = type(transport)
    if kind in _OURS or kind is httpx.MockTransport:
        return not _is_altered(transport)
    if kind not in _NETWORK or _is_altered(transport):
        return False
    # The library underneath, which a transport of the HTTP library has imported.
    core = sys.modules[httpx.__name__.replace("httpx", "httpcore")]
    pool = getattr(transport, "_pool", None)
    kinds = [getattr(core, f"{kind}{name}") for kind in ("", "Async") for name in _POOLS]
    return type(pool) in kinds and not _is_altered(pool)


def _is_altered(transport: object) -> bool:
    """Whether the object itself has methods in place of those of its class."""
    return any(hasattr(type(transport), name) for name in vars(transport))


class ForeignTransport(httpx.BaseTransport):
    """A transport of the caller's own, within the limits of an attempt.

    Reading the body ends with the time; what happens before that is up to *inner*.
    """

    def __init__(self, inner: httpx.BaseTransport, largest: int) -> None:
        self._inner = inner
        self._largest = largest

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and read the whole body, still encoded."""
        deadline.start(total_time(request))
        response = self._inner.handle_request(request)
        if not response.is_closed:
            response = take_in(response, self._largest)
        return _checked(response, self._largest)

    def close(self) -> None:
        """Close the transport."""
        self._inner.close()


class AsyncForeignTransport(httpx.AsyncBaseTransport):
    """ForeignTransport for tasks; any step ends with the time."""

    def __init__(self, inner: httpx.AsyncBaseTransport, largest: int) -> None:
        self._inner = inner
        self._largest = largest

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and read the whole body, still encoded."""
        return await within_time(request, self._exchange(request))

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if not response.is_closed:
            response = await take_in_async(response, self._largest)
        return _checked(response, self._largest)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._inner.aclose()


def _checked(response: httpx.Response, largest: int) -> httpx.Response:
    """*response*, unless a transport that reads by itself has read too much."""
    if response.is_closed and len(response.content) > largest:
        raise ResponseTooLargeError
    return response
