"""Callbacks: verify the signature, read the event, find its recipient; and a receiver.

`verify`, `parse`, `batch_ref`, `delivery_report` and `advance` are pure functions for any web
framework. `receiver` is an ASGI app around them that loses no callback (extra: receiver).
"""

from typing import TYPE_CHECKING

from sinch_conversation_api.callbacks import TRIGGERS

from sinch_wrapper._lazy import Extra, lazy
from sinch_wrapper.callbacks._correlation import BatchRef, Confidence, batch_ref
from sinch_wrapper.callbacks._events import Event, parse, read_event
from sinch_wrapper.callbacks._opt_outs import (
    START_WORDS,
    STOP_WORDS,
    ConsentChange,
    ConsentKind,
    OptOutWords,
    consent_change,
)
from sinch_wrapper.callbacks._receipts import (
    DeliveryReport,
    DeliveryState,
    advance,
    delivery_report,
    settle,
    state_of,
)
from sinch_wrapper.callbacks._signature import (
    TOLERANCE,
    Headers,
    NonceStore,
    Secrets,
    SeenNonces,
    sign,
    verify,
)
from sinch_wrapper.errors import CallbackError

if TYPE_CHECKING:
    from sinch_wrapper.callbacks._dispatcher import EventHandler
    from sinch_wrapper.callbacks._receiver import Receiver, receiver
    from sinch_wrapper.callbacks._records import (
        Arrival,
        Counts,
        DeadLetter,
        JobFollower,
        Store,
        StoredEvent,
        Verdict,
    )
    from sinch_wrapper.callbacks._settings import ReceiverOptions
    from sinch_wrapper.callbacks._store import EventStore

__all__ = [
    "START_WORDS",
    "STOP_WORDS",
    "TOLERANCE",
    "TRIGGERS",
    "Arrival",
    "BatchRef",
    "Confidence",
    "ConsentChange",
    "ConsentKind",
    "Counts",
    "DeadLetter",
    "DeliveryReport",
    "DeliveryState",
    "Event",
    "EventHandler",
    "EventStore",
    "Headers",
    "JobFollower",
    "NonceStore",
    "OptOutWords",
    "Receiver",
    "ReceiverOptions",
    "Secrets",
    "SeenNonces",
    "Store",
    "StoredEvent",
    "Verdict",
    "advance",
    "batch_ref",
    "consent_change",
    "delivery_report",
    "parse",
    "read_event",
    "receiver",
    "settle",
    "sign",
    "state_of",
    "verify",
]

__getattr__ = lazy(
    __name__,
    {
        "_dispatcher": ("EventHandler",),
        "_receiver": ("Receiver", "receiver"),
        "_records": (
            "Arrival",
            "Counts",
            "DeadLetter",
            "JobFollower",
            "Store",
            "StoredEvent",
            "Verdict",
        ),
        "_settings": ("ReceiverOptions",),
        "_store": ("EventStore",),
    },
    extra=Extra(
        "the callback receiver", "receiver", frozenset({"sqlalchemy", "starlette"}), CallbackError
    ),
)
