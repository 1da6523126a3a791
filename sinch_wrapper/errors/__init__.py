"""Exceptions of this library, and the values in them.

The code that reads error responses is loaded with the first one: it takes a tenth of the start-up.
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
    DatabaseAwayError,
    InternalServerError,
    NotFoundError,
    Outcome,
    ParameterError,
    PermissionDeniedError,
    RateLimitError,
    RawResponse,
    ResponseHeaders,
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
    from sinch_wrapper.errors._mapping import (
        error_from_response,
        read_server_delay,
        safe_request_id,
        unreadable_response,
    )

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
    "DatabaseAwayError",
    "Detail",
    "ErrorInfo",
    "FieldViolation",
    "InternalServerError",
    "NotFoundError",
    "Outcome",
    "ParameterError",
    "PermissionDeniedError",
    "Problem",
    "QuotaFailure",
    "QuotaViolation",
    "RateLimitError",
    "RawResponse",
    "ResponseHeaders",
    "RetryInfo",
    "SignatureError",
    "SinchError",
    "UnknownDetail",
    "error_from_response",
    "read_server_delay",
    "safe_request_id",
    "unreadable_response",
]

__getattr__ = lazy(
    __name__,
    {
        "_google_rpc": (
            "BadRequest", "Detail", "ErrorInfo", "FieldViolation", "Problem", "QuotaFailure",
            "QuotaViolation", "RetryInfo", "UnknownDetail",
        ),
        "_mapping": (
            "error_from_response", "read_server_delay", "safe_request_id", "unreadable_response",
        ),
    },
)  # fmt: skip
