"""The access token: read from the answer, kept, and renewed by one caller at a time."""

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._json import decode
from sinch_wrapper.errors import SinchError

__all__ = ["Claim", "Flight", "Token", "Vault", "read_token"]

# About an hour is what the overview of the Conversation API gives as lifetime.
_USUAL_LIFETIME: Final = 3600.0
_LEEWAY: Final = 60.0
# After a failed early renewal the old token serves on, and nobody tries for so long.
_HOLD_OFF: Final = 5.0
# A token that replaced a refused one and is refused too: another one would not help so soon.
_REFUSAL_HOLD_OFF: Final = 30.0
# What may stand in a header (RFC 6750, 2.1 names fewer, real servers send more).
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; times are those of the vault's clock, in seconds."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float


# Ends with a token, with the failure to get one, or with None when its leader gave up.
Flight: TypeAlias = Future[Token | SinchError | None]


def _lifetime(value: object) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except (ValueError, OverflowError):
            return _USUAL_LIFETIME
        if math.isfinite(seconds) and seconds > 0:
            return seconds
    return _USUAL_LIFETIME


def read_token(content: bytes, now: float) -> Token | None:
    """Read the answer of the token endpoint; None when it holds no bearer token.

    A missing or absurd `expires_in` counts as an hour: a 401 corrects that. A lifetime shorter
    than two minutes is renewed at its half.
    """
    try:
        body = decode(content)
    except ValueError:
        return None
    if not isinstance(body, Mapping):
        return None
    value, kind = body.get("access_token"), body.get("token_type", "bearer")
    if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
        return None
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return None
    lifetime = _lifetime(body.get("expires_in"))
    return Token(value, now + lifetime - min(_LEEWAY, lifetime / 2), now + lifetime)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caller gets: a token to use, or a flight to wait for or to lead."""

    token: Token | None
    flight: Flight | None = None
    leads: bool = False


class Vault:
    """Keeps the token of one client and lets one caller at a time renew it.

    A renewal is a flight. Who finds none leads it; the others wait for it and share its end,
    good or bad, from whatever thread or event loop. No lock is held during I/O.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._token: Token | None = None
        self._flight: Flight | None = None
        self._hold_until = -math.inf
        self._refusal: float | None = None
        self._guard = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Drop lock and flight, which threads of the parent may have held; the token stays."""
        self._guard = threading.Lock()
        self._flight = None

    def claim(self) -> Claim:
        """Get the token when it is fresh, else a part in its renewal."""
        now = self.clock()
        token = self._token
        if token is not None and now < token.renew_at:
            return Claim(token)
        with self._guard:
            token = self._token
            if token is not None and now >= token.expires_at:
                token = None
            if token is not None and (
                self._flight is not None or now < max(token.renew_at, self._hold_until)
            ):
                return Claim(token)
            if self._flight is not None:
                return Claim(None, self._flight)
            self._flight = Future()
            # Otherwise a cancelled waiter would cancel the flight for all others.
            self._flight.set_running_or_notify_cancel()
            return Claim(token, self._flight, leads=True)

    def land(self, flight: Flight, end: Token | SinchError | None) -> None:
        """End *flight* with a token, a failure, or None when its leader gave up."""
        with self._guard:
            if self._flight is flight:
                self._flight = None
                if isinstance(end, Token):
                    self._token = end
                elif end is not None:
                    self._hold_until = self.clock() + _HOLD_OFF
        flight.set_result(end)

    def accept(self, token: Token) -> None:
        """Note that the API took *token*."""
        if self._refusal is not None and self._token is token:
            self._refusal = None

    def refuse(self, token: Token) -> bool:
        """Note that the API refused *token*; returns whether another one is worth a try."""
        now = self.clock()
        with self._guard:
            if self._token is not token:
                return True
            if self._refusal is not None and now < self._refusal + _REFUSAL_HOLD_OFF:
                return False
            self._refusal = now
            self._token = None
            return True
