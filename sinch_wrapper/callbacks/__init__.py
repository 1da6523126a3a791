"""Callbacks: verify the signature, read the event, find the recipient it belongs to.

`parse` does the first two; `correlate` and `delivery_report` read what an event says.
`receiver_app` is a small ASGI app around them (extra: cli).
"""

from typing import TYPE_CHECKING

from sinch_wrapper.callbacks.correlation import Correlation, correlate
from sinch_wrapper.callbacks.delivery import DeliveryReport, delivery_report
from sinch_wrapper.callbacks.events import TRIGGERS, Event, parse, read_event
from sinch_wrapper.callbacks.signature import DEFAULT_MAX_AGE, sign, verify

if TYPE_CHECKING:
    from sinch_wrapper.callbacks.receiver import receiver_app

__all__ = [
    "DEFAULT_MAX_AGE",
    "TRIGGERS",
    "Correlation",
    "DeliveryReport",
    "Event",
    "correlate",
    "delivery_report",
    "parse",
    "read_event",
    "receiver_app",
    "sign",
    "verify",
]


def __getattr__(name: str) -> object:
    """Load the receiver when it is asked for: it needs an optional dependency."""
    if name == "receiver_app":
        from sinch_wrapper.callbacks.receiver import receiver_app

        return receiver_app
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
