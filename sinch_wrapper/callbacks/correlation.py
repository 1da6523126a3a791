"""From an event back to the batch and the recipient it belongs to (callbacks.md 5.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sinch_wrapper._json import decode
from sinch_wrapper.callbacks.events import Event

__all__ = ["Correlation", "correlate"]

_RESERVED = "_batch_id"
_BATCH_KEYS = ("batchId", "batch_id", _RESERVED)
_INDEX_KEYS = ("messageIndex", "message_index")
_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Correlation:
    """What an event says about its origin.

    *batch_id* is None when the event names no batch. *index* is the zero-based position of the
    recipient in `recipient_and_params`; only receipts of messages that failed before they were
    sent carry it. *metadata* is the message metadata of the caller, merged from request and
    recipient, without the reserved key.
    """

    batch_id: str | None
    index: int | None
    metadata: Mapping[str, object] = field(repr=False)


def correlate(event: Event) -> Correlation:
    """Read batch id, index and metadata out of *event*; what is unreadable counts as absent.

    The reserved key in the metadata of a receipt is trusted first. Names that a caller may use
    in metadata of their own (`batch_id`, `messageIndex`) count there only when nothing else
    names the batch.
    """
    metadata = _decoded(event.payload.get("metadata"))
    envelope = _decoded(event.message_metadata)
    own = {key: value for key, value in metadata.items() if key != _RESERVED}
    certain = _text(metadata, (_RESERVED,))
    for source in (envelope, event.payload, own):
        batch_id = _text(source, _BATCH_KEYS)
        if batch_id and certain in (None, batch_id) and not (certain and source is own):
            return Correlation(batch_id, _index(source), own)
    return Correlation(certain, None, own)


def _decoded(text: object) -> Mapping[str, object]:
    if not isinstance(text, str) or not text:
        return {}
    try:
        value = decode(text.encode())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(source: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = source.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _index(source: Mapping[str, object]) -> int | None:
    for name in _INDEX_KEYS:
        value = source.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            return int(value)
    return None
