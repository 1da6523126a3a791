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
  CallbackError
    SignatureError
    CallbackParseError

Every text is one line without secrets, phone numbers or message text. All can be pickled.
"""

from typing import Literal, TypeAlias

__all__ = [
    "APIConnectionError",
    "APITimeoutError",
    "BulkError",
    "CallbackError",
    "CallbackParseError",
    "ConfigurationError",
    "Outcome",
    "ParameterError",
    "SignatureError",
    "SinchError",
]

Outcome: TypeAlias = Literal["not_sent", "unknown"]


class SinchError(Exception):
    """The root: whatever this library raises about a call is one of these."""


class ConfigurationError(SinchError):
    """The client cannot be set up or used so; the text says which option or variable to set."""


class APIConnectionError(SinchError):
    """No usable answer came.

    *outcome* is `"not_sent"` when the request surely did not reach the API, and `"unknown"`
    when it may have been carried out. *attempts* counts the requests put on the wire.
    """

    def __init__(self, line: str, outcome: Outcome = "unknown", attempts: int = 1) -> None:
        super().__init__(line)
        self.outcome: Outcome = outcome
        self.attempts = attempts


class APITimeoutError(APIConnectionError):
    """Connecting, waiting for a free connection, sending or reading took too long."""


class ParameterError(SinchError):
    """Placeholders and parameters do not match.

    *recipient* is the place of the recipient (line or index, never its number), *key* the
    name of the parameter; either is None when it concerns all.
    """

    def __init__(
        self, line: str, recipient: int | str | None = None, key: str | None = None
    ) -> None:
        super().__init__(line)
        self.recipient = recipient
        self.key = key


class BulkError(SinchError):
    """A bulk job cannot be started, resumed or read."""


class CallbackError(SinchError):
    """A callback cannot be taken."""


class SignatureError(CallbackError):
    """The signature of a callback is missing, wrong, or too old or too new."""


class CallbackParseError(CallbackError):
    """The body of a callback is not the JSON that the documents promise."""
