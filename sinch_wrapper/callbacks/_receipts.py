"""Delivery receipts: the status of one message or event, and the state of its recipient."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sinch_wrapper import _validate
from sinch_wrapper.callbacks._events import Event


class DeliveryState(StrEnum):
    """The state of one recipient by its receipts, in the order in which states are reached."""

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
_FINAL: Final = frozenset({"DELIVERED", "READ", "FAILED"})
_IDS: Final = {"message_delivery_report": "message_id", "event_delivery_report": "event_id"}
_RANK: Final = {state: rank for rank, state in enumerate(DeliveryState)}


def state_of(status: str) -> DeliveryState | None:
    """The state that the *status* of a receipt means; None for an unknown status.

    Raises: TypeError when *status* is not a string.
    """
    if not isinstance(status, str):
        raise _validate.wrong_kind("status", "a string", status)
    return _STATUSES.get(status)


def advance(old: DeliveryState | None, new: DeliveryState) -> DeliveryState:
    """The state after *old* (None at first) and a receipt with the state *new*.

    Receipts arrive late, twice, in any order.

    The rank only grows, so every order of the same receipts ends in the same state. Delivered
    outranks failed: a failure that is late or belongs to a channel tried before does not undo a
    delivery. Queued outranks switching: the next channel has the message.

    Raises: TypeError when either is not a DeliveryState.
    """
    rank = _rank("new", new)
    return new if old is None or rank > _rank("old", old) else old


def settle(statuses: Iterable[str]) -> DeliveryState | None:
    """The state after receipts with these *statuses*; None when all of them are unknown.

    Raises: TypeError when *statuses* is not an iterable of strings.
    """
    wanted = "a list of strings"
    if isinstance(statuses, str | Mapping) or not isinstance(statuses, Iterable):
        raise _validate.wrong_kind("statuses", wanted, statuses)
    state: DeliveryState | None = None
    for status in statuses:
        if not isinstance(status, str):
            raise _validate.wrong_kind("statuses", wanted, [status])
        new = _STATUSES.get(status)
        state = state if new is None else advance(state, new)
    return state


def _rank(option: str, state: DeliveryState) -> int:
    try:
        return _RANK[state]
    except (KeyError, TypeError):
        raise _validate.wrong_kind(option, "a DeliveryState", state) from None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery receipt; a string is empty when the receipt lacks it.

    *id* is that of the message or event. *status* is one of an open set (`QUEUED_ON_CHANNEL`,
    `DELIVERED`, `READ`, `FAILED`, `SWITCHING_CHANNEL`, ...), *reason* the code of a failure,
    *sub_code* a finer one, *description* its words. *channel* and *identity* are where it went.
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
        """Whether the status is final; `READ` may still follow `DELIVERED`."""
        return self.status in _FINAL

    @property
    def state(self) -> DeliveryState | None:
        """The state that the status means for the recipient; None for an unknown status."""
        return state_of(self.status)


def delivery_report(event: Event) -> DeliveryReport | None:
    """The receipt in *event*; None for an event of another kind.

    Raises: TypeError when *event* is not an Event.
    """
    _validate.instance("event", event, Event, "an Event")
    if event.kind not in _IDS:
        return None
    reason = object_field(event.payload, "reason")
    identity = object_field(event.payload, "channel_identity")
    return DeliveryReport(
        id=text_field(event.payload, _IDS[event.kind]),
        status=text_field(event.payload, "status"),
        reason=text_field(reason, "code"),
        sub_code=text_field(reason, "sub_code"),
        channel=text_field(identity, "channel"),
        identity=text_field(identity, "identity"),
        description=text_field(reason, "description"),
    )


def object_field(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The object in field *name* of *value*; empty when there is none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def text_field(value: Mapping[str, object], name: str) -> str:
    """The string in field *name* of *value*; empty when there is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""
