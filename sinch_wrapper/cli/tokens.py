"""Fetching a token for its own sake."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinch_wrapper._call import CALL, Call
from sinch_wrapper._failures import connection_error
from sinch_wrapper._http import httpx
from sinch_wrapper._limits import Unlimited
from sinch_wrapper._options import resolve_identity, resolve_place
from sinch_wrapper._pacing import Pacing
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._routes import RoutedTransport, Routes, open_pool
from sinch_wrapper._token_endpoint import token_from, token_request
from sinch_wrapper._transport import PacedTransport

if TYPE_CHECKING:
    from sinch_wrapper import Endpoints

__all__ = ["FetchedToken", "fetch_token"]

_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class FetchedToken:
    """An access token and its lifetime in seconds."""

    value: str = field(repr=False)
    expires_in: float


def fetch_token(region: "str | None", endpoints: "Endpoints | None") -> FetchedToken:
    """Fetch a token with the credentials of the environment.

    Raises: ConfigurationError, AuthenticationError, and other SinchErrors.
    """
    import os

    _, credentials = resolve_identity({}, os.environ)
    url = resolve_place(region, endpoints, os.environ).auth
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _TIMEOUT)
    call = Call("token request", "GET", RetryPolicy())
    cause = httpx.Request("GET", url, extensions={"timeout": timeouts, CALL: call})
    asking = token_request(credentials, url, cause, urgent=True)
    with PacedTransport(RoutedTransport(Routes(open_pool, None)), Pacing(Unlimited())) as wire:
        try:
            answer = wire.handle_request(asking)
            answer.read()
        except httpx.RequestError as error:
            raise connection_error(call, asking.url.host, error, "not_sent") from error
    token = token_from(asking, answer, 0)
    return FetchedToken(token.value, token.expires_at)
