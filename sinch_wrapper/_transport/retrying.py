"""The transports that pace and repeat; each attempt on the wire passes here, token requests too.

The decisions are in `pacing` and `_retry`; the two transports differ in `await`.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from sinch_wrapper._http import OUR_REQUEST, httpx
from sinch_wrapper._rate_limit import TOKEN_LIMITS, Limiter, RateLimiter, Unlimited
from sinch_wrapper._request import FAILURES, Call, call_of, reply_from
from sinch_wrapper._retry import AttemptOutcome, classify_failure, classify_status

_log: Final = logging.getLogger("sinch_wrapper.transport")
Result: TypeAlias = httpx.Response | Exception


@dataclass(frozen=True, slots=True)
class Pacing:
    """What pacing and repeating need from outside: limiters, clocks and chance."""

    requests: Limiter = field(default_factory=Unlimited)
    tokens: Limiter = field(default_factory=lambda: RateLimiter(TOKEN_LIMITS))
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random

    def begin(self, request: httpx.Request) -> "Attempts":
        """Start the attempts of *request*."""
        call = call_of(request)
        return Attempts(self, call, self.tokens if call.token else self.requests)


@dataclass(slots=True)
class Attempts:
    """The attempts of one request: when to send, and whether to send again."""

    pacing: Pacing
    call: Call
    limiter: Limiter
    number: int = 0
    began: float = 0.0
    left: float = 0.0

    def book(self) -> float:
        """Book a slot; returns the seconds until it."""
        return self.limiter.reserve()

    def start(self) -> None:
        """Count one more request on the wire."""
        self.left = self.pacing.clock()
        if not self.number:
            self.began = self.left
        self.number += 1
        self.call.attempts += 1

    def settle(self, result: Result) -> float | None:
        """Seconds until the next attempt, or None when *result* is the last word."""
        asked = None
        if isinstance(result, httpx.Response):
            outcome = classify_status(result.status_code)
            if outcome is not AttemptOutcome.DONE:
                from sinch_wrapper.errors import read_server_delay

                asked = read_server_delay(reply_from(result), self.pacing.now())
        else:
            outcome = classify_failure(result)
        self.call.doubtful = self.call.doubtful or outcome.doubtful
        now = self.pacing.clock()
        if outcome is AttemptOutcome.THROTTLED:
            self.limiter.throttled(now - self.left)
        elapsed = now - self.began
        wait = self.call.retry.wait(
            self.call.method,
            outcome,
            attempt=self.number,
            elapsed=elapsed,
            jitter=self.pacing.jitter(),
            asked=asked,
        )
        self._report(result, elapsed, wait)
        return wait

    def _report(self, result: Result, elapsed: float, wait: float | None) -> None:
        # Neither URL nor exception text: they hold ids, which for consents are phone numbers.
        how = (
            str(result.status_code) if isinstance(result, httpx.Response) else type(result).__name__
        )
        if wait is not None:
            _log.info(
                "%s: %s on attempt %d, next in %.2f s", self.call.name, how, self.number, wait
            )
        elif _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s: %s on attempt %d after %.0f ms",
                self.call.name, how, self.number, elapsed * 1000,
            )  # fmt: skip


UNDECODABLE: Final = "sinch_wrapper.undecodable"


async def asleep(seconds: float) -> None:
    """Wait in a task."""
    import asyncio  # 10 ms of start-up, which programs with threads need not spend

    await asyncio.sleep(seconds)


def _undecodable(response: httpx.Response) -> httpx.Response:
    """The same status without the body, whose Content-Encoding is a lie."""
    lies = {"content-encoding", "content-length", "transfer-encoding"}
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in lies]
    return httpx.Response(response.status_code, headers=headers, extensions={UNDECODABLE: True})


def _given(result: Result) -> httpx.Response:
    if isinstance(result, httpx.Response):
        return result
    raise result


class PacedTransport(httpx.BaseTransport):
    """Waits for its turn, sends, and repeats what the policy of the call lets it repeat.

    The body is read here, so that half a body counts as a failed attempt.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        pacing: Pacing,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._pacing = pacing
        self._sleep = sleep
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, repeating it as its policy says.

        Raises: the HTTP library's exception of the last attempt.
        """
        attempts = self._pacing.begin(request)
        while True:
            self._pause(attempts.book())
            attempts.start()
            result = self._attempt(request)
            wait = attempts.settle(result)
            if wait is None or self._closed:
                return _given(result)
            self._pause(wait)

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _attempt(self, request: httpx.Request) -> Result:
        OUR_REQUEST.set(True)
        try:
            response = self._inner.handle_request(request)
            try:
                response.read()
            except httpx.DecodingError:
                return _undecodable(response)
            finally:
                response.close()
        except FAILURES as error:
            return error
        finally:
            OUR_REQUEST.set(False)
        return response

    def close(self) -> None:
        """Close the inner transport; what waits to be repeated is not repeated any more."""
        self._closed = True
        self._inner.close()


class AsyncPacedTransport(httpx.AsyncBaseTransport):
    """The same as PacedTransport, awaited; cancelling ends it at once, in a wait too."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        pacing: Pacing,
        sleep: Callable[[float], Awaitable[None]] = asleep,
    ) -> None:
        self._inner = inner
        self._pacing = pacing
        self._sleep = sleep
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, repeating it as its policy says.

        Raises: the HTTP library's exception of the last attempt.
        """
        attempts = self._pacing.begin(request)
        while True:
            await self._pause(attempts.book())
            attempts.start()
            result = await self._attempt(request)
            wait = attempts.settle(result)
            if wait is None or self._closed:
                return _given(result)
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    async def _attempt(self, request: httpx.Request) -> Result:
        OUR_REQUEST.set(True)
        try:
            response = await self._inner.handle_async_request(request)
            try:
                await response.aread()
            except httpx.DecodingError:
                return _undecodable(response)
            finally:
                await response.aclose()
        except FAILURES as error:
            return error
        finally:
            OUR_REQUEST.set(False)
        return response

    async def aclose(self) -> None:
        """Close the inner transport; what waits to be repeated is not repeated any more."""
        self._closed = True
        await self._inner.aclose()
