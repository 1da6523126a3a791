"""Where access tokens come from: the token endpoint, or a provider of the caller's own.

Fetching one is a generator that does no I/O itself: it yields each request to send and each
provider to call, as the auth flows of `_auth.flow` do.
"""

import importlib
import inspect
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias

from sinch_wrapper._auth.credentials import AccessKey, AccessToken, AuthProvider, lifetime_from
from sinch_wrapper._http import httpx
from sinch_wrapper._json import decode
from sinch_wrapper._request import (
    FAILURES,
    APIRequest,
    Call,
    connection_error,
    headers_for,
    host_of,
    raw_response,
)
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    Outcome,
    SinchError,
)

ASYNCHRONOUS: Final = "auth= is asynchronous, and Sinch is not: use AsyncSinch or another provider"
_UNUSABLE: Final = "auth= must return a string, an AccessToken or an AccessKey"


class ProviderCall:
    """A call of the function in auth=; it runs in a thread or in a task, then has a result."""

    def __init__(self, provider: AuthProvider) -> None:
        self._provider = provider
        self._returned: object = None

    def run(self) -> None:
        """Call the provider in a thread.

        Raises: ConfigurationError for an asynchronous provider; APIConnectionError for an
        exception of the provider, unless that is a SinchError.
        """
        with _reporting_failures():
            returned: object = self._provider()
        if inspect.isawaitable(returned):
            if inspect.iscoroutine(returned):
                returned.close()
            raise ConfigurationError(ASYNCHRONOUS)
        self._returned = returned

    async def run_async(self) -> None:
        """Call the provider in a task, and await what it returns when that is awaitable.

        Raises: APIConnectionError for an exception of the provider, unless that is a SinchError.
        """
        with _reporting_failures():
            returned: object = self._provider()
            self._returned = await returned if inspect.isawaitable(returned) else returned

    def result(self) -> AccessKey | AccessToken:
        """What the provider returned.

        Raises: ConfigurationError when that is neither a token nor a key.
        """
        if isinstance(self._returned, AccessKey | AccessToken):
            return self._returned
        if isinstance(self._returned, str):
            return AccessToken(self._returned)
        raise ConfigurationError(_UNUSABLE)


@contextmanager
def _reporting_failures() -> Iterator[None]:
    try:
        yield
    except SinchError:
        raise
    except Exception as error:  # the user's code may raise anything
        kind = type(error).__name__
        line = f"the provider in auth= failed ({kind}): nothing was sent; see the cause"
        raise APIConnectionError(line, "not_sent", 0) from error


# Authlib takes a tenth of the start-up time, which programs with their own tokens save.
_CLIENT_AUTH: Final = "authlib.oauth2.auth"
_PARAMETERS: Final = "authlib.oauth2.rfc6749.parameters"

Fetch: TypeAlias = Generator[APIRequest | ProviderCall, httpx.Response, AccessToken]


class TokenSource:
    """Fetches tokens with an access key, or asks a provider for a token or for the key."""

    def __init__(self, origin: AccessKey | AuthProvider, token_url: str) -> None:
        self._origin = origin
        self._token_url = token_url

    def load(self) -> None:
        """Import what the first token request needs."""
        if isinstance(self._origin, AccessKey):
            importlib.import_module(_CLIENT_AUTH)
            importlib.import_module(_PARAMETERS)

    def fetch(self, cause: Call, *, urgent: bool) -> Fetch:
        """Fetch a token for *cause*, with the timeouts and the retry policy of that call.

        When it is not *urgent*, because an old token is still valid, it is tried once, briefly.

        Raises: SinchError when no token can be fetched.
        """
        key = self._origin
        if not isinstance(key, AccessKey):
            provider = ProviderCall(key)
            yield provider
            found = provider.result()
            if isinstance(found, AccessToken):
                return found
            key = found
        request = token_request(key, self._token_url, cause, urgent=urgent)
        try:
            response = yield request
        except FAILURES as error:
            # Whatever happened to the token request, the call itself did not leave.
            outcome: Outcome = "unknown" if cause.doubtful else "not_sent"
            raise connection_error(request, error, outcome) from error
        return token_from(request, response)


_ACCEPTED: Final = range(200, 300)
_REFUSALS: Final = frozenset({400, 401, 403})
_NOWHERE: Final = frozenset({404, 405, 410})
_FORM: Final = "application/x-www-form-urlencoded"
# An early renewal may fail, so no call should wait long for it.
_EARLY_TIMEOUT: Final = 5.0


def token_request(key: AccessKey, url: str, cause: Call, *, urgent: bool) -> APIRequest:
    """Build the request for a token.

    Raises: ConfigurationError for a malformed *url*.
    """
    from authlib.oauth2.auth import ClientAuth
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    client = ClientAuth(key.key_id, key.key_secret, "client_secret_basic")
    body = prepare_token_request("client_credentials")
    # Asking twice for a token does no harm, so it is repeated like a GET.
    call = Call("token request", "GET", cause.retry, cause.timeouts, token=True)
    if not urgent:
        call.retry = RetryPolicy(attempts=1)
        call.timeouts = {step: min(time, _EARLY_TIMEOUT) for step, time in cause.timeouts.items()}
    try:
        target = httpx.URL(url)
        request = APIRequest(
            call, "POST", target, headers_for(target.netloc, _FORM), body.encode("ascii")
        )
    except httpx.InvalidURL:
        message = "endpoints.auth is malformed: check it"
        raise ConfigurationError(message) from None
    # After everything that can fail: the headers contain the key, and would show in a traceback.
    _, headers, _ = client.prepare("POST", url, {}, body)
    request.headers.update(headers)
    return request


def read_token(content: bytes) -> AccessToken | None:
    """Read a response of the token endpoint; None when there is no bearer token in it."""
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


def token_from(request: APIRequest, response: httpx.Response) -> AccessToken:
    """Read the *response* to the token *request*.

    Raises: AuthenticationError when the key is refused or the response has no token,
    RateLimitError, InternalServerError and other APIStatusErrors by status.
    """
    status, advice = response.status_code, None
    if status in _ACCEPTED:
        token = read_token(response.content)
        if token is not None:
            return token
        advice = "the response contains no bearer token; check endpoints="
    elif status in _NOWHERE:
        advice = "not a token endpoint; check endpoints= or SINCH_SANDBOX_URL"
    from sinch_wrapper.errors import error_from_response

    raise error_from_response(
        request.call.name,
        raw_response(response),
        where=host_of(request),
        attempts=request.call.attempts,
        kind=AuthenticationError if status in _REFUSALS or status in _ACCEPTED else None,
        advice=advice,
    )
