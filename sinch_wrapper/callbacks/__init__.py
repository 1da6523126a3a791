"""Callbacks: verify the signature, read the event, find its recipient; and a receiver.

`verify`, `parse`, `batch_ref`, `delivery_report` and `advance` are pure functions for any web
framework. `receiver` is an ASGI app around them that loses nothing (extra: cli).
"""

import importlib
from typing import TYPE_CHECKING

from sinch_wrapper.callbacks.correlation import BatchRef, Confidence, batch_ref
from sinch_wrapper.callbacks.delivery import DeliveryReport, delivery_report
from sinch_wrapper.callbacks.events import Event, parse, read_event
from sinch_wrapper.callbacks.nonces import NonceStore, SeenNonces
from sinch_wrapper.callbacks.signature import TOLERANCE, sign, verify
from sinch_wrapper.callbacks.states import DeliveryState, advance, settle, state_of
from sinch_wrapper.callbacks.triggers import TRIGGERS
from sinch_wrapper.errors import CallbackError

if TYPE_CHECKING:
    from sinch_wrapper.callbacks.receiving import Receiver, receiver
    from sinch_wrapper.callbacks.records import Counts, DeadLetter, Store, StoredEvent
    from sinch_wrapper.callbacks.store import EventStore

__all__ = [
    "TOLERANCE",
    "TRIGGERS",
    "BatchRef",
    "Confidence",
    "Counts",
    "DeadLetter",
    "DeliveryReport",
    "DeliveryState",
    "Event",
    "EventStore",
    "NonceStore",
    "Receiver",
    "SeenNonces",
    "Store",
    "StoredEvent",
    "advance",
    "batch_ref",
    "delivery_report",
    "parse",
    "read_event",
    "receiver",
    "settle",
    "sign",
    "state_of",
    "verify",
]

_HOMES = {
    "Counts": "records",
    "DeadLetter": "records",
    "EventStore": "store",
    "Receiver": "receiving",
    "Store": "records",
    "StoredEvent": "records",
    "receiver": "receiving",
}
_EXTRA = frozenset({"sqlalchemy", "starlette"})


def __getattr__(name: str) -> object:
    """Load what needs optional dependencies when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        hint = 'the callback receiver needs more packages: pip install "sinch-wrapper[cli]"'
        raise CallbackError(hint) from error
