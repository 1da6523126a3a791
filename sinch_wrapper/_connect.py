"""How the pieces of a client fit together.

From call to network: a generated method builds an operation; `Session` makes a request of it and,
on the way back, a value or an exception; `HTTPClient` runs the flow of `_auth.flow`, which adds
the token; `RetryingTransport` waits for its turn and repeats; `PooledTransport` picks the proxy's
pool; the HTTP library sends. Token requests join at `RetryingTransport`.
"""

import inspect
import ssl

from sinch_wrapper._auth.credentials import AccessKey
from sinch_wrapper._auth.flow import Auth, BasicAuth, BearerAuth
from sinch_wrapper._auth.token_source import ASYNCHRONOUS, TokenSource
from sinch_wrapper._config import Options, is_waiting_skipped, refuse_waiting
from sinch_wrapper._http import HTTP_VARIABLE, httpx
from sinch_wrapper._rate_limit import Limiter, RateLimiter, RateLimits, Unlimited
from sinch_wrapper._transport.aiohttp_transport import async_pool
from sinch_wrapper._transport.foreign import (
    AsyncForeignTransport,
    ForeignTransport,
    tells_what_was_sent,
)
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper._transport.limits import sleep
from sinch_wrapper._transport.pool import PooledTransport
from sinch_wrapper._transport.retrying import (
    AsyncRetryingTransport,
    RetryContext,
    RetryingTransport,
    asleep,
)
from sinch_wrapper.errors import ConfigurationError


def connect(options: Options, transport: httpx.BaseTransport | None) -> HTTPClient:
    """Build the HTTP client of a Sinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library, and for what
    only an AsyncSinch has: an asynchronous function in auth=, and http=.
    """
    if inspect.iscoroutinefunction(options.origin):
        raise ConfigurationError(ASYNCHRONOUS)
    if options.http is not None:
        raise ConfigurationError(f'http="{options.http}" is for AsyncSinch: leave it out')
    _check_transport(transport, httpx.BaseTransport, options)
    inner: httpx.BaseTransport
    if transport is None:
        inner = PooledTransport(*_pool_options(options))
    else:
        inner = ForeignTransport(transport, options.max_response_size)
    wait = _no_sleep if is_waiting_skipped() else sleep
    retrying = RetryingTransport(inner, _retry_context(options, transport), wait)
    return HTTPClient(retrying, _auth(options))


def connect_async(options: Options, transport: httpx.AsyncBaseTransport | None) -> AsyncHTTPClient:
    """Build the HTTP client of an AsyncSinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library, for limits that
    only a Sinch can wait for, and when the library in http= is not installed.
    """
    refuse_waiting(options.limits)
    _check_transport(transport, httpx.AsyncBaseTransport, options)
    inner: httpx.AsyncBaseTransport
    if transport is None:
        inner = async_pool(options.http)(*_pool_options(options))
    else:
        inner = AsyncForeignTransport(transport, options.max_response_size)
    wait = _no_async_sleep if is_waiting_skipped() else asleep
    retrying = AsyncRetryingTransport(inner, _retry_context(options, transport), wait)
    return AsyncHTTPClient(retrying, _auth(options))


def _pool_options(options: Options) -> tuple[str | None, int, int, ssl.SSLContext | None]:
    return options.proxy, options.connections, options.max_response_size, options.tls


def _check_transport(transport: object, kind: type, options: Options) -> None:
    if transport is not None and options.tls is not None:
        message = "tls= and transport= contradict each other: give the context to the transport"
        raise ConfigurationError(message)
    if transport is not None and options.http is not None:
        raise ConfigurationError("http= and transport= contradict each other: pass one of them")
    if transport is not None and not isinstance(transport, kind):
        message = (
            f"transport= must be a {kind.__name__} of {httpx.__name__}, the HTTP library in use; "
            f"{HTTP_VARIABLE} chooses another one"
        )
        raise ConfigurationError(message)


def _auth(options: Options) -> Auth:
    if options.basic and isinstance(options.origin, AccessKey):
        return BasicAuth(options.origin)
    return BearerAuth(TokenSource(options.origin, options.endpoints.auth))


def _retry_context(
    options: Options, transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None
) -> RetryContext:
    limits = options.limits
    if limits is None:
        limiter: Limiter = Unlimited()
    else:
        limiter = RateLimiter(limits) if isinstance(limits, RateLimits) else limits
    believed = transport is None or tells_what_was_sent(transport)
    return RetryContext(limiter, believed=believed, largest=options.max_response_size)


def _no_sleep(_seconds: float) -> None:
    """Return at once."""


async def _no_async_sleep(_seconds: float) -> None:
    await asleep(0)
