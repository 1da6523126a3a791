"""The access token: kept, and renewed by one caller at a time."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper.errors import SinchError

_LEEWAY: Final = 60.0
# After a failed early renewal the old token serves on, and nobody tries for so long.
_HOLD_OFF: Final = 5.0
# A token that replaced a refused one and is refused too: another one would not help so soon.
_REFUSAL_HOLD_OFF: Final = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; times are those of the cache's clock, in seconds."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    @classmethod
    def starting(cls, now: float, token: AccessToken) -> "Token":
        """The *token* that was had at *now*; a life below two minutes is renewed at its half."""
        life = token.expires_in
        return cls(token.value, now + life - min(_LEEWAY, life / 2), now + life)


# Ends with a token, with the failure to get one, or with None when its leader gave up.
Renewal: TypeAlias = Future[Token | SinchError | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caller gets: a token to use, or a renewal to wait for or to lead."""

    token: Token | None
    renewal: Renewal | None = None
    leads: bool = False


class TokenCache:
    """Keeps the token of one client and lets one caller at a time renew it.

    Who finds no renewal under way leads one; the others wait for it and share its end, good or
    bad, from whatever thread or event loop. No lock is held during I/O.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._token: Token | None = None
        self._renewal: Renewal | None = None
        self._hold_until = -math.inf
        self._refusal: float | None = None
        # A plan that is given up may be collected, and end its renewal, in the midst of a claim.
        self._guard = threading.RLock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Drop lock and renewal, which threads of the parent may have held; the token stays."""
        self._guard = threading.RLock()
        self._renewal = None

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
                self._renewal is not None or now < max(token.renew_at, self._hold_until)
            ):
                return Claim(token)
            if self._renewal is not None:
                return Claim(None, self._renewal)
            self._renewal = Future()
            # Otherwise a cancelled waiter would cancel the renewal for all others.
            self._renewal.set_running_or_notify_cancel()
            return Claim(token, self._renewal, leads=True)

    def end(self, renewal: Renewal, result: Token | SinchError | None) -> None:
        """End *renewal* with a token, a failure, or None when its leader gave up."""
        with self._guard:
            if self._renewal is renewal:
                self._renewal = None
                if isinstance(result, Token):
                    self._token = result
                elif result is not None:
                    self._hold_until = self.clock() + _HOLD_OFF
        renewal.set_result(result)

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
