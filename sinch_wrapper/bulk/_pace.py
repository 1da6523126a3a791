"""How many recipients may be on their way: the queue of an app and its drain; pure."""

import math
from dataclasses import dataclass, replace

from sinch_wrapper.errors import ConfigurationError

__all__ = ["MessageLimits", "Outstanding", "eta"]


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
