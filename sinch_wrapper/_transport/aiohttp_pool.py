"""A connection pool of aiohttp, for tasks: half the CPU of the HTTP library's own.

Requests, responses and exceptions stay those of the HTTP library. Each failure is mapped here: one
that ended while connecting was not sent, and anything else may have been.
"""

import io
import select
import ssl
import weakref
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from sinch_wrapper._http import httpx
from sinch_wrapper._transport.aiohttp_protocol import LimitedProtocol, most_received
from sinch_wrapper._transport.limits import BodyParts, WholeResponse, within_time
from sinch_wrapper._transport.pool import CLOSED, AsyncPlaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.client_proto import ResponseHandler

_SWITCHED: Final = "the server switched to another protocol, which nobody asked for"
# In bytes: the HTTP library reads heads of that size.
_LONGEST_HEADER: Final = 102_400
_MOST_HEADERS: Final = 500
# From this size on aiohttp warns of bodies that are written at once.
_LARGE: Final = 1024 * 1024
_KEEP_ALIVE: Final = 5.0
_NEVER_ROUNDED: Final = 1e9


class _Connector(aiohttp.TCPConnector):
    """Connects, and hands out no connection that has bytes nobody asked for."""

    def __init__(self, tls: ssl.SSLContext, largest: int) -> None:
        super().__init__(
            # The pool counts its places; names are looked up each time, as the HTTP library does.
            limit=0,
            ssl=tls,
            resolver=aiohttp.ThreadedResolver(),
            use_dns_cache=False,
            keepalive_timeout=_KEEP_ALIVE,
        )
        # There is no option for it.
        made = partial(LimitedProtocol, self._loop, most_received(largest))
        self._factory = cast("partial[ResponseHandler]", made)

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (the name is aiohttp's)
    ) -> Connection:
        """Get a connection; the request leaves after this.

        Raises: ConnectTimeout, ConnectError and ProxyError, so that whatever else is raised
        means that the request may have left.
        """
        try:
            while True:
                connection = await super().connect(req, traces, timeout)
                # Of another class it would fail here, and not connect without end.
                protocol = cast("LimitedProtocol | None", connection.protocol)
                if protocol is not None and not _is_stale(protocol):
                    protocol.begin(timeout.sock_read)
                    return connection
                connection.close()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(type(error).__name__) from error
        except aiohttp.ClientHttpProxyError as error:
            raise httpx.ProxyError(f"the proxy responded with {error.status}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ConnectError(type(error).__name__) from error

    def __del__(self, *_warnings: object) -> None:
        """Leave the connections to the garbage collector, as the HTTP library does.

        In the child of a fork aiohttp would take their sockets out of the parent's event loop.
        """


def _is_stale(protocol: LimitedProtocol) -> bool:
    """Whether the server has ended the connection, or sent more than it was asked for.

    Such bytes would be taken for the response to the next request.
    """
    if protocol.should_close or protocol.transport is None:
        return True
    found = protocol.transport.get_extra_info("socket")
    return found is not None and _is_readable(found.fileno())


def _is_readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _timeouts(request: httpx.Request) -> aiohttp.ClientTimeout:
    steps = cast("Mapping[str, float | None]", request.extensions.get("timeout", {}))
    connect = steps.get("connect")
    return aiohttp.ClientTimeout(
        connect=connect,
        sock_connect=connect,
        sock_read=steps.get("read"),
        ceil_threshold=_NEVER_ROUNDED,
    )


def _authorization(via: httpx.Proxy | None) -> dict[str, str]:
    if via is None or via.auth is None:
        return {}
    return {"Proxy-Authorization": aiohttp.encode_basic_auth(*via.auth, encoding="utf-8")}


def _headers_of(request: httpx.Request) -> list[tuple[str, str]]:
    return [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw]


def _body_of(request: httpx.Request) -> bytes | io.BytesIO | None:
    body = request.read()
    return io.BytesIO(body) if len(body) > _LARGE else body or None


class _NoCookies(aiohttp.DummyCookieJar):
    """Keeps none, and does not read them: aiohttp would log those that it finds wrong."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Forget them."""


def _session(tls: ssl.SSLContext, largest: int) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=_Connector(tls, largest),
        cookie_jar=_NoCookies(),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
        max_headers=_MOST_HEADERS,
    )
    # It would send a GET twice by itself.
    session._retry_connection = False  # noqa: SLF001 (there is no option)
    return session


class AiohttpPool(httpx.AsyncBaseTransport):
    """Carries *size* requests of tasks at once, through one proxy or none."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        via: httpx.Proxy | None,
        size: int,
        largest: int,
        *,
        tunnels: bool,
    ) -> None:
        self._places = AsyncPlaces(size)
        self._largest = largest
        self._proxy = None if via is None else str(via.url)
        authorization = _authorization(via)
        self._proxy_headers = authorization if tunnels else None
        self._headers = () if tunnels else tuple(authorization.items())
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and read the whole body, still encoded.

        Raises: the HTTP library's exceptions.
        """
        await self._places.enter(request)
        try:
            return await within_time(request, self._exchange(request))
        finally:
            self._places.leave()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        if self._is_closed:
            raise httpx.ConnectError(CLOSED)
        session = self._session or self._opened()
        try:
            async with session.request(
                request.method,
                URL(str(request.url), encoded=True),
                data=_body_of(request),
                headers=[*_headers_of(request), *self._headers],
                allow_redirects=False,
                timeout=_timeouts(request),
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
            ) as response:
                if response.status < HTTPStatus.OK:
                    raise httpx.RemoteProtocolError(_SWITCHED)
                parts = BodyParts(self._largest)
                while part := await response.content.readany():
                    parts.add(part)
                return WholeResponse(response.status, response.raw_headers, parts.whole())
        except TimeoutError as error:
            raise httpx.ReadTimeout(type(error).__name__) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ReadError(type(error).__name__) from error

    def _opened(self) -> aiohttp.ClientSession:
        # Not in the constructor, which runs in a thread: a session belongs to its event loop.
        self._session = _session(self._tls, self._largest)
        weakref.finalize(self, self._session.detach)
        return self._session

    async def aclose(self) -> None:
        """Close all connections."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()
