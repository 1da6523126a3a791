"""The requests of a job in a report, and what its files need to know about the report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sinch_wrapper.bulk._states import RecipientState


@dataclass(frozen=True, slots=True)
class Batch:
    """One request of a job: its *number*, how many *recipients*, *state* and *batch_id*.

    *send_after* is the time that the server settled on, where it named one.

    *status* is the last one known (`SCHEDULED`, `PROCESSED`, `CANCELLED`, ...), empty for none.
    *sent* is how often it left, and *reason* why its outcome is unknown.
    """

    number: int
    state: str
    recipients: int
    batch_id: str
    send_after: str
    status: str
    sent: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SentAgain:
    """A request (*number*, with its *recipients*) whose outcome was unknown, and which left again.

    *by* is `"evidence"`, or `"word"` when a person said so. *evidence* says what its absence was
    proven by: the numbers of the *elder* and the *witness*, how many requests the look-up *listed*,
    how long it had *waited* since it was last on its way, and the longest *lag* of all *lags*.
    """

    number: int
    recipients: int
    by: str
    evidence: Mapping[str, float] | None = None


class ReportCounts(Protocol):
    """What the page of a job shows of its report."""

    name: str
    job: str
    parent: str
    warnings: tuple[str, ...]
    by_state: Mapping[RecipientState, int]
    reasons: Mapping[str, int]
    accepted: int
    rejected: int
    unknown: int
    sent_again: tuple[SentAgain, ...]

    @property
    def stopped(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def delivered(self) -> int: ...
    def batches(self) -> Iterator[Batch]: ...
