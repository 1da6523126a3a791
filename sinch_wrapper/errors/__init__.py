"""Exceptions of this library, and the values they hold.

What reads an error response is loaded with the first one, for it is a tenth of the start-up time.
"""

import importlib
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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

_HOMES = {
    "_details": (
        "BadRequest", "Detail", "ErrorInfo", "FieldViolation", "QuotaFailure", "QuotaViolation",
        "RetryInfo", "UnknownDetail",
    ),
    "_mapping": ("error_from_reply", "read_server_delay", "unreadable_reply"),
    "_problem": ("Problem",),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
