"""How many recipients may be on their way: the queue of an app and its drain; pure."""

import math
from dataclasses import dataclass, field, replace
from typing import Final

from sinch_wrapper.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """The queue of one app: how many messages it holds, and how many leave it a second.

    Raises: ConfigurationError for values out of range.
    Source: Sinch documentation: Conversation API, rate limits (500,000 messages in the queue of
    an app, 20 a second leave it unless agreed otherwise).
    """

    queue: int = 500_000
    drain: float = 20.0

    def __post_init__(self) -> None:
        if self.queue < 1:
            message = "MessageLimits.queue must be 1 or more"
        elif not (math.isfinite(self.drain) and self.drain > 0):
            message = "MessageLimits.drain must be a number above 0"
        else:
            return
        raise ConfigurationError(message)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """An estimate of the recipients in the queue of the app, as of *at* (seconds)."""

    count: float = 0.0
    at: float = 0.0

    def at_time(self, now: float, limits: MessageLimits) -> "Outstanding":
        """The estimate at *now*; a clock that went back drains nothing."""
        drained = limits.drain * max(0.0, now - self.at)
        return Outstanding(max(0.0, self.count - drained), now)

    def plus(self, recipients: int) -> "Outstanding":
        """The estimate with *recipients* more (or, below zero, fewer)."""
        return replace(self, count=max(0.0, self.count + recipients))

    def wait_for(self, recipients: int, limits: MessageLimits) -> float:
        """Seconds until the queue has room for *recipients*; 0 when it has.

        More than the queue holds at all wait until it is empty.
        """
        room = limits.queue - min(recipients, limits.queue)
        return max(0.0, (self.count - room) / limits.drain)


def eta(
    left: int, outstanding: float, limits: MessageLimits, done: int, elapsed: float
) -> float | None:
    """Seconds until the last of *left* recipients is accepted; None while nothing is known.

    What the queue has room for goes at the speed so far, *done* recipients in *elapsed* seconds;
    the rest goes as the queue drains.
    """
    if left <= 0:
        return 0.0
    if done <= 0 or elapsed <= 0:
        return None
    room = max(0.0, limits.queue - outstanding)
    return max(left * elapsed / done, (left - room) / limits.drain)


_FIRST: Final = 0.5
_LONGEST: Final = 60.0


@dataclass(slots=True)
class Gate:
    """Times are monotonic seconds; *outstanding* is the estimate of the app's queue."""

    limits: MessageLimits
    outstanding: Outstanding = field(default_factory=Outstanding)
    until: float = 0.0
    setbacks: int = 0
    unreachable: int = 0

    def pause(self, now: float, asked: float, *, unreachable: bool) -> None:
        """Wait before the next request: twice as long each time, at least as long as *asked*."""
        wait = min(asked, _LONGEST)
        # Requests that ran side by side bring the same news; it counts once.
        if now >= self.until:
            wait = max(wait, min(_LONGEST, _FIRST * 2.0 ** min(self.setbacks, 10)))
            self.setbacks += 1
            self.unreachable += unreachable
        self.until = max(self.until, now + wait)

    def open_up(self) -> None:
        """Forget the setbacks: a request came through."""
        self.setbacks = self.unreachable = 0

    def wait(self, now: float, recipients: int) -> float:
        """Seconds until *recipients* may leave."""
        self.outstanding = self.outstanding.at_time(now, self.limits)
        return max(0.0, self.until - now, self.outstanding.wait_for(recipients, self.limits))

    def let(self, recipients: int) -> None:
        """Count *recipients* that leave, or, below zero, that came back."""
        self.outstanding = self.outstanding.plus(recipients)
