"""The states of chunks and recipients, and how they may change; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from sinch_wrapper.callbacks import DeliveryState


class ChunkState(StrEnum):
    """The state of one request.

    `sending` is on disk before the request leaves, so that a process that dies leaves a trace;
    afterwards it is read as `unknown`.
    """

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


_NEXT: Final = {
    # Accepted without leaving again when a look-up lists what "certainly" was not carried out.
    ChunkState.PLANNED: {ChunkState.SENDING, ChunkState.REJECTED, ChunkState.ACCEPTED},
    # Back to planned only when the request certainly was not carried out.
    ChunkState.SENDING: {
        ChunkState.PLANNED, ChunkState.UNKNOWN, ChunkState.ACCEPTED, ChunkState.REJECTED,
    },
    ChunkState.UNKNOWN: {ChunkState.SENDING, ChunkState.ACCEPTED, ChunkState.REJECTED},
    ChunkState.ACCEPTED: set[ChunkState](),
    ChunkState.REJECTED: set[ChunkState](),
}  # fmt: skip


def may_become(old: ChunkState, new: ChunkState) -> bool:
    """Whether a chunk may go from *old* to *new*."""
    return new in _NEXT[old]


class RecipientState(StrEnum):
    """The state of one recipient.

    The first eight follow from the input, from lists of who must not be written to, and from the
    request; the others come from callbacks.
    """

    INVALID = "invalid"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"
    PENDING = "pending"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ACCEPTED = "accepted"
    SWITCHING = "switching"
    QUEUED = "queued"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        # The message of the standard library would quote the value.
        del value
        message = f"unknown state: it must be one of {', '.join(cls)}"
        raise ValueError(message)


class StopReason(StrEnum):
    """Why a job ended with recipients that have no outcome; `""`, which is false, when none has."""

    NONE = ""
    STOPPED = "stopped"
    DEADLINE = "deadline"
    UNKNOWN_OUTCOMES = "unknown outcomes"
    PILOT = "pilot"
    NO_RECEIPTS = "no receipts"
    FAILURES = "failures"


# How far a receipt shows a recipient to be, by the rule of sinch_wrapper.callbacks.
RANKS: Final = {RecipientState(state): rank for rank, state in enumerate(DeliveryState)}


class JobStage(StrEnum):
    """What a job is doing: `delivering` once all have left and the queue of the app drains."""

    READING = "reading"
    CHECKING = "checking"
    SENDING = "sending"
    DELIVERING = "delivering"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, in recipients: *accepted*, *rejected*, *unknown* and those still to come.

    While rows are being read, *total* and *pending* are those read so far. *eta* is the number of
    seconds until the last one is accepted, *to_deliver* until the queue of the app is empty, None
    while nothing is known; *waiting* says that this queue has no room, or that the API asked for a
    pause. *elapsed* is the number of seconds since the call began, and *rate* how many recipients
    were read, or had an outcome, per second of this stage.
    """

    total: int
    accepted: int
    rejected: int
    unknown: int
    pending: int
    eta: float | None = None
    waiting: bool = False
    stage: JobStage = JobStage.SENDING
    elapsed: float = 0.0
    rate: float | None = None
    to_deliver: float | None = None

    @property
    def settled(self) -> int:
        """Recipients whose request has an outcome."""
        return self.accepted + self.rejected


def reading(stage: JobStage, rows: int, elapsed: float) -> Progress:
    """How far the reading of rows is."""
    rate = rows / elapsed if elapsed > 0 else None
    return Progress(rows, 0, 0, 0, rows, stage=stage, elapsed=elapsed, rate=rate)


class Tally:
    """The number of recipients by the state of their chunk, kept up to date by move()."""

    def __init__(self, totals: Mapping[ChunkState, tuple[int, int]]) -> None:
        self._count = {state: totals.get(state, (0, 0))[1] for state in ChunkState}

    def move(self, count: int, old: ChunkState, new: ChunkState) -> None:
        """Count *count* recipients that went from *old* to *new*."""
        self._count[old] -= count
        self._count[new] += count

    def add(self, count: int) -> None:
        """Count *count* recipients more that have not left."""
        self._count[ChunkState.PLANNED] += count

    @property
    def left(self) -> int:
        """Recipients that have not left."""
        return self._count[ChunkState.PLANNED]

    @property
    def accepted(self) -> int:
        """Recipients that were accepted."""
        return self._count[ChunkState.ACCEPTED]

    def progress(self, eta: float | None, *, waiting: bool) -> Progress:
        """The counts as a value."""
        count = self._count
        return Progress(
            total=sum(count.values()),
            accepted=count[ChunkState.ACCEPTED],
            rejected=count[ChunkState.REJECTED],
            unknown=count[ChunkState.UNKNOWN],
            pending=count[ChunkState.PLANNED] + count[ChunkState.SENDING],
            eta=eta,
            waiting=waiting,
        )
