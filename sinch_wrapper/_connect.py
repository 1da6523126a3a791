"""How the pieces of a client fit together.

From call to network: a generated method builds an operation; `Session` makes a request of it and,
on the way back, a value or an exception; `HTTPClient` runs the flow of `_auth.flow`, which adds
the token; `RetryingTransport` waits for its turn and repeats; `PooledTransport` picks the proxy's
pool; the HTTP library sends. Token requests join at `RetryingTransport`.
"""

import inspect
import time

from sinch_wrapper._auth.credentials import AccessKey
from sinch_wrapper._auth.flow import Auth, BasicAuth, BearerAuth
from sinch_wrapper._auth.token_source import ASYNCHRONOUS, TokenSource
from sinch_wrapper._config import Options, is_waiting_skipped
from sinch_wrapper._http import HTTP_VARIABLE, httpx
from sinch_wrapper._rate_limit import RateLimiter, RateLimits, Unlimited
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper._transport.pool import AsyncPooledTransport, PooledTransport
from sinch_wrapper._transport.retrying import (
    AsyncRetryingTransport,
    RetryContext,
    RetryingTransport,
    asleep,
)
from sinch_wrapper.errors import ConfigurationError


def connect(options: Options, transport: httpx.BaseTransport | None) -> HTTPClient:
    """Build the HTTP client of a Sinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library, and for an
    asynchronous function in auth=.
    """
    if inspect.iscoroutinefunction(options.origin):
        raise ConfigurationError(ASYNCHRONOUS)
    _check_transport(transport, httpx.BaseTransport)
    inner = transport
    if inner is None:
        inner = PooledTransport(options.proxy, options.connections)
    sleep = _no_sleep if is_waiting_skipped() else time.sleep
    return HTTPClient(RetryingTransport(inner, _retry_context(options), sleep), _auth(options))


def connect_async(options: Options, transport: httpx.AsyncBaseTransport | None) -> AsyncHTTPClient:
    """Build the HTTP client of an AsyncSinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library.
    """
    _check_transport(transport, httpx.AsyncBaseTransport)
    inner = transport
    if inner is None:
        inner = AsyncPooledTransport(options.proxy, options.connections)
    sleep = _no_async_sleep if is_waiting_skipped() else asleep
    retrying = AsyncRetryingTransport(inner, _retry_context(options), sleep)
    return AsyncHTTPClient(retrying, _auth(options))


def _check_transport(transport: object, kind: type) -> None:
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


def _retry_context(options: Options) -> RetryContext:
    limits = options.limits
    if limits is None:
        return RetryContext(requests=Unlimited())
    return RetryContext(requests=RateLimiter(limits) if isinstance(limits, RateLimits) else limits)


def _no_sleep(_seconds: float) -> None:
    """Return at once."""


async def _no_async_sleep(_seconds: float) -> None:
    await asleep(0)
