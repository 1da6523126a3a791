"""The connection pools: one for each proxy and scheme, and one TLS context for all.

Each of a client's concurrent requests has a small transport of the HTTP library to itself. A
single pool of httpcore looks at every connection whenever a request comes or goes, and may close
one that another thread was just given (httpcore #1110), which loses the response to a POST that
was accepted.
"""

import contextlib
import importlib
import ssl
import threading
from collections.abc import Callable
from functools import cache
from typing import ClassVar, Final, Generic, TypeVar, cast
from urllib.request import getproxies, proxy_bypass

from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._http import httpx, quieten
from sinch_wrapper._request import LARGEST_RESPONSE
from sinch_wrapper._transport.limits import (
    deadline,
    take_in,
    take_in_async,
    timed,
    total_time,
    within_time,
)
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.regions import is_this_machine

T = TypeVar("T")

# Of each transport: one idle connection per host, so that the hosts do not evict each other.
_LIMITS: Final = httpx.Limits(max_connections=4, max_keepalive_connections=4)

CLOSED: Final = "the client was closed"
_FULL: Final = "all connections are in use"
_NO_PROXY: Final = (
    "the proxy cannot be used: check proxy= or HTTPS_PROXY (for SOCKS the package socksio must be "
    "installed)"
)
_NO_CERTIFICATES: Final = (
    "the certificates to trust cannot be read: check SSL_CERT_FILE and SSL_CERT_DIR"
)


@cache
def _tls_context(scheme: str) -> ssl.SSLContext:
    if scheme == "http":
        # Never used, and it trusts no certificate: plain HTTP needs none, as to a sandbox.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Reading the CA bundle takes 60 ms, so clients without a context of their own share one.
    return httpx.create_ssl_context()


def proxy_for(scheme: str, host: str, explicit: str | None) -> str | None:
    """The proxy to use for *host*: *explicit*, or the one of the environment or the system.

    An empty *explicit* means none at all. No proxy of the environment could reach what
    listens on this machine, such as a sandbox.
    """
    if explicit is not None:
        return explicit or None
    if is_this_machine(host):
        return None
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if not found or proxy_bypass(host):
        return None
    return found if "://" in found else f"http://{found}"


def _key_of(url: httpx.URL) -> tuple[str, str]:
    return url.scheme, url.raw_host.decode("ascii", "replace")


def _pool_timeout(request: httpx.Request) -> float | None:
    timeouts = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
    return timeouts.get("pool")


def _has_leftover(transport: object) -> bool:
    """Whether more bytes came than the response has, such as the same response once more.

    The library underneath would take them for the response to the next request.
    """
    for connection in getattr(getattr(transport, "_pool", None), "connections", ()):
        inner = connection
        # Proxies wrap connections in one another.
        while (wrapped := getattr(inner, "_connection", None)) is not None:
            inner = wrapped
        reader = getattr(inner, "_h11_state", None)
        if reader is not None and reader.trailing_data[0]:
            return True
    return False


