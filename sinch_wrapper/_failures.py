"""From the HTTP library's exceptions to ours."""

from typing import Final

from sinch_wrapper._call import Call
from sinch_wrapper._http import httpx
from sinch_wrapper._retry import AttemptOutcome, classify_failure, is_untrusted
from sinch_wrapper.errors import APIConnectionError, APITimeoutError, Outcome

__all__ = ["FAILURES", "connection_error"]

# All that the transports of the HTTP library raise: UnicodeError for a host that is no name.
FAILURES: Final = (httpx.RequestError, httpx.InvalidURL, OSError, UnicodeError)
# Their texts quote headers: ours, or those of the answer.
_QUOTING: Final = (httpx.ProtocolError, httpx.InvalidURL, UnicodeError)

_ADVICE: Final[dict[Outcome, str]] = {
    "not_sent": "nothing was sent; check network, proxy and endpoints",
    "unknown": "it may have been carried out; look before repeating it",
}
_UNTRUSTED: Final = (
    "its certificate is not trusted, and nothing was sent; check endpoints=, the proxy and "
    "SSL_CERT_FILE"
)


def _seal(error: Exception) -> Exception:
    """*error* without what a log of chained exceptions would show of the request.

    The frames of the HTTP library hold headers and bodies, and so the token and the message.
    """
    error.__traceback__ = error.__cause__ = error.__context__ = None
    if isinstance(error, _QUOTING):
        error.args = ()
    if isinstance(error, UnicodeEncodeError):
        error.object = ""
    return error


def connection_error(
    call: Call, host: str, error: Exception, outcome: Outcome | None = None
) -> APIConnectionError:
    """Build the exception for a call that brought no answer from *host*; *error* is its cause.

    Its text names the kind of *error* only. *outcome* is given by who knows better, such as for
    a token request: then the call itself was not sent.
    """
    if outcome is None:
        sent = call.doubtful or classify_failure(error) is AttemptOutcome.UNKNOWN
        outcome = "unknown" if sent else "not_sent"
    kind = APITimeoutError if isinstance(error, httpx.TimeoutException) else APIConnectionError
    times = f", {call.attempts} attempts" if call.attempts > 1 else ""
    how = f"{type(error).__name__}{times}"
    advice = _UNTRUSTED if outcome == "not_sent" and is_untrusted(error) else _ADVICE[outcome]
    line = f"{call.name} got no answer from {host} ({how}): {advice}"
    failure = kind(line, outcome, max(call.attempts, 1))
    failure.__cause__ = _seal(error)
    return failure
