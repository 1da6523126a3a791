"""What travels with a request besides the wire: its name, its policy, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Generic, Protocol, TypeVar

from sinch_wrapper._http import httpx
from sinch_wrapper._json import encode
from sinch_wrapper._retry import AttemptOutcome, RetryPolicy, classify_failure, is_untrusted
from sinch_wrapper.errors import (
    APIConnectionError,
    APITimeoutError,
    Headers,
    Outcome,
    Reply,
    SinchError,
)

CALL: Final = "sinch_wrapper.call"
_CONNECT_TIMEOUT: Final = 5.0


def timeouts(seconds: float) -> dict[str, float]:
    """The timeouts of the steps of a request: *seconds* for each, 5 at most for connecting."""
    connect = min(seconds, _CONNECT_TIMEOUT)
    return {"connect": connect, "read": seconds, "write": seconds, "pool": seconds}


@dataclass(slots=True)
class Call:
    """One call of a caller, through all its attempts.

    It rides in `request.extensions`, so that the session, the authentication and the transport
    need not know each other. *name* is the operation, for logs and errors; *method* is the row
    of the repeat rule that applies; *timeout* holds the seconds of each step; *token* marks a
    request for a token. The transport counts *attempts*, and sets *doubtful* when the server
    may have carried one out.
    """

    name: str
    method: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout: Mapping[str, float] = field(default_factory=lambda: timeouts(10.0))
    token: bool = False
    attempts: int = 0
    doubtful: bool = False

    @property
    def extensions(self) -> dict[str, object]:
        """What a request of this call carries for the transports."""
        return {"timeout": self.timeout, CALL: self}


class SealedRequest(httpx.Request):
    """A request that shows neither path nor query.

    Both hold ids, which for consents are phone numbers, and tools that print the locals of a
    traceback print the representation of every request in it.
    """

    def __repr__(self) -> str:
        return f"<Request {self.method} {host_of(self)}>"


def call_of(request: httpx.Request) -> Call:
    """The call that *request* belongs to; a plain one when it was built elsewhere."""
    call = request.extensions.get(CALL)
    return call if isinstance(call, Call) else Call("request", request.method)


def host_of(request: httpx.Request) -> str:
    """The host as it is sent; `url.host` decodes it, and fails for names that are no names."""
    return request.url.raw_host.decode("ascii", "replace")


def reply_from(response: httpx.Response) -> Reply:
    """What errors keep of *response*, whose body has been read."""
    return Reply(
        response.status_code, Headers(response.headers.multi_items()), bytes(response.content)
    )


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


T_co = TypeVar("T_co", covariant=True)


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


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """A 2xx: the status, headers and raw body beside the *parsed* value.

    *parsed* is None for operations without content. Only the status shows in the repr.
    """

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    parsed: T_co = field(repr=False)


T = TypeVar("T")


@cache
def _common_headers() -> dict[str, str]:
    from sinch_wrapper._version import __version__

    library = f"{httpx.__name__}/{httpx.__version__}"
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"sinch-wrapper/{__version__} {library}",
    }


def build_request(operation: OperationLike[T], base_url: str, call: Call) -> httpx.Request:
    """Build the request of *operation* at the API of *base_url*.

    Raises: TypeError or ValueError for a body that JSON cannot express, SinchError for a URL
    that cannot be.
    """
    made = _build(operation, base_url, call)
    if isinstance(made, httpx.Request):
        return made
    # Raised here, where no local holds the body or the path.
    raise made


def _build(
    operation: OperationLike[T], base_url: str, call: Call
) -> httpx.Request | SinchError | TypeError | ValueError:
    headers, content = dict(_common_headers()), None
    if operation.json is not None:
        try:
            content = encode(operation.json)
        except (TypeError, ValueError, RecursionError) as error:
            return _unfit(operation.id, error)
        headers["Content-Type"] = "application/json"
    try:
        return SealedRequest(
            operation.method,
            base_url + operation.path,
            params=dict(operation.params) or None,
            headers=headers,
            content=content,
            extensions=call.extensions,
        )
    except (httpx.InvalidURL, UnicodeError):
        return SinchError(
            f"{operation.id} was not sent: its URL is malformed; check ids and endpoints="
        )


def _unfit(name: str, error: Exception) -> TypeError | ValueError:
    # orjson puts the exception of our own hook below one that says less.
    error = error.__cause__ if isinstance(error.__cause__, TypeError | ValueError) else error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    # The text of a UnicodeError quotes the value.
    reason = "a text in it is no Unicode" if isinstance(error, UnicodeError) else str(error)
    return kind(f"{name} was not sent, for its body cannot be written as JSON: {reason}")
