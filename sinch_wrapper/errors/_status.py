"""The exceptions that hold a response: one class a status, and the 2xx that cannot be read."""

from typing import TYPE_CHECKING

from sinch_wrapper.errors._reply import Reply
from sinch_wrapper.errors._tree import SinchError

if TYPE_CHECKING:
    from sinch_wrapper.errors._details import Detail, FieldViolation
    from sinch_wrapper.errors._problem import Problem

__all__ = [
    "APIResponseValidationError",
    "APIStatusError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
]


class APIStatusError(SinchError):
    """The API answered with an error status.

    *message* is the server's own text and may echo what was sent, so it is not part of the
    exception's text; *status* is its name (`NOT_FOUND`), *details* are typed google.rpc values,
    *retry_after* is in seconds, *attempts* counts the requests put on the wire, and *response*
    is a Reply: status, headers without cookies, content.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (positional, or it could not be unpickled)
        self,
        line: str,
        response: Reply,
        problem: "Problem | None" = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(line)
        if problem is None:
            from sinch_wrapper.errors._problem import Problem

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
        """The server's own text; it may echo numbers or text of the request."""
        return self._problem.message

    @property
    def details(self) -> "tuple[Detail, ...]":
        """The google.rpc details, typed where the kind is known."""
        return self._problem.details

    @property
    def field_violations(self) -> "tuple[FieldViolation, ...]":
        """The fields that the server refuses."""
        return self._problem.field_violations

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
    """404: it is not in this project, or not in this region."""


class ConflictError(APIStatusError):
    """409: it exists already, or was changed meanwhile."""


class RateLimitError(APIStatusError):
    """429: over the requests per second of the project or the queue of the app."""


class InternalServerError(APIStatusError):
    """5xx: the fault is on the server's side; a POST may have been carried out."""


class APIResponseValidationError(SinchError):
    """A 2xx that cannot be read: the request was accepted, so never repeat it."""

    def __init__(
        self, line: str, response: Reply, request_id: str | None = None, attempts: int = 1
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
