"""How a request is authenticated: plans that say what to send, and do no I/O themselves."""

import base64
import copy
from typing import Final, Protocol

from sinch_wrapper._auth.credentials import AccessKey, AccessToken
from sinch_wrapper._auth.token_cache import Renewal, Token, TokenCache
from sinch_wrapper._auth.token_source import Plan, TokenSource, exchange
from sinch_wrapper._http import httpx
from sinch_wrapper._request import Call, call_of
from sinch_wrapper.errors import ConfigurationError, SinchError

_UNAUTHORIZED: Final = 401


class Auth(Protocol):
    """A way to authenticate."""

    def send(self, request: httpx.Request) -> Plan[httpx.Response]:
        """Plan to send *request*; its result is the answer."""
        ...

    def fetch_token(self, cause: Call) -> Plan[AccessToken]:
        """Plan to get the token in use; *cause* brings timeouts and policy."""
        ...


class BasicAuth:
    """HTTP Basic authentication: for tests only, for the API limits it heavily."""

    def __init__(self, key: AccessKey) -> None:
        pair = f"{key.key_id}:{key.key_secret}"
        self._header = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def send(self, request: httpx.Request) -> Plan[httpx.Response]:
        """Plan to send *request* with the key in its header."""
        request.headers["Authorization"] = self._header
        return (yield from exchange(request))

    def fetch_token(self, cause: Call) -> Plan[AccessToken]:
        """There is none.

        Raises: ConfigurationError.
        """
        del cause
        message = 'there is no token with auth="basic": use "oauth2"'
        raise ConfigurationError(message)
        yield


class BearerAuth:
    """Bearer tokens: fetched when first needed, shared, renewed 60 s before they expire.

    One token request however many threads and tasks wait for it; while it is renewed early the
    old token serves on; a 401 renews it once and repeats the request once.

    Raises (while sending): AuthenticationError when the key is refused, APIConnectionError,
    RateLimitError and InternalServerError when no token can be had.
    """

    def __init__(self, source: TokenSource, cache: TokenCache | None = None) -> None:
        self._source = source
        self._cache = cache or TokenCache()

    def send(self, request: httpx.Request) -> Plan[httpx.Response]:
        """Plan to send *request* with a token, twice at most."""
        cause = call_of(request)
        token = yield from self._obtain(cause)
        response = yield from exchange(_signed(request, token))
        if response.status_code == _UNAUTHORIZED and self._cache.refuse(token):
            token = yield from self._obtain(cause)
            response = yield from exchange(_signed(request, token))
        if response.status_code != _UNAUTHORIZED:
            self._cache.accept(token)
        return response

    def fetch_token(self, cause: Call) -> Plan[AccessToken]:
        """Plan to get the token in use; it is fetched or renewed when it is due."""
        token = yield from self._obtain(cause)
        return AccessToken(token.value, token.expires_at - self._cache.clock())

    def _obtain(self, cause: Call) -> Plan[Token]:
        while True:
            claim = self._cache.claim()
            if claim.renewal is None:
                token = claim.token
            elif claim.leads:
                token = yield from self._renew(claim.renewal, cause, claim.token)
            else:
                yield claim.renewal
                token = _shared(claim.renewal)
            if token is not None:
                return token

    def _renew(self, renewal: Renewal, cause: Call, spare: Token | None) -> Plan[Token]:
        result: Token | SinchError | None = None
        try:
            fetched = yield from self._source.fetch(cause, urgent=spare is None)
            result = Token.starting(self._cache.clock(), fetched)
        except SinchError as error:
            result = error
            if spare is None:
                raise
            return spare
        finally:
            # Also when this plan is given up: then another caller takes over.
            self._cache.end(renewal, result)
        return result


def _signed(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.value}"
    return request


def _shared(renewal: Renewal) -> Token | None:
    """The token of a renewal that another caller led; None when it was given up."""
    result = renewal.result()
    if isinstance(result, SinchError):
        # A copy, for each raise adds its own traceback.
        raise copy.copy(result) from result.__cause__
    return result
