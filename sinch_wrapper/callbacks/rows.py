"""Callbacks as rows of the tables, and back."""

import json
from typing import Any

from sqlalchemy import Row

from sinch_wrapper.callbacks.events import read_event
from sinch_wrapper.callbacks.records import Arrival, StoredEvent, Verdict, digest_of

__all__ = ["letter_row", "row_of", "settled_row", "stored_of"]


def row_of(arrival: Arrival) -> dict[str, object]:
    """The row of a new callback."""
    return {
        "digest": digest_of(arrival.event),
        "received": arrival.received,
        "kind": arrival.event.kind,
        "body": arrival.event.body,
        "due": arrival.received if arrival.wanted else None,
        "wanted": json.dumps(arrival.wanted),
    }


def settled_row(verdict: Verdict) -> dict[str, object]:
    """What a verdict changes in the row of its callback."""
    done = json.dumps(sorted(verdict.finished))
    return {"of": verdict.id, "at": verdict.due, "tried": verdict.attempts, "done": done}


def letter_row(verdict: Verdict) -> dict[str, object]:
    """The row of a dead letter."""
    return {
        "id": verdict.id,
        "died": verdict.at,
        "attempts": verdict.attempts,
        "error": verdict.error,
    }


def stored_of(row: Row[Any]) -> StoredEvent:
    """The callback in a row."""
    wanted, finished = (frozenset(json.loads(each)) for each in (row.wanted, row.finished))
    return StoredEvent(row.id, read_event(row.body), row.received, row.attempts, wanted, finished)
