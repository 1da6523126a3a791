"""When to repeat a request: a pure decision, without I/O, clock or chance.

A message sent twice is worse than an error. That decides every case that the API's documentation
leaves open.
"""

import math
import ssl
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final, Literal

from sinch_wrapper import _validate
from sinch_wrapper._backoff import backoff
from sinch_wrapper._http import httpx
from sinch_wrapper.errors import ConfigurationError

_FIRST_BACKOFF: Final = 0.5
_LONGEST_WAIT: Final = 60.0
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_TRY_AGAIN: Final = frozenset({500, 501, 503})
# UnicodeError: an invalid host name, found when it is looked up.
_UNSENDABLE: Final = (
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)


class AttemptOutcome(Enum):
    """How one attempt ended, as far as repeating it goes."""

    DONE = "a response that repeating would not change"
    THROTTLED = "429: certainly not carried out"
    NOT_SENT = "no connection was made: certainly not carried out"
    TRY_AGAIN = "500, 501, 503: the documentation says to try again"
    UNKNOWN = "other 5xx, timeout, reset, half a body: perhaps carried out"
    HOPELESS = "the request cannot be sent, now or later"

    @property
    def doubtful(self) -> bool:
        """Whether the server may have carried the request out without saying so."""
        return self is AttemptOutcome.UNKNOWN or self is AttemptOutcome.TRY_AGAIN


def classify_status(status_code: int) -> AttemptOutcome:
    """Decide what a status means for repeating.

    Source: the error table of the Conversation API (500, 501, 503: try again with back-off).
    """
    if status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return AttemptOutcome.THROTTLED
    if status_code in _TRY_AGAIN:
        return AttemptOutcome.TRY_AGAIN
    return (
        AttemptOutcome.UNKNOWN
        if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        else AttemptOutcome.DONE
    )


def is_untrusted(error: BaseException | None) -> bool:
    """Whether an untrusted certificate caused *error*."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def classify_failure(error: Exception) -> AttemptOutcome:
    """Decide what an exception of the HTTP library means for repeating."""
    if is_untrusted(error):
        return AttemptOutcome.HOPELESS
    if isinstance(error, _UNSENDABLE) and not isinstance(error, UnicodeDecodeError):
        return AttemptOutcome.HOPELESS
    if isinstance(
        error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
    ):
        return AttemptOutcome.NOT_SENT
    return AttemptOutcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Which requests are repeated, how often and after how long.

    *attempts* counts the first one, so 1 never repeats. *retry_deadline* is in seconds from the
    first attempt: no wait ends after it. *resend* decides about a POST whose response was 500,
    501 or 503: `"documented"` repeats it, as the API's documentation advises; `"never"` does not,
    for programs that check first.

    | outcome | GET, PUT, DELETE | PATCH | POST |
    |---|---|---|---|
    | 429; no connection made | repeat | repeat | repeat |
    | 500, 501, 503 | repeat | repeat | repeat when *resend* is `"documented"` |
    | other 5xx, timeout, reset, half a body | repeat | stop | stop |

    Raises: ConfigurationError for values out of range.
    """

    attempts: int = 4
    resend: Literal["documented", "never"] = "documented"
    retry_deadline: float = 120.0

    def __post_init__(self) -> None:
        fault, deadline = ConfigurationError, self.retry_deadline
        _validate.whole("RetryPolicy.attempts", self.attempts, error=fault)
        _validate.one_of("RetryPolicy.resend", self.resend, ("documented", "never"), error=fault)
        _validate.seconds("RetryPolicy.retry_deadline", deadline, 0, math.inf, error=fault)

    def may_repeat(self, method: str, outcome: AttemptOutcome) -> bool:
        """Whether a request of *method* that ended in *outcome* may be sent again."""
        method = method.upper()
        match outcome:
            case AttemptOutcome.DONE | AttemptOutcome.HOPELESS:
                return False
            case AttemptOutcome.THROTTLED | AttemptOutcome.NOT_SENT:
                return True
            case AttemptOutcome.TRY_AGAIN:
                return method != "POST" or self.resend == "documented"
            case AttemptOutcome.UNKNOWN:
                return method in _REPEATABLE

    def wait(  # noqa: PLR0913 (all that a pure decision needs)
        self,
        method: str,
        outcome: AttemptOutcome,
        *,
        attempt: int,
        elapsed: float,
        jitter: float,
        asked: float | None = None,
    ) -> float | None:
        """The seconds to wait before the next attempt, or None to stop.

        The wait is drawn from 0 to 0.5 x 2^(attempt - 1) seconds (full jitter: *jitter* is a
        random number from 0 to 1) and is at least what the server *asked* for; both are capped
        at 60 s.

        Args:
            method: of the request.
            outcome: of the attempt that just ended.
            attempt: its number, from 1.
            elapsed: seconds since the first attempt began.
            jitter: 0 to 1.
            asked: seconds from `Retry-After` or RetryInfo.

        """
        if attempt >= self.attempts or not self.may_repeat(method, outcome):
            return None
        drawn = jitter * backoff(attempt - 1, _FIRST_BACKOFF, _LONGEST_WAIT)
        pause = max(drawn, min(asked or 0.0, _LONGEST_WAIT))
        return pause if elapsed + pause <= self.retry_deadline else None
