"""From a response to its exception, and the line of text that it shows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sinch_wrapper.errors._exceptions import (
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RawResponse,
    ResponseHeaders,
)
from sinch_wrapper.errors._google_rpc import (
    ErrorInfo,
    FieldViolation,
    Problem,
    parse_retry_after,
    read_problem,
    safe_token,
    safe_word,
)
from sinch_wrapper.errors._reasons import safe_violations

_CLASSES: Final[dict[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}
_ADVICE: Final[dict[int, str]] = {
    400: "the request is malformed",
    401: "check SINCH_KEY_ID and SINCH_KEY_SECRET, and that the key is active",
    403: "check that the key belongs to SINCH_PROJECT_ID, that the project may use this API, "
    "and its billing (BILLING_CREDIT_LIMIT_BREACHED)",
    404: "the resource is not in this project or not in this region; "
    "the region must be the one in which the app was created",
    409: "the resource already exists, or was changed in the meantime",
    413: "the request is too large; send less at once",
    429: "over the requests per second of the project or the queue of the app; "
    "send slower (limits=) or ask for a higher quota",
}
_SERVER_FAULT: Final = (
    "the fault is on the server's side; check whether the request was carried out before "
    "repeating it"
)
_REDIRECT: Final = "redirects are not followed; check endpoints="
# Field violations in the line.
_REASONS: Final = 5
_SERVER_FAULTS: Final = range(500, 600)
_REDIRECTS: Final = range(300, 400)
_REQUEST_ID_HEADERS: Final = ("x-request-id", "request-id", "x-correlation-id", "traceparent")


def _request_id(headers: ResponseHeaders) -> str | None:
    found = (headers.get(name) for name in _REQUEST_ID_HEADERS)
    return next((text for text in found if text), None)


def safe_request_id(headers: ResponseHeaders) -> str | None:
    """The request id in *headers*, unless it does not look like one."""
    return safe_token(_request_id(headers) or "")


def _advice(response: RawResponse, problem: Problem) -> str:
    status_code = response.status_code
    if problem.shown:
        reasons = list(dict.fromkeys(map(_reason, problem.shown)))
        rest = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        return f"invalid fields: {'; '.join(reasons[:_REASONS])}{rest}"
    if status_code in _ADVICE:
        return _ADVICE[status_code]
    if status_code in _SERVER_FAULTS:
        return _SERVER_FAULT
    return _REDIRECT if status_code in _REDIRECTS else "the request was refused"


def _reason(violation: FieldViolation) -> str:
    why = violation.description.rstrip(". ") or violation.reason
    return f"{violation.field}: {why}" if why else violation.field


def _line(  # noqa: PLR0913, PLR0917 (everything that the line contains)
    what: str, where: str, response: RawResponse, problem: Problem, advice: str, attempts: int
) -> str:
    names = [safe_word(problem.status)]
    names += [safe_word(item.reason) for item in problem.details if isinstance(item, ErrorInfo)]
    place = f" at {where}" if where else ""
    words = [f"{what} failed{place}: {response.status_code}", *filter(None, dict.fromkeys(names))]
    head = " ".join(words)
    request_id = safe_request_id(response.headers)
    if request_id:
        head += f", request id {request_id}"
    if attempts > 1:
        head += f", after {attempts} attempts"
    return f"{head}: {advice}"


def read_server_delay(response: RawResponse, now: datetime) -> float | None:
    """The longest wait that `Retry-After` or RetryInfo of *response* asks for: seconds, or None.

    *now* is the Unix time, for a `Retry-After` that is a date.
    """
    delays = (
        parse_retry_after(response.headers.get("retry-after"), now),
        read_problem(response.content).retry_delay,
    )
    return max((delay for delay in delays if delay is not None), default=None)


def error_from_response(  # noqa: PLR0913 (keyword-only, each with a default)
    what: str,
    response: RawResponse,
    *,
    where: str = "",
    attempts: int = 1,
    now: datetime | None = None,
    kind: type[APIStatusError] | None = None,
    advice: str | None = None,
    sent: Iterable[bytes] = (),
    query: bytes = b"",
) -> APIStatusError:
    """Build the exception for a response that is not a 2xx; never raises, whatever the body.

    *what* names the operation and *where* the host; *attempts* is how many were made, *now* the
    Unix time. *kind* and *advice* replace those of the
    status, as for the token endpoint, whose 400 and 403 refuse the key too. *sent* and *query* are
    what the request contained, which the reasons of field violations may echo.
    """
    problem = read_problem(response.content)
    problem = replace(problem, shown=safe_violations(problem.field_violations, sent, query))
    default = InternalServerError if response.status_code in _SERVER_FAULTS else APIStatusError
    if advice is None:
        advice = _ADVICE[401] if kind is AuthenticationError else _advice(response, problem)
    kind = kind or _CLASSES.get(response.status_code, default)
    return kind(
        _line(what, where, response, problem, advice, attempts),
        response,
        problem,
        read_server_delay(response, now or datetime.now(UTC)),
        _request_id(response.headers),
        attempts,
    )


def unreadable_response(
    what: str, response: RawResponse, reason: str, attempts: int = 1, where: str = ""
) -> APIResponseValidationError:
    """Build the exception for a 2xx *response* whose body is not the documented one.

    *what* names the operation and *where* the host, *reason* what is wrong with the body;
    *attempts* is how many were made.
    """
    request_id, shown = _request_id(response.headers), safe_request_id(response.headers)
    facts = f"{response.status_code}, request id {shown}" if shown else str(response.status_code)
    place = f" by {where}" if where else ""
    line = (
        f"{what} was accepted{place} ({facts}) but its response cannot be read ({reason}): "
        "do not repeat it; see .response"
    )
    return APIResponseValidationError(line, response, request_id, attempts)
