"""Python client for the Sinch Conversation, Batch and Template APIs.

Names are loaded on first use, so that importing the package costs nothing.
"""

import logging
import os
from typing import TYPE_CHECKING

from sinch_wrapper._lazy import lazy
from sinch_wrapper._version import __version__

if TYPE_CHECKING:
    from sinch_wrapper._auth.credentials import AccessKey, AccessToken
    from sinch_wrapper._model_json import UNSET, Unset, json_default
    from sinch_wrapper._rate_limit import RateLimiter, RateLimits
    from sinch_wrapper._retry import RetryPolicy
    from sinch_wrapper._sent_message import SentMessage
    from sinch_wrapper.client import AsyncSinch, Sinch
    from sinch_wrapper.errors import (
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
        InternalServerError,
        NotFoundError,
        ParameterError,
        PermissionDeniedError,
        RateLimitError,
        SignatureError,
        SinchError,
    )
    from sinch_wrapper.messages import (
        Recipient,
        card,
        carousel,
        choice,
        contact_info,
        list_message,
        location,
        media,
        template,
        template_reference,
        text,
    )
    from sinch_wrapper.pagination import pages, paginate
    from sinch_wrapper.regions import Endpoints, Region

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AccessKey",
    "AccessToken",
    "AsyncSinch",
    "AuthenticationError",
    "BadRequestError",
    "BulkArgumentError",
    "BulkError",
    "CallbackError",
    "CallbackParseError",
    "ConfigurationError",
    "ConflictError",
    "Endpoints",
    "InternalServerError",
    "NotFoundError",
    "ParameterError",
    "PermissionDeniedError",
    "RateLimitError",
    "RateLimiter",
    "RateLimits",
    "Recipient",
    "Region",
    "RetryPolicy",
    "SentMessage",
    "SignatureError",
    "Sinch",
    "SinchError",
    "Unset",
    "__version__",
    "card",
    "carousel",
    "choice",
    "contact_info",
    "json_default",
    "list_message",
    "location",
    "media",
    "pages",
    "paginate",
    "template",
    "template_reference",
    "text",
]

# Modules that load without any extra: a tool that reads all attributes of the package loads them.
_MODULES = ("bulk", "callbacks", "errors", "messages", "pagination", "parameters", "regions")

__getattr__ = lazy(
    __name__,
    {
        "_auth.credentials": ("AccessKey", "AccessToken"),
        "_model_json": ("UNSET", "Unset", "json_default"),
        "_rate_limit": ("RateLimiter", "RateLimits"),
        "_retry": ("RetryPolicy",),
        "_sent_message": ("SentMessage",),
        "client": ("AsyncSinch", "Sinch"),
        "errors": tuple(name for name in __all__ if name.endswith("Error")),
        "messages": (
            "Recipient", "card", "carousel", "choice", "contact_info", "list_message", "location",
            "media", "template", "template_reference", "text",
        ),
        "pagination": ("pages", "paginate"),
        "regions": ("Endpoints", "Region"),
    },
    modules=_MODULES,
)  # fmt: skip

logging.getLogger(__name__).addHandler(logging.NullHandler())
if _level := os.environ.get("SINCH_WRAPPER_LOG"):
    from sinch_wrapper._log import show_log

    show_log(_level)


def __dir__() -> list[str]:
    here = {name for name in globals() if name.startswith("__")}
    return sorted({*here, *__all__, *_MODULES})