class ConnectionPool(httpx.BaseTransport):
    """Carries *size* requests of threads at once, each with a transport to itself."""

    def __init__(
        self,
        open_transport: Callable[[], httpx.BaseTransport],
        size: int,
        largest: int = LARGEST_RESPONSE,
    ) -> None:
        self._largest = largest
        self._transports = [open_transport() for _ in range(size)]
        self._free = list(self._transports)
        self._places = threading.Semaphore(size)
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and read the whole body, still encoded.

        Raises: PoolTimeout when no transport is free in time; else the HTTP library's exceptions.
        """
        deadline.start(total_time(request))
        if not self._places.acquire(timeout=_pool_timeout(request)):
            raise httpx.PoolTimeout(_FULL, request=request)
        transport = self._free.pop()
        try:
            if self._is_closed:
                # The transport would open a connection that nobody closes.
                raise httpx.ConnectError(CLOSED, request=request)
            response = transport.handle_request(request)
            response = take_in(response, self._largest)
            if _has_leftover(transport):
                transport.close()
        finally:
            self._free.append(transport)
            self._places.release()
        return response

    def close(self) -> None:
        """Close all transports; requests that wait for one are not sent."""
        self._is_closed = True
        for transport in self._transports:
            transport.close()


class AsyncPlaces:
    """Places for *size* requests of tasks; further ones wait."""

    def __init__(self, size: int) -> None:
        import asyncio  # 10 ms of start-up: imported when tasks are in use

        self._places = asyncio.Semaphore(size)
        self.leave = self._places.release

    async def enter(self, request: httpx.Request) -> None:
        """Take a place for *request*; `leave()` gives it back.

        Raises: PoolTimeout when none is free in time.
        """
        if not self._places.locked():
            # Without a timer: this never waits.
            await self._places.acquire()
            return
        from asyncio import timeout

        try:
            async with timeout(_pool_timeout(request)):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout(_FULL, request=request) from None


class AsyncConnectionPool(httpx.AsyncBaseTransport):
    """ConnectionPool for tasks."""

    def __init__(
        self,
        open_transport: Callable[[], httpx.AsyncBaseTransport],
        size: int,
        largest: int = LARGEST_RESPONSE,
    ) -> None:
        self._largest = largest
        self._open = open_transport
        self._transports = [open_transport() for _ in range(size)]
        self._free = list(self._transports)
        self._places = AsyncPlaces(size)
        self._is_closed = False
        from asyncio import CancelledError

        self._cancelled = CancelledError

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and read the whole body, still encoded.

        Raises: PoolTimeout when no transport is free in time; else the HTTP library's exceptions.
        """
        await self._places.enter(request)
        return await within_time(request, self._exchange(request))

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        transport = self._free.pop()
        try:
            if self._is_closed:
                raise httpx.ConnectError(CLOSED, request=request)
            response = await transport.handle_async_request(request)
            response = await take_in_async(response, self._largest)
            if _has_leftover(transport):
                await transport.aclose()
        except self._cancelled:
            lost, transport = transport, self._replace(transport)
            await lost.aclose()
            raise
        finally:
            self._free.append(transport)
            self._places.leave()
        return response

    def _replace(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Open a new transport in the place of one whose request was cancelled.

        The pool of httpcore 1.0.9 then keeps both the request and a connection that was being
        opened: after four of them no request would get through that transport any more.
        """
        fresh = self._open()
        self._transports[self._transports.index(transport)] = fresh
        return fresh

    async def aclose(self) -> None:
        """Close all transports; requests that wait for one are not sent."""
        self._is_closed = True
        for transport in self._transports:
            await transport.aclose()


class Pools(Generic[T]):
    """Finds the pool for a URL; each pool carries *connections* requests at once.

    *largest* is the size of a response in bytes; *tls* takes the place of our own TLS context.
    """

    _unusable_proxy: ClassVar[str] = _NO_PROXY

    def __init__(
        self,
        proxy: str | None,
        connections: int,
        largest: int = LARGEST_RESPONSE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._proxy = proxy
        self._connections = connections
        self._largest = largest
        self._tls = tls
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Forget all pools, whose connections are still the parent's."""
        self._by_host: dict[tuple[str, str], T] = {}
        self._pools: dict[tuple[str, str | None], T] = {}
        self._opening = threading.Lock()

    def _open(self, scheme: str, proxy: str | None) -> T:
        raise NotImplementedError

    def _route(self, scheme: str, proxy: str | None) -> tuple[ssl.SSLContext, httpx.Proxy | None]:
        tls = self._tls or _tls_context(scheme)
        if proxy is None:
            return tls, None
        # A proxy that is spoken to in TLS is trusted like the APIs.
        secure = proxy.lower().startswith("https:")
        return tls, httpx.Proxy(proxy, ssl_context=self._tls if secure else None)

    def prepare(self, url: httpx.URL) -> None:
        """Find or open the pool for *url*, as its first request does; that connects to nothing."""
        if (key := _key_of(url)) not in self._by_host:
            self._add(key)

    def _pool_for(self, request: httpx.Request) -> T:
        key = _key_of(request.url)
        found = self._by_host.get(key) or self._add(key)
        if isinstance(found, ConfigurationError):
            # Neither chained, nor raised where the URL of a proxy, which may contain a password,
            # is a local variable.
            raise found
        return found

    def _add(self, key: tuple[str, str]) -> T | ConfigurationError:
        scheme, host = key
        route = (scheme, proxy_for(scheme, host, self._proxy))
        with self._opening:
            if route not in self._pools:
                quieten()
                try:
                    self._pools[route] = self._open(*route)
                except OSError:
                    # Opening a pool connects to nothing, but reads the certificates.
                    return ConfigurationError(_NO_CERTIFICATES)
                except (ValueError, ImportError, httpx.InvalidURL):
                    return ConfigurationError(self._unusable_proxy)
            return self._by_host.setdefault(key, self._pools[route])


class AsyncPools(Pools[T]):
    """Pools for tasks; opening one reads files, so it is done in a thread."""

    async def prepare(self, url: httpx.URL) -> None:  # type: ignore[override]  # awaited
        """Find or open the pool for *url*, as its first request does; that connects to nothing."""
        if (key := _key_of(url)) not in self._by_host:
            from asyncio import to_thread

            await to_thread(self._add, key)

    async def _opened(self, request: httpx.Request) -> T:
        await self.prepare(request.url)
        return self._pool_for(request)


class PooledTransport(Pools[ConnectionPool], httpx.BaseTransport):
    """Sends each request through the pool of its proxy.

    Raises (while sending): ConfigurationError for a proxy or certificates that cannot be used.
    """

    def _open(self, scheme: str, proxy: str | None) -> ConnectionPool:
        tls, via = self._route(scheme, proxy)
        return ConnectionPool(
            lambda: timed(httpx.HTTPTransport(verify=tls, limits=_LIMITS, proxy=via)),
            self._connections,
            self._largest,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        return self._pool_for(request).handle_request(request)

    def close(self) -> None:
        """Close all pools."""
        for pool in list(self._pools.values()):
            pool.close()


# The library underneath imports them with its first request, in the event loop.
_OF_TASKS: Final = ("anyio._backends._asyncio", "anyio.streams.tls")


class AsyncPooledTransport(AsyncPools[AsyncConnectionPool], httpx.AsyncBaseTransport):
    """PooledTransport for tasks."""

    def _open(self, scheme: str, proxy: str | None) -> AsyncConnectionPool:
        with contextlib.suppress(ImportError):
            for name in _OF_TASKS:
                importlib.import_module(name)
        tls, via = self._route(scheme, proxy)
        return AsyncConnectionPool(
            lambda: httpx.AsyncHTTPTransport(verify=tls, limits=_LIMITS, proxy=via),
            self._connections,
            self._largest,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        return await (await self._opened(request)).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all pools."""
        for pool in list(self._pools.values()):
            await pool.aclose()
