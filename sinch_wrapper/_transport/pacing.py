"""The attempts of one request: when to send and whether to send again, without sending."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from sinch_wrapper._call import Call, call_of
from sinch_wrapper._http import httpx
from sinch_wrapper._limits.limiter import TOKEN_LIMITS, Limiter, RateLimiter, Unlimited
from sinch_wrapper._replies import reply_from
from sinch_wrapper._retry import AttemptOutcome, classify_failure, classify_status

__all__ = ["Attempts", "Pacing", "Result"]

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
