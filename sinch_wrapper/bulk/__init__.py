"""Bulk sending: any number of recipients, journalled, resumable, each accounted for (extra: cli).

Names are loaded when they are first asked for: the journal needs SQLAlchemy.
"""

import importlib
from typing import TYPE_CHECKING

from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.bulk._async_bulk import AsyncBulk
    from sinch_wrapper.bulk._bulk import Bulk
    from sinch_wrapper.bulk._options import JobOptions, RunOptions, SendOptions
    from sinch_wrapper.bulk._pace import MessageLimits
    from sinch_wrapper.bulk._recipients.columns import Columns
    from sinch_wrapper.bulk._recipients.sources import Items
    from sinch_wrapper.bulk._results.errors import BulkInterruptedError, BulkStoppedError
    from sinch_wrapper.bulk._results.report import Batch, Report
    from sinch_wrapper.bulk._results.stream import RecipientResult
    from sinch_wrapper.bulk._sending.counts import Progress
    from sinch_wrapper.bulk._sending.targets import Cancellation
    from sinch_wrapper.bulk._states import RecipientState

__all__ = [
    "AsyncBulk",
    "Batch",
    "Bulk",
    "BulkInterruptedError",
    "BulkStoppedError",
    "Cancellation",
    "Columns",
    "Items",
    "JobOptions",
    "MessageLimits",
    "Progress",
    "RecipientResult",
    "RecipientState",
    "Report",
    "RunOptions",
    "SendOptions",
]

_HOMES = {
    "_async_bulk": ("AsyncBulk",),
    "_bulk": ("Bulk",),
    "_recipients.columns": ("Columns",),
    "_recipients.sources": ("Items",),
    "_sending.counts": ("Progress",),
    "_results.errors": ("BulkInterruptedError", "BulkStoppedError"),
    "_sending.targets": ("Cancellation",),
    "_options": ("JobOptions", "RunOptions", "SendOptions"),
    "_pace": ("MessageLimits",),
    "_results.report": ("Batch", "Report"),
    "_states": ("RecipientState",),
    "_results.stream": ("RecipientResult",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load *name* when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sqlalchemy":
            raise
        hint = 'bulk sending needs SQLAlchemy: pip install "sinch-wrapper[cli]"'
        raise BulkError(hint) from error
