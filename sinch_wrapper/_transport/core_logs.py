"""What the HTTP library logs about our requests: the events, without their values.

At DEBUG, httpcore writes the headers of every answer, which hold cookies and what the server
echoes. The filter changes the records of our own requests alone.
"""

import logging
from contextvars import ContextVar
from typing import Final

from sinch_wrapper._http import httpx

__all__ = ["OUR_REQUEST", "quieten"]

OUR_REQUEST: Final = ContextVar("sinch_wrapper_request", default=False)
"""Whether what is logged now belongs to a request of ours."""

_CORE: Final = httpx.__name__.replace("httpx", "httpcore")
_PARTS: Final = ("connection", "http11", "http2", "proxy", "socks")


class _EventsOnly(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if OUR_REQUEST.get():
            record.msg, record.args = record.getMessage().partition(" ")[0], ()
        return True


_filter: Final = _EventsOnly()


def quieten() -> None:
    """Set the filter; setting it twice is harmless."""
    for part in _PARTS:
        logging.getLogger(f"{_CORE}.{part}").addFilter(_filter)
