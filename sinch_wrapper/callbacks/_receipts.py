"""Delivery receipts: what became of one message or event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sinch_wrapper.callbacks._events import Event


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


FINAL_STATUSES = frozenset({"DELIVERED", "READ", "FAILED"})

_KINDS = {"message_delivery_report": "message_id", "event_delivery_report": "event_id"}


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery receipt; every text is empty when the receipt lacks it.

    *id* is that of the message or event, *status* an open set (`QUEUED_ON_CHANNEL`, `DELIVERED`,
    `READ`, `FAILED`, `SWITCHING_CHANNEL`, ...), *reason* the reason code of a failure.
    """

    id: str
    status: str
    reason: str
    sub_code: str
    channel: str
    identity: str = field(repr=False)
    description: str = field(repr=False)

    @property
    def is_final(self) -> bool:
        """Whether the message has reached its end; `READ` may still follow `DELIVERED`."""
        return self.status in FINAL_STATUSES

    @property
    def state(self) -> DeliveryState | None:
        """What the status means for the recipient; None for a status that is not known."""
        return state_of(self.status)


def delivery_report(event: Event) -> DeliveryReport | None:
    """Return the receipt in *event*, None when it is an event of another kind."""
    if event.kind not in _KINDS:
        return None
    reason = _object(event.payload, "reason")
    identity = _object(event.payload, "channel_identity")
    return DeliveryReport(
        id=_text(event.payload, _KINDS[event.kind]),
        status=_text(event.payload, "status"),
        reason=_text(reason, "code"),
        sub_code=_text(reason, "sub_code"),
        channel=_text(identity, "channel"),
        identity=_text(identity, "identity"),
        description=_text(reason, "description"),
    )


def _object(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
