"""How callbacks show themselves on the command line: without personal data."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from sinch_wrapper.callbacks import Event, batch_ref, delivery_report

__all__ = ["facts_of", "line_of", "moment"]


def facts_of(event: Event) -> dict[str, object]:
    """What *event* is and what became of the message; no number, no text."""
    facts: dict[str, object] = {"trigger": event.trigger, "kind": event.kind}
    report = delivery_report(event)
    if report is not None:
        facts |= {"id": report.id, "status": report.status, "reason": report.reason}
    if isinstance(status := event.payload.get("batch_status"), str):
        facts["status"] = status
    batch = batch_ref(event)
    if batch is not None:
        facts |= {"batch_id": batch.batch_id, "index": batch.index}
    if event.accepted_time is not None:
        facts["accepted_time"] = event.accepted_time.isoformat()
    return facts


def line_of(facts: Mapping[str, object], *, as_json: bool) -> str:
    """One line for people, or JSON for programs."""
    if as_json:
        return json.dumps(facts)
    first = facts.get("trigger") or facts.get("kind") or "no payload"
    rest = (
        f"{name}={value}"
        for name, value in facts.items()
        if name not in {"trigger", "kind"} and value not in {None, ""}
    )
    # What the API sends must not move the cursor of a terminal.
    line = " ".join([str(first), *rest])
    return "".join(each if each.isprintable() else "?" for each in line)


def moment(seconds: float) -> str:
    """A Unix time as text, in UTC; one after the year 9999 as the number that it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"
