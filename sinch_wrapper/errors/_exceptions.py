"""The exceptions of this library.

SinchError
  ConfigurationError
  APIConnectionError
    APITimeoutError
  APIStatusError
    BadRequestError 400  AuthenticationError 401  PermissionDeniedError 403  NotFoundError 404
    ConflictError 409    RateLimitError 429       InternalServerError 5xx
  APIResponseValidationError
  ParameterError
  BulkError
    BulkArgumentError, also a ValueError
  CallbackError
    SignatureError
    CallbackParseError

Every message is one line without secrets, phone numbers or message text. All can be pickled.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from sinch_wrapper.errors._google_rpc import Detail, FieldViolation, Problem


Outcome: TypeAlias = Literal["not_sent", "unknown"]


class SinchError(Exception):
    """The root: every exception that this library raises about a call is one of these."""


class ConfigurationError(SinchError):
    """The client is set up or used wrongly; the message names the option or variable to set."""


class APIConnectionError(SinchError):
    """No usable response came.

    *outcome* is `"not_sent"` when the request certainly did not reach the API, and `"unknown"`
    when it may have been carried out. *attempts* counts the requests sent.
    """

    def __init__(self, line: str, outcome: Outcome = "unknown", attempts: int = 1) -> None:
        super().__init__(line)
        self.outcome: Outcome = outcome
        self.attempts = attempts


class APITimeoutError(APIConnectionError):
    """Connecting, waiting for a free connection, sending or reading took too long."""


class ParameterError(SinchError):
    """Placeholders and parameters do not match.

    *recipient* is the position of the recipient (line or index, never its number), *key* the
    name of the parameter; either is None when all are concerned.
    """

    def __init__(
        self, line: str, recipient: int | str | None = None, key: str | None = None
    ) -> None:
        super().__init__(line)
        self.recipient = recipient
        self.key = key


class BulkError(SinchError):
    """A bulk job cannot be started, resumed or read."""


class DatabaseAwayError(BulkError):
    """The database of a job cannot be reached; what was written before is safe there."""


class BulkArgumentError(BulkError, ValueError):
    """An argument of a call of `sinch.bulk` is not usable; nothing was opened or sent."""


class CallbackError(SinchError):
    """A callback cannot be accepted."""


class SignatureError(CallbackError):
    """The signature of a callback is missing, wrong, or too old or too new."""


class CallbackParseError(CallbackError):
    """The body of a callback is not the documented JSON."""


_SECRET: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2"}
)


class ResponseHeaders(Mapping[str, str]):
    """Response headers, read-only, looked up in any case.

    Cookies and authorization are left out; repeated headers are joined by a comma.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            if key not in _SECRET:
                values[key] = f"{values[key]}, {value}" if key in values else value
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<ResponseHeaders {', '.join(self._values)}>"


@dataclass(frozen=True, slots=True, eq=True)
class RawResponse:
    """A response as an error keeps it: *status_code*, headers, body; pickling changes nothing.

    *content* is the decoded body in full. Neither it nor the headers show in the repr, because
    both may contain phone numbers or message text.
    """

    status_code: int
    headers: ResponseHeaders = field(default_factory=ResponseHeaders, repr=False)
    content: bytes = field(default=b"", repr=False)


class APIStatusError(SinchError):
    """The API responded with an error status.

    *message* is the server's own text and may echo the request, so it is not part of the
    exception's text; *status* is its name (`NOT_FOUND`), *details* are typed google.rpc values,
    *retry_after* is in seconds, *attempts* counts the requests sent, and *response*
    is a RawResponse: status, headers without cookies, content.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (positional, or it could not be unpickled)
        self,
        line: str,
        response: RawResponse,
        problem: "Problem | None" = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(line)
        if problem is None:
            from sinch_wrapper.errors._google_rpc import Problem

            problem = Problem()
        self.response = response
        self._problem = problem
        self.retry_after = retry_after
        self.request_id = request_id
        self.attempts = attempts

    @property
    def status_code(self) -> int:
        """The HTTP status, such as 404."""
        return self.response.status_code

    @property
    def status(self) -> str:
        """The status name in the body, such as `NOT_FOUND`; empty when there is none."""
        return self._problem.status

    @property
    def message(self) -> str:
        """The server's own text; it may echo phone numbers or text of the request."""
        return self._problem.message

    @property
    def details(self) -> "tuple[Detail, ...]":
        """The google.rpc details, typed where their type is known."""
        return self._problem.details

    @property
    def field_violations(self) -> "tuple[FieldViolation, ...]":
        """The fields that the server refused; a description may echo the request."""
        return self._problem.field_violations

    @property
    def safe_violations(self) -> "tuple[FieldViolation, ...]":
        """The same as the exception's text has them: `<hidden>` stands for parts of the request."""
        return self._problem.shown

    def __reduce__(self) -> tuple[object, ...]:
        parts = (self.response, self._problem, self.retry_after, self.request_id, self.attempts)
        return type(self), (*self.args, *parts)


class BadRequestError(APIStatusError):
    """400: the request is malformed; see *field_violations*."""


class AuthenticationError(APIStatusError):
    """401, or the token endpoint refuses the key."""


class PermissionDeniedError(APIStatusError):
    """403: the key has no access to this project, or billing stops it."""


class NotFoundError(APIStatusError):
    """404: the resource is not in this project, or not in this region."""


class ConflictError(APIStatusError):
    """409: the resource already exists, or was changed in the meantime."""


class RateLimitError(APIStatusError):
    """429: over the requests per second of the project or the queue of the app."""


class InternalServerError(APIStatusError):
    """5xx: the fault is on the server's side; a POST may have been carried out."""


class APIResponseValidationError(SinchError):
    """A 2xx that cannot be read: the request was accepted, so never repeat it."""

    def __init__(
        self, line: str, response: RawResponse, request_id: str | None = None, attempts: int = 1
    ) -> None:
        super().__init__(line)
        self.response = response
        self.request_id = request_id
        self.attempts = attempts

    @property
    def status_code(self) -> int:
        """The HTTP status, 200 to 299."""
        return self.response.status_code

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (*self.args, self.response, self.request_id, self.attempts)
