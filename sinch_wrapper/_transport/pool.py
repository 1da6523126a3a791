"""The inner transports: one pool a proxy, one TLS context for all."""

import ssl
import threading
from collections.abc import Callable
from functools import cache
from typing import Final, Generic, TypeVar, cast
from urllib.request import getproxies, proxy_bypass

from sinch_wrapper._http import httpx, quieten
from sinch_wrapper._request import host_of
from sinch_wrapper.errors import ConfigurationError

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


T = TypeVar("T")

# Of a lane: one idle connection for each of the hosts, so that they do not evict each other.
_LANE: Final = httpx.Limits(max_connections=4, max_keepalive_connections=4)

_NO_PROXY: Final = (
    "the proxy cannot be used: check proxy= or HTTPS_PROXY (for SOCKS the package socksio must be "
    "installed)"
)
_NO_CERTIFICATES: Final = (
    "the certificates to trust cannot be read: check SSL_CERT_FILE and SSL_CERT_DIR"
)


@cache
def _tls_context() -> ssl.SSLContext:
    # Reading the CA bundle takes 45 ms; no setting of ours differs between clients.
    return httpx.create_ssl_context()


def proxy_for(scheme: str, host: str, explicit: str | None) -> str | None:
    """The proxy to use for *host*: *explicit*, or what environment and system say.

    An empty *explicit* means none at all.
    """
    if explicit is not None:
        return explicit or None
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if not found or proxy_bypass(host):
        return None
    return found if "://" in found else f"http://{found}"


def open_pool(proxy: str | None, connections: int = 32) -> httpx.BaseTransport:
    """Open a connection pool for threads, for so many requests at once."""
    quieten()

    def lane() -> httpx.BaseTransport:
        return httpx.HTTPTransport(verify=_tls_context(), limits=_LANE, proxy=proxy)

    return Lanes(lane, connections)


def open_async_pool(proxy: str | None, connections: int = 32) -> httpx.AsyncBaseTransport:
    """Open a connection pool for tasks, for so many requests at once."""
    quieten()

    def lane() -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(verify=_tls_context(), limits=_LANE, proxy=proxy)

    return AsyncLanes(lane, connections)


class Routes(Generic[T]):
    """Finds the pool for a URL, and opens it when it is the first to need it."""

    def __init__(self, open_: Callable[[str | None], T], proxy: str | None) -> None:
        self._open = open_
        self._proxy = proxy
        self._by_host: dict[tuple[str, str], T] = {}
        self._by_proxy: dict[str | None, T] = {}
        self._opening = threading.Lock()

    def pick(self, request: httpx.Request) -> T:
        """The pool for *request*.

        Raises: ConfigurationError for a proxy or certificates that cannot be used.
        """
        key = (request.url.scheme, host_of(request))
        found = self._by_host.get(key) or self._add(key)
        if isinstance(found, ConfigurationError):
            # Not chained, and raised where the URL of a proxy, which may hold a password, is no
            # local.
            raise found
        return found

    def opened(self) -> list[T]:
        """All pools so far."""
        return list(self._by_proxy.values())

    def _add(self, key: tuple[str, str]) -> T | ConfigurationError:
        proxy = proxy_for(*key, self._proxy)
        with self._opening:
            if proxy not in self._by_proxy:
                try:
                    self._by_proxy[proxy] = self._open(proxy)
                except OSError:
                    # Opening a pool connects to nothing, but reads the certificates.
                    return ConfigurationError(_NO_CERTIFICATES)
                except (ValueError, ImportError, httpx.InvalidURL):
                    return ConfigurationError(_NO_PROXY)
            return self._by_host.setdefault(key, self._by_proxy[proxy])


class RoutedTransport(httpx.BaseTransport):
    """Sends each request through the pool of its proxy."""

    def __init__(self, routes: Routes[httpx.BaseTransport]) -> None:
        self._routes = routes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        return self._routes.pick(request).handle_request(request)

    def close(self) -> None:
        """Close all pools."""
        for pool in self._routes.opened():
            pool.close()


class AsyncRoutedTransport(httpx.AsyncBaseTransport):
    """The same as RoutedTransport, awaited."""

    def __init__(self, routes: Routes[httpx.AsyncBaseTransport]) -> None:
        self._routes = routes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        return await self._routes.pick(request).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all pools."""
        for pool in self._routes.opened():
            await pool.aclose()
