"""How the pieces of a client fit together.

From call to wire: a generated method builds an operation; `Session` makes a request of it and,
on the way back, errors; `Wire` carries out the plan of `_auth.plans`, which adds the token;
`PacedTransport` waits for a slot and repeats; `RoutedTransport` picks the proxy's pool; the HTTP
library sends. Token requests join at `PacedTransport`.
"""

import inspect
import os
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sinch_wrapper._auth.credentials import AccessKey
from sinch_wrapper._auth.flow import Auth, BasicAuth, BearerAuth
from sinch_wrapper._auth.token_source import ASYNCHRONOUS, TokenSource
from sinch_wrapper._config import Options
from sinch_wrapper._http import HTTP_VARIABLE, httpx
from sinch_wrapper._rate_limit import RateLimiter, RateLimits, Unlimited
from sinch_wrapper._transport.http_client import AsyncWire, Wire
from sinch_wrapper._transport.pool import (
    AsyncRoutedTransport,
    RoutedTransport,
    Routes,
    open_async_pool,
    open_pool,
)
from sinch_wrapper._transport.retrying import AsyncPacedTransport, PacedTransport, Pacing, asleep
from sinch_wrapper.errors import ConfigurationError

T = TypeVar("T")


def _sleepless() -> bool:
    """Whether SINCH_WRAPPER_TESTING says that no test should wait."""
    return os.environ.get("SINCH_WRAPPER_TESTING") == "1"


def _no_sleep(_seconds: float) -> None:
    """Do not wait."""


async def _no_async_sleep(_seconds: float) -> None:
    await asleep(0)


def _auth(options: Options) -> Auth:
    if options.basic and isinstance(options.origin, AccessKey):
        return BasicAuth(options.origin)
    return BearerAuth(TokenSource(options.origin, options.endpoints.auth))


def _pacing(options: Options) -> Pacing:
    limits = options.limits
    if limits is None:
        return Pacing(requests=Unlimited())
    return Pacing(requests=RateLimiter(limits) if isinstance(limits, RateLimits) else limits)


def _inner(given: T | None, kind: type, routed: Callable[[], T]) -> Callable[[], T]:
    if given is None:
        return routed
    if not isinstance(given, kind):
        message = (
            f"transport= must be a {kind.__name__} of {httpx.__name__}, the HTTP library in use; "
            f"{HTTP_VARIABLE} chooses another one"
        )
        raise ConfigurationError(message)
    return lambda: given


def connect(options: Options, transport: httpx.BaseTransport | None) -> Wire:
    """Build the wire of a Sinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library, and for an
    asynchronous function in auth=.
    """
    if inspect.iscoroutinefunction(options.origin):
        raise ConfigurationError(ASYNCHRONOUS)
    inner: Callable[[], httpx.BaseTransport] = _inner(
        transport,
        httpx.BaseTransport,
        lambda: RoutedTransport(
            Routes(partial(open_pool, connections=options.connections), options.proxy)
        ),
    )
    pacing = _pacing(options)
    sleep = _no_sleep if _sleepless() else time.sleep
    return Wire(lambda: PacedTransport(inner(), pacing, sleep), _auth(options))


def connect_async(options: Options, transport: httpx.AsyncBaseTransport | None) -> AsyncWire:
    """Build the wire of an AsyncSinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library.
    """
    inner: Callable[[], httpx.AsyncBaseTransport] = _inner(
        transport,
        httpx.AsyncBaseTransport,
        lambda: AsyncRoutedTransport(
            Routes(partial(open_async_pool, connections=options.connections), options.proxy)
        ),
    )
    pacing = _pacing(options)
    sleep = _no_async_sleep if _sleepless() else asleep
    return AsyncWire(lambda: AsyncPacedTransport(inner(), pacing, sleep), _auth(options))
