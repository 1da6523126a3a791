"""Tokens and credentials: the token endpoint, and the check of each call."""

import base64
import binascii
import hmac
import random
from collections.abc import Callable
from urllib.parse import parse_qs

from sinch_wrapper.sandbox._errors import Refusal
from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._settings import Settings

_REALM = 'realm="sinch-sandbox"'
_MAX_TOKENS = 1000


class TokenRefusal(Exception):  # noqa: N818 (a response, not a mistake)
    """A refusal of the token endpoint, in the error format of OAuth2 (RFC 6749, 5.2)."""

    def __init__(self, code: int, error: str, description: str) -> None:
        super().__init__(code, error, description)
        self.code = code
        self.body = {"error": error, "error_description": description}


class Authority:
    """Issues access tokens for the one key of the sandbox, and checks credentials of calls."""

    def __init__(self, settings: Settings, clock: Callable[[], float], rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._expiries: dict[str, float] = {}

    def issue(self, authorization: str, form: bytes, lives: float | None = None) -> Json:
        """Return the response to a client credentials request; raises TokenRefusal.

        The token lives as long as the response says, or *lives* seconds.
        """
        if not self._is_key(authorization):
            raise TokenRefusal(401, "invalid_client", "The access key is not known here.")
        grant = parse_qs(form.decode("latin-1")).get("grant_type", [""])[0]
        if grant != "client_credentials":
            error = "unsupported_grant_type" if grant else "invalid_request"
            raise TokenRefusal(400, error, "The grant_type must be client_credentials.")
        token = base64.urlsafe_b64encode(self._rng.randbytes(48)).decode()
        lives = self._settings.token_lifetime if lives is None else lives
        self._expiries[token] = self._clock() + lives
        while len(self._expiries) > _MAX_TOKENS:
            del self._expiries[next(iter(self._expiries))]
        lifetime = int(self._settings.token_lifetime)
        return {"access_token": token, "expires_in": lifetime, "scope": "", "token_type": "bearer"}

    def check(self, authorization: str) -> None:
        """Accept a live bearer token or the key itself; raises Refusal 401."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "basic":
            if self._is_key(authorization):
                return
            raise _unauthenticated(f"Basic {_REALM}")
        expiry = self._expiries.get(token.strip()) if scheme.lower() == "bearer" else None
        if expiry is None:
            raise _unauthenticated(f'Bearer {_REALM}, error="invalid_token"')
        if expiry <= self._clock():
            reason = 'error_description="The token is expired"'
            raise _unauthenticated(f'Bearer {_REALM}, error="invalid_token", {reason}')

    def revoke(self, authorization: str) -> None:
        """Revoke the token in the header *authorization*, if it is one."""
        token = authorization.partition(" ")[2].strip()
        if token in self._expiries:
            self._expiries[token] = float("-inf")

    def _is_key(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        expected = f"{self._settings.key_id}:{self._settings.key_secret}".encode()
        return hmac.compare_digest(given, expected)


def _unauthenticated(challenge: str) -> Refusal:
    message = "Request had invalid credentials."
    return Refusal(401, message, headers={"www-authenticate": challenge})
