"""The states of chunks and recipients, and how they may change; pure."""

from enum import StrEnum
from typing import Final

from sinch_wrapper.callbacks.states import DeliveryState

__all__ = ["RANKS", "ChunkState", "RecipientState", "may_become"]


class ChunkState(StrEnum):
    """Where one request stands.

    `sending` is written to disk before the request leaves, so that a process that dies leaves a
    trace; it is read as `unknown` afterwards.
    """

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


_NEXT: Final = {
    ChunkState.PLANNED: {ChunkState.SENDING, ChunkState.REJECTED},
    # Back to planned only when the request surely was not carried out.
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
    """Where one recipient stands.

    The first seven follow from the input and the request; the others come from callbacks.
    """

    INVALID = "invalid"
    DUPLICATE = "duplicate"
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


# How far a receipt shows a recipient to be; the rule is that of callbacks.states.
RANKS: Final = {RecipientState(state): rank for rank, state in enumerate(DeliveryState)}
