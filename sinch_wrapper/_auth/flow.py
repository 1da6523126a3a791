"""How a request is authenticated: flows that say what to send next, and do no I/O themselves.

A flow is a generator, like those of `httpx.Auth`. It yields requests to send, calls of the user's
own token provider, and renewals by another caller to wait for; it is sent the response of each
request, and returns its result. `_transport.http_client` does the I/O, in threads or in tasks.
"""

import base64
import copy
import math
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from sinch_wrapper._auth.credentials import AccessKey, AccessToken
from sinch_wrapper._auth.token_source import ProviderCall, TokenSource
from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._http import httpx
from sinch_wrapper._request import APIRequest, Call
from sinch_wrapper.errors import ConfigurationError, SinchError

T = TypeVar("T")

_UNAUTHORIZED: Final = 401
_LEEWAY: Final = 60.0
# After a failed early renewal the old token stays in use, and no call tries again for so long.
_RETRY_PAUSE: Final = 5.0
# After a token that replaced a refused one is refused too: another one would not help so soon.
_REFUSAL_PAUSE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; times are those of the cache's clock, in seconds."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    @classmethod
    def starting(cls, now: float, token: AccessToken) -> "Token":
        """A *token* fetched at *now*: due a minute ahead, or halfway through a shorter life."""
        life = token.expires_in
        return cls(token.value, now + life - min(_LEEWAY, life / 2), now + life)


# Ends with a token, with the failure to get one, or with None when its leader gave up.
Renewal: TypeAlias = Future[Token | SinchError | None]

AuthFlow: TypeAlias = Generator[APIRequest | ProviderCall | Renewal, httpx.Response, T]


@dataclass(frozen=True, slots=True)
class TokenLookup:
    """What a caller gets: a token to use, or a renewal to wait for, or one to lead.

    The leader of an early renewal also gets the old *token*, which is still valid.
    """

    token: Token | None
    renewal: Renewal | None = None
    leads: bool = False


class TokenCache:
    """Keeps the token of one client and lets one caller at a time renew it.

    A caller that finds no renewal under way leads one. The others wait for it and share its
    result, good or bad, from any thread or event loop. No lock is held during I/O.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._token: Token | None = None
        self._renewal: Renewal | None = None
        self._paused_until = -math.inf
        self._refused_at = -math.inf
        # Reentrant: an abandoned flow may be garbage-collected, and so end its renewal, while its
        # thread is in a method of this class.
        self._guard = threading.RLock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Drop lock and renewal, which threads of the parent may have held; keep the token."""
        self._guard = threading.RLock()
        self._renewal = None

    def fresh(self) -> Token | None:
        """The token, or None when there is none or it is due for renewal."""
        token = self._token
        return token if token is not None and self.clock() < token.renew_at else None

    def look_up(self) -> TokenLookup:
        """Get the token, or a part in its renewal."""
        now = self.clock()
        with self._guard:
            token = self._token
            if token is not None and now >= token.expires_at:
                token = None
            if token is not None and (
                self._renewal is not None or now < max(token.renew_at, self._paused_until)
            ):
                return TokenLookup(token)
            if self._renewal is not None:
                return TokenLookup(None, self._renewal)
            self._renewal = Future()
            # Otherwise one cancelled waiter would cancel the renewal for all others.
            self._renewal.set_running_or_notify_cancel()
            return TokenLookup(token, self._renewal, leads=True)

    def end(self, renewal: Renewal, result: Token | SinchError | None) -> None:
        """End *renewal* with a token, a failure, or None when its leader gave up."""
        with self._guard:
            if self._renewal is renewal:
                self._renewal = None
                if isinstance(result, Token):
                    self._token = result
                elif result is not None:
                    self._paused_until = self.clock() + _RETRY_PAUSE
        renewal.set_result(result)

    def accept(self, token: Token) -> None:
        """Record that the API accepted *token*."""
        if self._token is token:
            self._refused_at = -math.inf

    def refuse(self, token: Token) -> bool:
        """Record that the API refused *token*; returns whether another one is worth a try."""
        now = self.clock()
        with self._guard:
            if self._token is not token:
                return True
            if now < self._refused_at + _REFUSAL_PAUSE:
                return False
            self._refused_at = now
            self._token = None
            return True


class BearerAuth:
    """Bearer tokens: fetched when first needed, shared, renewed 60 s before they expire.

    There is one token request, however many threads and tasks wait for it. During an early
    renewal the old token stays in use. A 401 renews the token once and repeats the request once.

    Raises (while sending): AuthenticationError when the key is refused, APIConnectionError,
    RateLimitError and InternalServerError when no token can be fetched.
    """

    def __init__(self, source: TokenSource, cache: TokenCache | None = None) -> None:
        self._source = source
        self._cache = cache or TokenCache()

    def load(self) -> None:
        """Import what the first call needs."""
        self._source.load()

    def send(self, request: APIRequest) -> AuthFlow[httpx.Response]:
        """Send *request* with a token, twice at most."""
        token = self._cache.fresh() or (yield from self._obtain(request.call))
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code == _UNAUTHORIZED and self._cache.refuse(token):
            token = yield from self._obtain(request.call)
            request.headers["Authorization"] = f"Bearer {token.value}"
            response = yield request
        if response.status_code != _UNAUTHORIZED:
            self._cache.accept(token)
        return response

    def fetch_token(self, cause: Call) -> AuthFlow[AccessToken]:
        """Get the token in use; it is fetched or renewed when it is due."""
        token = self._cache.fresh() or (yield from self._obtain(cause))
        return AccessToken(token.value, token.expires_at - self._cache.clock())

    def _obtain(self, cause: Call) -> AuthFlow[Token]:
        while True:
            found = self._cache.look_up()
            token = found.token
            if found.leads and found.renewal is not None:
                token = yield from self._renew(found.renewal, cause, found.token)
            elif found.renewal is not None:
                yield found.renewal
                token = _shared(found.renewal)
            if token is not None:
                return token

    def _renew(self, renewal: Renewal, cause: Call, spare: Token | None) -> AuthFlow[Token]:
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
            # Also when this flow is abandoned: then another caller takes over.
            self._cache.end(renewal, result)
        return result


def _shared(renewal: Renewal) -> Token | None:
    """The token of a renewal that another caller led; None when that caller gave up."""
    result = renewal.result()
    if isinstance(result, SinchError):
        # A copy, because each raise adds its own traceback.
        raise copy.copy(result) from result.__cause__
    return result


class BasicAuth:
    """HTTP Basic authentication: for tests only, because the API limits it heavily."""

    def __init__(self, key: AccessKey) -> None:
        pair = f"{key.key_id}:{key.key_secret}"
        self._header = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def load(self) -> None:
        """There is nothing to import."""

    def send(self, request: APIRequest) -> AuthFlow[httpx.Response]:
        """Send *request* with the key in its header."""
        request.headers["Authorization"] = self._header
        return (yield request)

    def fetch_token(self, cause: Call) -> AuthFlow[AccessToken]:
        """Refuse: with Basic authentication there is no token.

        Raises: ConfigurationError.
        """
        del cause
        message = 'there is no token with auth="basic": use "oauth2"'
        raise ConfigurationError(message)
        # Never reached; it makes this a generator, like the flow of BearerAuth.
        yield


Auth: TypeAlias = BearerAuth | BasicAuth
