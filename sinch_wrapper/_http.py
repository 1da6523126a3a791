"""The HTTP library, named once: httpx2 when it is importable, else httpx.

`SINCH_WRAPPER_HTTP=httpx` or `=httpx2` forces one. Both have the same API, so everything else
says `from sinch_wrapper._http import httpx`; for type checkers it is httpx.
"""

import importlib
import importlib.util
import os
from types import ModuleType
from typing import TYPE_CHECKING

from sinch_wrapper.errors import ConfigurationError

__all__ = ["HTTP_VARIABLE", "httpx"]

HTTP_VARIABLE = "SINCH_WRAPPER_HTTP"
_PREFERENCE = ("httpx2", "httpx")


def _chosen_name(forced: str | None) -> str:
    if forced is None or forced in _PREFERENCE:
        wanted = _PREFERENCE if forced is None else (forced,)
        for name in wanted:
            if importlib.util.find_spec(name) is not None:
                return name
        message = f"{HTTP_VARIABLE}={forced}: {' and '.join(wanted)} is not installed"
        raise ConfigurationError(message)
    # The value itself is not shown: a mistaken variable may hold anything, a secret too.
    message = f"{HTTP_VARIABLE} has an unknown value: set it to httpx or httpx2, or unset it"
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
