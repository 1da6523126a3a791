"""Python client for the Sinch Conversation, Batch and Template APIs.

Names are loaded when they are first asked for, so that importing the package costs nothing.
"""

import importlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sinch_wrapper._auth.credentials import AccessKey, AccessToken
    from sinch_wrapper._limits.limiter import RateLimiter, RateLimits
    from sinch_wrapper._retry import RetryPolicy
    from sinch_wrapper._version import package_version
    from sinch_wrapper.client import AsyncSinch, Sinch
    from sinch_wrapper.errors import (
        APIConnectionError,
        APIResponseValidationError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
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

    __version__ = package_version()

__all__ = [
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AccessKey",
    "AccessToken",
    "AsyncSinch",
    "AuthenticationError",
    "BadRequestError",
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
    "SignatureError",
    "Sinch",
    "SinchError",
    "__version__",
    "card",
    "carousel",
    "choice",
    "contact_info",
    "list_message",
    "location",
    "media",
    "pages",
    "paginate",
    "template",
    "template_reference",
    "text",
]

_HOMES = {
    "_auth.credentials": ("AccessKey", "AccessToken"),
    "_limits.limiter": ("RateLimiter", "RateLimits"),
    "_retry": ("RetryPolicy",),
    "client": ("AsyncSinch", "Sinch"),
    "messages": (
        "Recipient", "card", "carousel", "choice", "contact_info", "list_message", "location",
        "media", "template", "template_reference", "text",
    ),
    "pagination": ("pages", "paginate"),
    "regions": ("Endpoints", "Region"),
}  # fmt: skip
# Those that load without any extra, as reading all attributes of the package may load them.
_MODULES = frozenset(
    {"bulk", "callbacks", "errors", "messages", "pagination", "parameters", "regions"}
)
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    if name == "__version__":
        from sinch_wrapper._version import package_version

        value: object = package_version()
    else:
        module = importlib.import_module(f"{__name__}.{_HOME_OF.get(name, 'errors')}")
        value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    here = {name for name in globals() if name.startswith("__")}
    return sorted({*here, *__all__, *_MODULES})
