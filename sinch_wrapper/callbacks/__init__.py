"""Callbacks: verify the signature, read the event, find its recipient; and a receiver.

`verify`, `parse`, `batch_ref`, `delivery_report` and `advance` are pure functions for any web
framework. `receiver` is an ASGI app around them that loses nothing (extra: cli).
"""

import importlib
from typing import TYPE_CHECKING

from sinch_wrapper.callbacks.correlation import BatchRef, Confidence, batch_ref
from sinch_wrapper.callbacks.delivery import DeliveryReport, delivery_report
from sinch_wrapper.callbacks.events import Event, parse, read_event
from sinch_wrapper.callbacks.headers import Headers
from sinch_wrapper.callbacks.nonces import NonceStore, SeenNonces
from sinch_wrapper.callbacks.signature import TOLERANCE, Secrets, sign, verify
from sinch_wrapper.callbacks.states import DeliveryState, advance, settle, state_of
from sinch_wrapper.callbacks.triggers import TRIGGERS
from sinch_wrapper.errors import CallbackError

if TYPE_CHECKING:
    from sinch_wrapper.callbacks.handlers import EventHandler
    from sinch_wrapper.callbacks.receiving import Receiver, receiver
    from sinch_wrapper.callbacks.records import (
        Arrival,
        Counts,
        DeadLetter,
        Store,
        StoredEvent,
        Verdict,
    )
    from sinch_wrapper.callbacks.settings import ReceiverOptions
    from sinch_wrapper.callbacks.store import EventStore

__all__ = [
    "TOLERANCE",
    "TRIGGERS",
    "Arrival",
    "BatchRef",
    "Confidence",
    "Counts",
    "DeadLetter",
    "DeliveryReport",
    "DeliveryState",
    "Event",
    "EventHandler",
    "EventStore",
    "Headers",
    "NonceStore",
    "Receiver",
    "ReceiverOptions",
    "Secrets",
    "SeenNonces",
    "Store",
    "StoredEvent",
    "Verdict",
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
    "Arrival": "records",
    "Counts": "records",
    "DeadLetter": "records",
    "EventHandler": "handlers",
    "EventStore": "store",
    "Receiver": "receiving",
    "ReceiverOptions": "settings",
    "Store": "records",
    "StoredEvent": "records",
    "Verdict": "records",
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
