"""Exceptions of this library, and the values they hold."""

from sinch_wrapper.errors._details import (
    BadRequest,
    Detail,
    ErrorInfo,
    FieldViolation,
    QuotaFailure,
    QuotaViolation,
    RetryInfo,
    UnknownDetail,
)
from sinch_wrapper.errors._mapping import error_from_reply, read_server_delay, unreadable_reply
from sinch_wrapper.errors._problem import Problem
from sinch_wrapper.errors._reply import Headers, Reply
from sinch_wrapper.errors._status import (
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from sinch_wrapper.errors._tree import (
    APIConnectionError,
    APITimeoutError,
    BulkError,
    CallbackError,
    CallbackParseError,
    ConfigurationError,
    Outcome,
    ParameterError,
    SignatureError,
    SinchError,
)

__all__ = [
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequest",
    "BadRequestError",
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
