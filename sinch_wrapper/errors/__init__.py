"""Exceptions of this library, and the values they hold.

What reads an error response is loaded with the first one, for it is a tenth of the start-up time.
"""

from typing import TYPE_CHECKING

from sinch_wrapper._lazy import lazy
from sinch_wrapper.errors._exceptions import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BulkArgumentError,
    BulkError,
    CallbackError,
    CallbackParseError,
    ConfigurationError,
    ConflictError,
    Headers,
    InternalServerError,
    NotFoundError,
    Outcome,
    ParameterError,
    PermissionDeniedError,
    RateLimitError,
    Reply,
    SignatureError,
    SinchError,
)

if TYPE_CHECKING:
    from sinch_wrapper.errors._google_rpc import (
        BadRequest,
        Detail,
        ErrorInfo,
        FieldViolation,
        Problem,
        QuotaFailure,
        QuotaViolation,
        RetryInfo,
        UnknownDetail,
    )
    from sinch_wrapper.errors._mapping import error_from_reply, read_server_delay, unreadable_reply

__all__ = [
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequest",
    "BadRequestError",
    "BulkArgumentError",
    "BulkError",
    "CallbackError",
    "CallbackParseError",
    "ConfigurationError",
    "ConflictError",
    "Detail",
    "ErrorInfo",
    "FieldViolation",
    "Headers",
    "InternalServerError",
    "NotFoundError",
    "Outcome",
    "ParameterError",
    "PermissionDeniedError",
    "Problem",
    "QuotaFailure",
    "QuotaViolation",
    "RateLimitError",
    "Reply",
    "RetryInfo",
    "SignatureError",
    "SinchError",
    "UnknownDetail",
    "error_from_reply",
    "read_server_delay",
    "unreadable_reply",
]

__getattr__ = lazy(
    __name__,
    {
        "_google_rpc": (
            "BadRequest", "Detail", "ErrorInfo", "FieldViolation", "Problem", "QuotaFailure",
            "QuotaViolation", "RetryInfo", "UnknownDetail",
        ),
        "_mapping": ("error_from_reply", "read_server_delay", "unreadable_reply"),
    },
)  # fmt: skip
