"""The client credentials grant: the request for a token, and the reading of its answer.

Source: RFC 6749, 4.4 and 2.3.1.
"""

from typing import Final

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from sinch_wrapper._call import CALL, Call, call_of
from sinch_wrapper._credentials import Credentials
from sinch_wrapper._http import httpx
from sinch_wrapper._replies import reply_from
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._token import Token, read_token
from sinch_wrapper.errors import AuthenticationError, error_from_reply

__all__ = ["token_from", "token_request"]

_ACCEPTED: Final = range(200, 300)
_REFUSALS: Final = frozenset({400, 401, 403})
_HEADERS: Final = {
    "Accept": "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
}


def token_request(
    credentials: Credentials, url: str, cause: httpx.Request, *, urgent: bool
) -> httpx.Request:
    """Build the request for a token, with the timeouts and the policy of the request behind it.

    When it is not *urgent* (an old token still serves) it is tried once only, so that nobody
    waits long for what he does not need yet.
    """
    client = ClientAuth(credentials.key_id, credentials.key_secret, "client_secret_basic")
    body = prepare_token_request("client_credentials")
    url, headers, body = client.prepare("POST", url, dict(_HEADERS), body)
    retry = call_of(cause).retry if urgent else RetryPolicy(attempts=1)
    # A token asked for twice harms nobody: the row of GET applies.
    call = Call("token request", "GET", retry, token=True)
    extensions = {**cause.extensions, CALL: call}
    return httpx.Request("POST", url, headers=headers, content=body, extensions=extensions)


def token_from(request: httpx.Request, answer: httpx.Response, now: float) -> Token:
    """Read the answer to *request*.

    Raises: AuthenticationError when the key is refused or no token is in it, RateLimitError,
    InternalServerError and other APIStatusErrors by status.
    """
    call, reply = call_of(request), reply_from(answer)
    if answer.status_code in _ACCEPTED:
        token = read_token(reply.content, now)
        if token is not None:
            return token
        advice = "the answer holds no bearer token; check endpoints.auth"
    else:
        advice = None
    refused = answer.status_code in _REFUSALS or answer.status_code in _ACCEPTED
    kind = AuthenticationError if refused else None
    raise error_from_reply(call.name, reply, attempts=call.attempts, kind=kind, advice=advice)
