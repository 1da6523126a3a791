"""The transports that limit the rate and repeat requests; token requests pass here as well.

The decisions are in Attempts and `_retry`; the two transports differ in `await` only.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast

from sinch_wrapper._http import OUR_REQUEST, httpx
from sinch_wrapper._rate_limit import TOKEN_LIMITS, Limiter, RateLimiter, Unlimited
from sinch_wrapper._request import (
    FAILURES,
    LARGEST_RESPONSE,
    UNDECODABLE,
    APIRequest,
    raw_response,
)
from sinch_wrapper._retry import AttemptOutcome, classify_failure, classify_status
from sinch_wrapper._transport.limits import decoded
from sinch_wrapper._transport.pool import AsyncPools, Pools
from sinch_wrapper._transport.shown import shown_request, shown_request_id

_log: Final = logging.getLogger("sinch_wrapper.transport")
Result: TypeAlias = httpx.Response | Exception


@dataclass(frozen=True, slots=True)
class RetryContext:
    """What all attempts of a client share: rate limiters, clocks, chance, and what to expect.

    *believed* says whether the failures of the transport tell what was sent; a response has
    *largest* bytes at most.
    """

    requests: Limiter = field(default_factory=Unlimited)
    tokens: Limiter = field(default_factory=lambda: RateLimiter(TOKEN_LIMITS))
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random
    believed: bool = True
    largest: int = LARGEST_RESPONSE


class Attempts:
    """The attempts of one call: when to send, and whether to send again."""

    __slots__ = ("_began", "_call", "_context", "_left", "_number", "_request", "limiter")

    def __init__(self, context: RetryContext, request: APIRequest) -> None:
        self._context = context
        self._request = request
        self._call = call = request.call
        self.limiter = context.tokens if call.token else call.limiter or context.requests
        self._number = 0
        self._began = 0.0
        self._left = 0.0

    def start(self) -> None:
        """Count one more request that leaves now."""
        self._left = self._context.clock()
        if not self._number:
            self._began = self._left
        self._number += 1
        self._call.attempts += 1

    def wait_after(self, result: Result) -> float | None:
        """Seconds until the next attempt, or None when *result* is final."""
        if isinstance(result, httpx.Response):
            outcome = classify_status(result.status_code)
        elif self._context.believed:
            outcome = classify_failure(result)
        else:
            outcome = AttemptOutcome.UNKNOWN
        now, wait = self._context.clock(), None
        if outcome is not AttemptOutcome.DONE:
            wait = self._wait_after_failure(result, outcome, now)
        self._log(result, now - self._began, wait)
        return wait

    def _wait_after_failure(
        self, result: Result, outcome: AttemptOutcome, now: float
    ) -> float | None:
        call, context, asked = self._call, self._context, None
        if isinstance(result, httpx.Response):
            from sinch_wrapper.errors import read_server_delay

            asked = read_server_delay(raw_response(result), context.now())
        call.doubtful = call.doubtful or outcome.doubtful
        if outcome is AttemptOutcome.THROTTLED:
            self.limiter.throttled(now - self._left)
        return call.retry.wait(
            call.method,
            outcome,
            attempt=self._number,
            elapsed=now - self._began,
            jitter=context.jitter(),
            asked=asked,
        )

    def _log(self, result: Result, elapsed: float, wait: float | None) -> None:
        level = logging.DEBUG if wait is None else logging.INFO
        if not _log.isEnabledFor(level):
            return
        # No exception text, and no identity out of the URL: for consents it is a phone number.
        how, mark = type(result).__name__, ""
        if isinstance(result, httpx.Response):
            how, mark = str(result.status_code), shown_request_id(result)
        name, number, where = self._call.name, self._number, shown_request(self._request)
        if wait is None:
            spent = elapsed * 1000
            _log.debug(
                "%s: %s on attempt %d after %.0f ms (%s%s)", name, how, number, spent, where, mark
            )
        else:
            _log.info("%s: %s on attempt %d, next in %.2f s", name, how, number, wait)
            _log.debug("%s: attempt %d was %s%s", name, number, where, mark)


async def asleep(seconds: float) -> None:
    """Wait in a task."""
    import asyncio  # 10 ms of start-up, which programs with threads need not spend

    await asyncio.sleep(seconds)


_OF_THE_ENCODED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _finished(response: httpx.Response, largest: int) -> httpx.Response:
    """The *response* with its body decoded, or without one when its Content-Encoding is wrong.

    Its stream is in memory already.
    """
    encoding = response.headers.get("content-encoding")
    if encoding is None or response.is_closed:
        response.read()
        return response
    stream = cast("httpx.ByteStream", response.stream)
    body = decoded(b"".join(stream), encoding, largest)
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in _OF_THE_ENCODED]
    extensions = {UNDECODABLE: True} if body is None else {}
    return httpx.Response(
        response.status_code, headers=headers, content=body, extensions=extensions
    )


def _returned(result: Result) -> httpx.Response:
    if isinstance(result, httpx.Response):
        return result
    raise result


class RetryingTransport:
    """Waits for its turn, sends, and repeats what the retry policy of the call allows.

    *inner* reads the whole body, so that half a body counts as a failed attempt.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        context: RetryContext,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._context = context
        self._sleep = sleep
        self._closed = False

    def prepare(self, url: httpx.URL) -> None:
        """Open the pool for *url*, which connects to nothing."""
        if isinstance(self._inner, Pools):
            self._inner.prepare(url)

    def send(self, request: APIRequest) -> httpx.Response:
        """Send *request*, repeating it as its policy says.

        Raises: the HTTP library's exception of the last attempt.
        """
        attempts = Attempts(self._context, request)
        while True:
            self._pause(attempts.limiter.reserve())
            attempts.start()
            result = self._attempt(request)
            wait = attempts.wait_after(result)
            if wait is None or self._closed:
                return _returned(result)
            self._pause(wait)

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _attempt(self, request: APIRequest) -> Result:
        OUR_REQUEST.set(True)
        try:
            response = self._inner.handle_request(request)
            return _finished(response, self._context.largest)
        except FAILURES as error:
            return error
        finally:
            OUR_REQUEST.set(False)

    def close(self) -> None:
        """Close the inner transport; calls that wait to be repeated end with their last result."""
        self._closed = True
        self._inner.close()


