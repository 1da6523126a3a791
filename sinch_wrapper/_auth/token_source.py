"""Where tokens come from: the token endpoint, or a provider of the caller's own."""

import inspect
from collections.abc import Generator, Mapping
from typing import Final, TypeAlias, TypeVar, cast

from sinch_wrapper._auth.credentials import AccessKey, AccessToken, AuthProvider, lifetime_from
from sinch_wrapper._auth.token_cache import Renewal
from sinch_wrapper._http import httpx
from sinch_wrapper._json import decode
from sinch_wrapper._request import (
    FAILURES,
    Call,
    SealedRequest,
    call_of,
    connection_error,
    host_of,
    reply_from,
)
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    Outcome,
    SinchError,
    error_from_reply,
)

T = TypeVar("T")

ASYNCHRONOUS: Final = "auth= is asynchronous, and Sinch is not: use AsyncSinch or another provider"
_UNUSABLE: Final = "auth= must give a text, an AccessToken or an AccessKey"


class Question:
    """A question to the caller's own provider: asked by the wire, its answer taken by the plan."""

    def __init__(self, provider: AuthProvider) -> None:
        self._provider = provider
        self._answer: object = None

    def ask(self) -> None:
        """Ask in a thread.

        Raises: ConfigurationError for an asynchronous provider, APIConnectionError from what
        the provider raises, unless that is a SinchError.
        """
        answer = self._call()
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise ConfigurationError(ASYNCHRONOUS)
        self._answer = answer

    async def ask_async(self) -> None:
        """Ask in a task; the same, awaited when it must be."""
        answer = self._call()
        try:
            self._answer = await answer if inspect.isawaitable(answer) else answer
        except SinchError:
            raise
        except Exception as error:  # the caller's code: anything may come
            raise _provider_error(error) from error

    def take(self) -> AccessKey | AccessToken:
        """The answer.

        Raises: ConfigurationError when it is neither a token nor a key.
        """
        if isinstance(self._answer, AccessKey | AccessToken):
            return self._answer
        if isinstance(self._answer, str):
            return AccessToken(self._answer)
        raise ConfigurationError(_UNUSABLE)

    def _call(self) -> object:
        try:
            return self._provider()
        except SinchError:
            raise
        except Exception as error:  # the caller's code: anything may come
            raise _provider_error(error) from error


def _provider_error(error: Exception) -> APIConnectionError:
    line = f"the provider in auth= failed ({type(error).__name__}): nothing was sent; see the cause"
    return APIConnectionError(line, "not_sent", 0)


# What a plan yields: a request to send, a question to ask, a renewal to wait for.
Step: TypeAlias = httpx.Request | Question | Renewal
# A plan does no I/O: it yields steps, gets the answers to its requests, and returns its result.
Plan: TypeAlias = Generator[Step, httpx.Response | None, T]


def exchange(request: httpx.Request) -> Plan[httpx.Response]:
    """Have *request* sent, and return its answer."""
    return cast("httpx.Response", (yield request))


class TokenSource:
    """Fetches tokens with an access key, or asks a provider for a token or for the key."""

    def __init__(self, origin: AccessKey | AuthProvider, token_url: str) -> None:
        self._origin = origin
        self._token_url = token_url

    def fetch(self, cause: Call, *, urgent: bool) -> Plan[AccessToken]:
        """Plan to fetch a token for *cause*.

        Raises: SinchError whenever there is none.
        """
        key = self._origin
        if not isinstance(key, AccessKey):
            question = Question(key)
            yield question
            found = question.take()
            if isinstance(found, AccessToken):
                return found
            key = found
        return (yield from self._grant(key, cause, urgent=urgent))

    def _grant(self, key: AccessKey, cause: Call, *, urgent: bool) -> Plan[AccessToken]:
        # Authlib takes 60 ms to load, which those who never fetch a token need not spend.

        request = token_request(key, self._token_url, cause, urgent=urgent)
        try:
            answer = yield from exchange(request)
        except FAILURES as error:
            # Whatever became of the token request, the call itself did not leave.
            outcome: Outcome = "unknown" if cause.doubtful else "not_sent"
            raise connection_error(call_of(request), host_of(request), error, outcome) from error
        return token_from(request, answer)


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
    from authlib.oauth2.auth import ClientAuth  # a tenth of the start-up time
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

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
