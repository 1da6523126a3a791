"""When recipients may leave: the queue of an app, how fast it drains, and pauses; pure.

All times are monotonic seconds, except those of Outstanding, which are whatever its caller uses.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from sinch_wrapper import _validate
from sinch_wrapper._backoff import backoff
from sinch_wrapper.errors import ConfigurationError

# Beyond it a count and a float cannot be compared.
_MOST_QUEUED: Final = 10**18
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """The queue of one app: how many messages it holds, and how many leave it per second (*drain*).

    Source: Sinch documentation: Conversation API, rate limits (500,000 messages in the queue of
    an app, 20 a second leave it unless agreed otherwise).
    Raises: ConfigurationError for values out of range.
    """

    queue: int = 500_000
    drain: float = 20.0

    def __post_init__(self) -> None:
        _validate.whole("queue", self.queue, 1, _MOST_QUEUED, error=ConfigurationError)
        _validate.number("drain", self.drain, above=True, error=ConfigurationError)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """An estimate of the recipients in the queue of the app, as of *at* (seconds of any clock)."""

    count: float = 0.0
    at: float = 0.0

    def at_time(self, now: float, limits: MessageLimits) -> "Outstanding":
        """The estimate at *now*; a clock that went back drains nothing."""
        drained = limits.drain * max(0.0, now - self.at)
        return Outstanding(max(0.0, self.count - drained), now)

    def plus(self, recipients: int) -> "Outstanding":
        """The estimate with *recipients* more; below zero, fewer."""
        return replace(self, count=max(0.0, self.count + recipients))

    def wait_for(self, recipients: int, limits: MessageLimits) -> float:
        """Seconds until the queue has room for *recipients*; 0 when it has.

        More than the queue can hold at all wait until it is empty.
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


@dataclass(slots=True)
class SendQueue:
    """Decides when the next request may leave; *outstanding* is the estimate of the app's queue.

    *setbacks* counts the pauses since a request came through, *unreachable* those among them that
    were made because there was no connection.
    """

    limits: MessageLimits
    outstanding: Outstanding = field(default_factory=Outstanding)
    until: float = 0.0
    setbacks: int = 0
    unreachable: int = 0

    def pause(self, now: float, asked: float, *, unreachable: bool) -> None:
        """Wait before the next request: twice as long each time, at least as long as *asked*."""
        wait = min(asked, _LONGEST_PAUSE)
        # Requests that ran side by side bring the same news; it counts once.
        if now >= self.until:
            wait = max(wait, backoff(self.setbacks, _FIRST_PAUSE, _LONGEST_PAUSE))
            self.setbacks += 1
            self.unreachable += unreachable
        self.until = max(self.until, now + wait)

    def clear(self) -> None:
        """Start counting setbacks anew: a request came through."""
        self.setbacks = self.unreachable = 0

    def wait(self, now: float, recipients: int) -> float:
        """Seconds until *recipients* may leave."""
        self.outstanding = self.outstanding.at_time(now, self.limits)
        return max(0.0, self.until - now, self.outstanding.wait_for(recipients, self.limits))

    def add(self, recipients: int) -> None:
        """Count *recipients* that leave; below zero, that came back."""
        self.outstanding = self.outstanding.plus(recipients)
