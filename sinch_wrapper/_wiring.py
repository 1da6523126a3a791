"""How the pieces of a client fit together: limits, authentication, transports."""

from collections.abc import Callable
from typing import TypeVar

from sinch_wrapper._auth import ClientCredentials, basic_auth
from sinch_wrapper._http import HTTP_VARIABLE, httpx
from sinch_wrapper._limits import SlotLimiter, Unlimited
from sinch_wrapper._options import Options
from sinch_wrapper._pacing import Pacing
from sinch_wrapper._routes import (
    AsyncRoutedTransport,
    RoutedTransport,
    Routes,
    open_async_pool,
    open_pool,
)
from sinch_wrapper._transport import AsyncPacedTransport, PacedTransport
from sinch_wrapper._wire import AsyncWire, Wire
from sinch_wrapper.errors import ConfigurationError

__all__ = ["connect", "connect_async"]

T = TypeVar("T")


def _auth(options: Options) -> httpx.Auth:
    if options.auth == "basic":
        return basic_auth(options.credentials)
    return ClientCredentials(options.credentials, options.endpoints.auth)


def _pacing(options: Options) -> Pacing:
    limiter = Unlimited() if options.limits is None else SlotLimiter(options.limits)
    return Pacing(requests=limiter)


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

    Raises: ConfigurationError for a transport of the other kind or HTTP library.
    """
    inner: Callable[[], httpx.BaseTransport] = _inner(
        transport,
        httpx.BaseTransport,
        lambda: RoutedTransport(Routes(open_pool, options.proxy)),
    )
    pacing = _pacing(options)
    return Wire(lambda: PacedTransport(inner(), pacing), _auth(options))


def connect_async(options: Options, transport: httpx.AsyncBaseTransport | None) -> AsyncWire:
    """Build the wire of an AsyncSinch; nothing is opened before the first request.

    Raises: ConfigurationError for a transport of the other kind or HTTP library.
    """
    inner: Callable[[], httpx.AsyncBaseTransport] = _inner(
        transport,
        httpx.AsyncBaseTransport,
        lambda: AsyncRoutedTransport(Routes(open_async_pool, options.proxy)),
    )
    pacing = _pacing(options)
    return AsyncWire(lambda: AsyncPacedTransport(inner(), pacing), _auth(options))
