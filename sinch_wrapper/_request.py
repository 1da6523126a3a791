"""One exchange with an API: the request of an operation, and its response or failure read back.

The HTTP library's requests, responses and exceptions become ours here, and nowhere else.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Generic, Protocol, TypeVar, cast

from sinch_wrapper._http import httpx
from sinch_wrapper._json import JSON, decode, encode
from sinch_wrapper._rate_limit import Limiter
from sinch_wrapper._retry import AttemptOutcome, RetryPolicy, classify_failure, is_untrusted
from sinch_wrapper._version import __version__
from sinch_wrapper.errors import (
    APIConnectionError,
    APITimeoutError,
    Outcome,
    RawResponse,
    ResponseHeaders,
    SinchError,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_CONNECT_TIMEOUT: Final = 5.0
_TOTAL_TIME: Final = 60.0
# In bytes; the largest responses of the APIs are pages of a few hundred kilobytes.
LARGEST_RESPONSE: Final = 64 * 1024 * 1024
# Of hosts and collections.
_KEPT: Final = 64
_COLLECTION: Final = re.compile(r"/v\w+/projects/[^/]+/[A-Za-z:-]+")
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})


def timeouts(seconds: float, total: float | None = None) -> dict[str, float]:
    """The timeouts of the steps of a request, *seconds* for each, and of the *total* attempt.

    Connecting has 5 seconds at most. Without a *total* there is one minute, or twice *seconds* if
    that is longer.
    """
    if total is None:
        total = max(_TOTAL_TIME, 2 * seconds)
    step = min(seconds, total)
    connect = min(step, _CONNECT_TIMEOUT)
    return {"connect": connect, "read": step, "write": step, "pool": step, "total": total}


@dataclass(slots=True)
class Call:
    """One call by the user of the library, through all its attempts.

    *name* is the operation, for logs and errors; *method* is the row of the retry table that
    applies; *timeouts* has the seconds of each step; *token* marks a request for a token. *limiter*
    is one other than that of its client. The
    transport counts *attempts*, and sets *doubtful* when the server may have carried one out.
    """

    name: str
    method: str
    retry: RetryPolicy
    timeouts: Mapping[str, float]
    token: bool = False
    attempts: int = 0
    doubtful: bool = False
    limiter: Limiter | None = None


class APIRequest(httpx.Request):
    """A request that knows its call, and shows neither path nor query.

    Both contain ids, which for consents are phone numbers, and tools that print the locals of a
    traceback print the representation of every request in it. *headers* are all that it has, but
    for the token.
    """

    def __init__(
        self,
        call: Call,
        method: str,
        url: httpx.URL,
        headers: httpx.Headers,
        content: bytes | None = None,
    ) -> None:
        super().__init__(
            method,
            url,
            headers=headers,
            # A stream, so that the HTTP library takes the headers as they are.
            stream=httpx.ByteStream(content or b""),
            extensions={"timeout": call.timeouts},
        )
        self.read()
        if content is not None or method in _WITH_LENGTH:
            self.headers["Content-Length"] = str(len(content or b""))
        self.call = call

    def __repr__(self) -> str:
        return f"<Request {self.method} {host_of(self)}>"


def host_of(request: httpx.Request) -> str:
    """The host as it is sent; `url.host` decodes it, and fails for invalid names."""
    return request.url.raw_host.decode("ascii", "replace")


class OperationLike(Protocol[T_co]):
    """One call of an API as a value; the generated packages build them."""

    @property
    def id(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def params(self) -> Mapping[str, str | list[str]]: ...
    @property
    def json(self) -> object: ...
    @property
    def load(self) -> Callable[[object], T_co] | None: ...


@lru_cache(maxsize=_KEPT)
def headers_for(netloc: bytes, content_type: str | None = None) -> httpx.Headers:
    """What requests to the host *netloc* have in common."""
    library = f"{httpx.__name__}/{httpx.__version__}"
    headers = {
        "Host": netloc.decode("ascii"),
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"sinch-wrapper/{__version__} {library}",
    }
    return httpx.Headers(headers | ({} if content_type is None else {"Content-Type": content_type}))


@lru_cache(maxsize=_KEPT)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def _url_of(operation: OperationLike[T], base_url: str) -> httpx.URL:
    url = base_url + operation.path
    if operation.params:
        return httpx.URL(url, params=dict(operation.params))
    # Such a path, as /v1/projects/P/messages:send, has no id but that of the project. Parsing is a
    # fifth of what a call costs us, so it is done once.
    return _parsed(url) if _COLLECTION.fullmatch(operation.path) else httpx.URL(url)


def build_request(operation: OperationLike[T], base_url: str, call: Call) -> APIRequest:
    """Build the request of *operation* at the API of *base_url*.

    Raises: TypeError or ValueError for a body that cannot be written as JSON, SinchError for a
    malformed URL.
    """
    made = _build(operation, base_url, call)
    if isinstance(made, APIRequest):
        return made
    # Raised here, where no local variable contains the body or the path.
    raise made


def _build(
    operation: OperationLike[T], base_url: str, call: Call
) -> APIRequest | SinchError | TypeError | ValueError:
    content, content_type = None, None
    if operation.json is not None:
        try:
            content, content_type = encode(operation.json), "application/json"
        except (TypeError, ValueError, RecursionError) as error:
            return _unserialisable(operation.id, error)
    try:
        url = _url_of(operation, base_url)
        headers = headers_for(url.netloc, content_type)
        return APIRequest(call, operation.method, url, headers, content)
    except (httpx.InvalidURL, UnicodeError):
        return SinchError(
            f"{operation.id} was not sent: its URL is malformed; check ids and endpoints="
        )


def _unserialisable(name: str, error: Exception) -> TypeError | ValueError:
    # orjson raises its own exception, and keeps that of our encoder as its cause.
    error = error.__cause__ if isinstance(error.__cause__, TypeError | ValueError) else error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    # The text of a UnicodeError quotes the value.
    reason = "a string contains invalid Unicode" if isinstance(error, UnicodeError) else str(error)
    return kind(f"{name} was not sent: its body cannot be written as JSON: {reason}")


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """A 2xx: the status, headers and raw body beside the *parsed* value.

    *parsed* is None for operations without content. Only the status shows in the repr.
    """

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    parsed: T_co = field(repr=False)


# Marks a response whose body was lost, because its Content-Encoding was wrong.
UNDECODABLE: Final = "sinch_wrapper.undecodable"

_ACCEPTED: Final = range(200, 300)
# Everything that generated code may raise while it reads an unexpected shape.
_MISFITS: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def read_response(
    operation: OperationLike[T], request: APIRequest, response: httpx.Response
) -> Response[T]:
    """Read the *response* to the *request* of *operation*.

    Raises: APIStatusError by status, APIResponseValidationError for a 2xx that cannot be read.
    """
    if response.status_code not in _ACCEPTED:
        from sinch_wrapper.errors import error_from_response

        call, where = request.call, host_of(request)
        raise error_from_response(
            call.name,
            raw_response(response),
            where=where,
            attempts=call.attempts,
            sent=(request.content,),
            query=request.url.query,
        )
    parsed, fault = _parse(operation, response)
    if fault is not None:
        from sinch_wrapper.errors import unreadable_response

        call, where = request.call, host_of(request)
        raise unreadable_response(call.name, raw_response(response), fault, call.attempts, where)
    headers = ResponseHeaders(response.headers.multi_items())
    # Without content, None is the T of the operation.
    return Response(response.status_code, headers, response.content, cast("T", parsed))


def any_json(value: object) -> JSON:
    """The `load` of an operation whose response may be any JSON, or empty."""
    return cast("JSON", value)


def _parse(operation: OperationLike[T], response: httpx.Response) -> tuple[T | None, str | None]:
    """The value in a 2xx, or what is wrong with it; the fault never quotes the body."""
    if operation.load is None:
        return None, None
    if UNDECODABLE in response.extensions:
        return None, "its Content-Encoding is wrong"
    if not response.content:
        return None, None if operation.load is any_json else "it is empty"
    try:
        value = decode(response.content)
    except ValueError:
        return None, "it is not JSON"
    try:
        return operation.load(value), None
    except _MISFITS as misfit:
        return None, f"its shape is not the documented one, {type(misfit).__name__}"


def raw_response(response: httpx.Response) -> RawResponse:
    """What errors keep of *response*, whose body has been read."""
    headers = ResponseHeaders(response.headers.multi_items())
    return RawResponse(response.status_code, headers, response.content)


# Everything that the HTTP library's transports raise; UnicodeError is for an invalid host name.
FAILURES: Final = (httpx.RequestError, httpx.InvalidURL, OSError, UnicodeError)
# Exceptions whose texts quote headers of the request or the response.
_QUOTING: Final = (httpx.ProtocolError, httpx.ProxyError, httpx.InvalidURL, UnicodeError)

_OUTCOME_ADVICE: Final[dict[Outcome, str]] = {
    "not_sent": "nothing was sent; check network, proxy and endpoints",
    "unknown": "it may have been carried out; check before repeating it",
}
_UNTRUSTED: Final = (
    "its certificate is not trusted, and nothing was sent; check endpoints=, the proxy and "
    "SSL_CERT_FILE"
)


def _seal(error: Exception) -> Exception:
    """*error* without what a log of chained exceptions would show of the request.

    The frames of the HTTP library contain headers and bodies, and so the token and the message.
    """
    error.__traceback__ = error.__cause__ = error.__context__ = None
    if isinstance(error, _QUOTING):
        error.args = ()
    if isinstance(error, UnicodeEncodeError):
        error.object = ""
    return error


def connection_error(
    request: APIRequest, error: Exception, outcome: Outcome | None = None
) -> APIConnectionError:
    """Build the exception for a *request* that got no response; *error* is its cause.

    Its text names the type of *error* only. *outcome* is given where the caller knows it, such as
    after a token request: the call that needed the token was not sent.
    """
    call = request.call
    if outcome is None:
        sent = call.doubtful or classify_failure(error) is AttemptOutcome.UNKNOWN
        outcome = "unknown" if sent else "not_sent"
    kind = APITimeoutError if isinstance(error, httpx.TimeoutException) else APIConnectionError
    times = f", {call.attempts} attempts" if call.attempts > 1 else ""
    how = f"{type(error).__name__}{times}"
    untrusted = outcome == "not_sent" and is_untrusted(error)
    advice = _UNTRUSTED if untrusted else _OUTCOME_ADVICE[outcome]
    line = f"{call.name} got no response from {host_of(request)} ({how}): {advice}"
    failure = kind(line, outcome, max(call.attempts, 1))
    failure.__cause__ = _seal(error)
    return failure
