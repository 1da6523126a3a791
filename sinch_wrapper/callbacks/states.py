"""Where one recipient stands, from its receipts in whatever order they come; pure."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

__all__ = ["DeliveryState", "advance", "settle", "state_of"]


class DeliveryState(StrEnum):
    """What receipts say of one recipient; from the least to the furthest."""

    SWITCHING = "switching"
    QUEUED = "queued"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"


_STATUSES: Final = {
    "SWITCHING_CHANNEL": DeliveryState.SWITCHING,
    "QUEUED": DeliveryState.QUEUED,
    "QUEUED_ON_CHANNEL": DeliveryState.QUEUED,
    "FAILED": DeliveryState.FAILED,
    "DELIVERED": DeliveryState.DELIVERED,
    "READ": DeliveryState.READ,
}
_RANK: Final = {state: rank for rank, state in enumerate(DeliveryState)}


def state_of(status: str) -> DeliveryState | None:
    """The state that the status of a receipt tells; None for one that is not known."""
    return _STATUSES.get(status)


def advance(old: DeliveryState | None, new: DeliveryState) -> DeliveryState:
    """The state after a receipt says *new*; receipts come late, twice and in any order.

    The rank only grows, so every order of the same receipts ends in the same state. Delivered
    outranks failed: a failure that is late or belongs to a channel tried before does not undo a
    delivery. Queued outranks switching: the next channel has the message.
    """
    return new if old is None or _RANK[new] > _RANK[old] else old


def settle(statuses: Iterable[str]) -> DeliveryState | None:
    """The state after receipts with these *statuses*; None when they tell nothing."""
    state: DeliveryState | None = None
    for status in statuses:
        new = state_of(status)
        state = state if new is None else advance(state, new)
    return state
