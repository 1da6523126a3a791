"""How a job is sent: what the caller may set."""

import math
from dataclasses import dataclass, field

from sinch_wrapper.bulk._pace import MessageLimits
from sinch_wrapper.errors import BulkError

__all__ = ["SendingRules"]


@dataclass(frozen=True, slots=True)
class SendingRules:
    """How a job is sent.

    *concurrency* requests run at a time. *settle* is the seconds after which a request that the
    look-up does not find was surely not accepted; *attempts* is how often one may leave, and
    *patience* how many look-ups in a row may fail before it stays unknown. *limits* are those of
    the app's queue. *deadline* is the seconds, reading included, after which no more is sent;
    None for no limit.

    Raises: BulkError for values out of range.
    """

    concurrency: int = 4
    settle: float = 30.0
    attempts: int = 5
    patience: int = 10
    limits: MessageLimits = field(default_factory=MessageLimits)
    deadline: float | None = None

    def __post_init__(self) -> None:
        for name in ("concurrency", "attempts", "patience"):
            if getattr(self, name) < 1:
                raise BulkError(f"{name} must be 1 or more")
        for name in ("settle", "deadline"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise BulkError(f"{name} must be 0 seconds or more")
