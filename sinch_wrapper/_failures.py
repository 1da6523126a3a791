"""From the HTTP library's exceptions to ours."""

from sinch_wrapper._call import Call
from sinch_wrapper._http import httpx
from sinch_wrapper._retry import Attempt, classify_failure
from sinch_wrapper.errors import APIConnectionError, APITimeoutError, Outcome

__all__ = ["connection_error"]

_ADVICE: dict[Outcome, str] = {
    "not_sent": "nothing was sent; check network, proxy and endpoints",
    "unknown": "it may have been carried out; look before repeating it",
}


def connection_error(
    call: Call, host: str, error: Exception, outcome: Outcome | None = None
) -> APIConnectionError:
    """Build the exception for a call that brought no answer from *host*.

    Its text names the kind of *error* only, whose own text may quote a header. *outcome* is given
    by who knows better, such as for a token request: then the call itself was not sent.
    """
    if outcome is None:
        sent = call.doubtful or classify_failure(error) is Attempt.UNKNOWN
        outcome = "unknown" if sent else "not_sent"
    kind = APITimeoutError if isinstance(error, httpx.TimeoutException) else APIConnectionError
    times = f", {call.attempts} attempts" if call.attempts > 1 else ""
    line = (
        f"{call.name} got no answer from {host} ({type(error).__name__}{times}): {_ADVICE[outcome]}"
    )
    return kind(line, outcome, max(call.attempts, 1))