class AsyncRetryingTransport:
    """RetryingTransport for tasks; cancelling a call ends it at once, in a wait too."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        context: RetryContext,
        sleep: Callable[[float], Awaitable[None]] = asleep,
    ) -> None:
        self._inner = inner
        self._context = context
        self._sleep = sleep
        self._closed = False

    async def prepare(self, url: httpx.URL) -> None:
        """Open the pool for *url*, as far as that blocks, in a thread."""
        if isinstance(self._inner, AsyncPools):
            await self._inner.prepare(url)

    async def send(self, request: APIRequest) -> httpx.Response:
        """Send *request*, repeating it as its policy says.

        Raises: the HTTP library's exception of the last attempt.
        """
        attempts = Attempts(self._context, request)
        while True:
            await self._pause(attempts.limiter.reserve())
            attempts.start()
            result = await self._attempt(request)
            wait = attempts.wait_after(result)
            if wait is None or self._closed:
                return _returned(result)
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    async def _attempt(self, request: APIRequest) -> Result:
        OUR_REQUEST.set(True)
        try:
            response = await self._inner.handle_async_request(request)
            return _finished(response, self._context.largest)
        except FAILURES as error:
            return error
        finally:
            OUR_REQUEST.set(False)

    async def aclose(self) -> None:
        """Close the inner transport; calls that wait to be repeated end with their last result."""
        self._closed = True
        await self._inner.aclose()
