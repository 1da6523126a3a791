"""The client credentials grant: the request for a token, and the reading of its answer.

Source: RFC 6749, 4.4 and 2.3.1.
"""

from collections.abc import Mapping
from typing import Final

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from sinch_wrapper._auth.credentials import AccessKey, AccessToken, lifetime_from
from sinch_wrapper._call import Call, SealedRequest, call_of, host_of
from sinch_wrapper._http import httpx
from sinch_wrapper._json import decode
from sinch_wrapper._replies import reply_from
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.errors import (
    AuthenticationError,
    ConfigurationError,
    error_from_reply,
)

__all__ = ["read_token", "token_from", "token_request"]

_ACCEPTED: Final = range(200, 300)
_REFUSALS: Final = frozenset({400, 401, 403})
_NOWHERE: Final = frozenset({404, 405, 410})
_HEADERS: Final = {
    "Accept": "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
}
# An early renewal may fail, so nobody should wait long for it.
_PATIENCE: Final = 5.0


def token_request(key: AccessKey, url: str, cause: Call, *, urgent: bool) -> httpx.Request:
    """Build the request for a token, with the timeouts and the policy of the call behind it.

    When it is not *urgent* (an old token still serves) it is tried once only, and not for long.

    Raises: ConfigurationError for a malformed *url*.
    """
    client = ClientAuth(key.key_id, key.key_secret, "client_secret_basic")
    body = prepare_token_request("client_credentials")
    # A token asked for twice harms nobody: the row of GET applies.
    call = Call("token request", "GET", cause.retry, cause.timeout, token=True)
    if not urgent:
        call.retry = RetryPolicy(attempts=1)
        call.timeout = {step: min(time, _PATIENCE) for step, time in cause.timeout.items()}
    try:
        request = SealedRequest("POST", url, content=body, extensions=call.extensions)
    except httpx.InvalidURL:
        message = "endpoints.auth is malformed: check it"
        raise ConfigurationError(message) from None
    _, headers, _ = client.prepare("POST", url, dict(_HEADERS), body)
    request.headers.update(headers)
    return request


def read_token(content: bytes) -> AccessToken | None:
    """Read the answer of the token endpoint; None when it holds no bearer token."""
    try:
        body = decode(content)
    except ValueError:
        return None
    if not isinstance(body, Mapping):
        return None
    value, kind = body.get("access_token"), body.get("token_type", "bearer")
    if not isinstance(value, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        return None
    try:
        return AccessToken(value, lifetime_from(body.get("expires_in")))
    except ConfigurationError:
        return None


def token_from(request: httpx.Request, answer: httpx.Response) -> AccessToken:
    """Read the answer to *request*.

    Raises: AuthenticationError when the key is refused or no token is in it, RateLimitError,
    InternalServerError and other APIStatusErrors by status.
    """
    call, reply, advice = call_of(request), reply_from(answer), None
    if answer.status_code in _ACCEPTED:
        token = read_token(reply.content)
        if token is not None:
            return token
        advice = "the answer holds no bearer token; check endpoints="
    elif answer.status_code in _NOWHERE:
        advice = "this is no token endpoint; check endpoints= or SINCH_SANDBOX_URL"
    refused = answer.status_code in _REFUSALS or answer.status_code in _ACCEPTED
    raise error_from_reply(
        call.name,
        reply,
        where=host_of(request),
        attempts=call.attempts,
        kind=AuthenticationError if refused else None,
        advice=advice,
    )
