"""The HTTP library, chosen once: httpx2 when it is importable, else httpx; and a filter on its log.

`SINCH_WRAPPER_HTTP=httpx` or `=httpx2` forces one. Both have the same API, so all other modules
say `from sinch_wrapper._http import httpx`; for type checkers it is httpx. `=aiohttp` is the
preferred one of the two for everything but the connections of tasks, which aiohttp then makes.
"""

import importlib
import importlib.util
import logging
import os
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Final

from sinch_wrapper.errors import ConfigurationError

__all__ = [
    "AIOHTTP",
    "HTTP_VARIABLE",
    "OUR_REQUEST",
    "httpx",
    "is_aiohttp_forced",
    "load_http_library",
    "quieten",
]

HTTP_VARIABLE = "SINCH_WRAPPER_HTTP"
AIOHTTP: Final = "aiohttp"
_PREFERENCE = ("httpx2", "httpx")


def _chosen_name(forced: str | None) -> str:
    if forced == AIOHTTP and importlib.util.find_spec(AIOHTTP) is None:
        message = f"{HTTP_VARIABLE}={forced}: it is not installed; install sinch-wrapper[aiohttp]"
        raise ConfigurationError(message)
    if forced in {None, AIOHTTP, *_PREFERENCE}:
        wanted = (forced,) if forced in _PREFERENCE else _PREFERENCE
        for name in wanted:
            if importlib.util.find_spec(name) is not None:
                return name
        message = f"{HTTP_VARIABLE}={forced}: {' and '.join(wanted)} is not installed"
        raise ConfigurationError(message)
    # The value itself is not shown: a mistaken variable may hold anything, a secret too.
    message = (
        f"{HTTP_VARIABLE} has an unknown value: set it to httpx, httpx2 or aiohttp, or unset it"
    )
    raise ConfigurationError(message)


def load_http_library(forced: str | None) -> ModuleType:
    """Import the HTTP library that *forced* names, or the preferred one that is installed.

    Raises: ConfigurationError for another name, or when the library is missing.
    """
    return importlib.import_module(_chosen_name(forced))


if TYPE_CHECKING:
    import httpx  # noqa: TID251 (this is the place that picks it)
else:
    httpx = load_http_library(os.environ.get(HTTP_VARIABLE) or None)


def is_aiohttp_forced() -> bool:
    """Whether SINCH_WRAPPER_HTTP says that aiohttp makes the connections of tasks."""
    return os.environ.get(HTTP_VARIABLE) == AIOHTTP


OUR_REQUEST: Final = ContextVar("sinch_wrapper_request", default=False)
"""Whether what is logged now belongs to a request of ours."""

_CORE: Final = httpx.__name__.replace("httpx", "httpcore")
_PARTS: Final = ("connection", "http11", "http2", "proxy", "socks")


class _EventsOnly(logging.Filter):
    """Cuts records about our own requests to the name of the event.

    At DEBUG the library underneath logs response headers. Records of other users of it stay as
    they are.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if OUR_REQUEST.get():
            record.msg, record.args = record.getMessage().partition(" ")[0], ()
        return True


_filter: Final = _EventsOnly()


def quieten() -> None:
    """Keep headers of our requests out of the log; calling it twice is harmless."""
    for part in _PARTS:
        logging.getLogger(f"{_CORE}.{part}").addFilter(_filter)
