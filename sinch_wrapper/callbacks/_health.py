"""Whether a receiver works: asked often and by anybody, it must cost and tell little."""

import asyncio
import hmac
import ipaddress
import logging
import math
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sinch_wrapper.callbacks._records import Counts
from sinch_wrapper.errors import CallbackError

_LOG: Final = logging.getLogger(__name__)
# Seconds for which a test write counts, for an operator and for anybody.
_FRESH: Final = 1.0
_FRESH_FOR_ANYBODY: Final = 10.0
# Seconds for which callbacks that could not be written count.
_TROUBLE: Final = 10.0
# What a proxy adds: behind one on this machine, everybody seems to be on this machine.
_OF_PROXIES: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}
)


class Health:
    """Responds to GET /health: the status to anybody, the numbers to an operator.

    *count* counts the callbacks, after a test write. It is called once a second at most, by
    operators, and once in ten seconds by others; in between what it found counts. Callbacks that
    could not be written count as well, until some are or ten seconds have passed: where a row for
    the test still fits, a callback may not.
    """

    def __init__(self, count: Callable[[], Counts], token: str | None) -> None:
        self._count = count
        self._token = token
        self._loop = asyncio.get_running_loop()
        self._one_at_a_time = asyncio.Lock()
        self._checked = -math.inf
        self._counts: Counts | None = None
        self._failed = -math.inf

    def note(self, *, is_written: bool) -> None:
        """Whether callbacks could be written; called by the thread that writes."""
        if not is_written:
            self._failed = self._loop.time()
            return
        self._failed = -math.inf
        if self._counts is None:
            self._checked = -math.inf

    async def respond(self, request: Request) -> Response:
        """The response to *request*."""
        is_operator = _is_operator(request, self._token)
        counts = await self._found(_FRESH if is_operator else _FRESH_FOR_ANYBODY)
        if counts is None:
            return FAILING
        if not is_operator:
            return JSONResponse({"status": "ok"})
        numbers = {"stored": counts.stored, "waiting": counts.waiting, "dead": counts.dead}
        return JSONResponse({"status": "ok"} | numbers)

    async def _found(self, fresh: float) -> Counts | None:
        async with self._one_at_a_time:
            if self._loop.time() - self._checked >= fresh:
                try:
                    self._counts = await asyncio.to_thread(self._count)
                except CallbackError as error:
                    _LOG.error("not healthy: %s", error)
                    self._counts = None
                self._checked = self._loop.time()
        return None if self._loop.time() - self._failed < _TROUBLE else self._counts


FAILING: Final = JSONResponse({"status": "failing"}, 503)


def _is_operator(request: Request, token: str | None) -> bool:
    """Whether *request* has the *token*; without one, whether it was made on this machine."""
    if token is not None:
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    if request.client is None or not _OF_PROXIES.isdisjoint(request.headers):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
