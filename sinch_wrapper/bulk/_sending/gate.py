"""When the next request may leave: pauses that the API asks for, and the room in the queue."""

from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper.bulk._pace import MessageLimits, Outstanding

__all__ = ["Gate"]

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
