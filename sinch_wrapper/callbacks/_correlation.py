"""From an event back to its batch and its recipient; pure.

Source: Sinch documentation, Batch API: overview; Conversation API: Callbacks, metadata.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sinch_wrapper import _validate
from sinch_wrapper.callbacks._events import Event

_RESERVED: Final = "_batch_id"
_BATCH_KEYS: Final = ("batchId", "batch_id", _RESERVED)
_INDEX_KEYS: Final = ("messageIndex", "message_index")
_DIGITS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LARGEST: Final = 999_999_999
# Such as: Validation failed for batch [B1] and message at index [3]. Details: [reason]
_SENTENCE: Final = re.compile(
    r"\bbatch\b[^\[\]]*\[([^\[\]\s]{1,64})\][^\[\]]*\bindex\b[^\[\]]*\[([0-9]{1,9})\]",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_SENTENCE: Final = 300


class Confidence(IntEnum):
    """How certain it is that an event belongs to a batch, by the place that names the batch."""

    TEXT = 1
    """The description of a failure names batch and index, in a sentence for people."""
    CALLER = 2
    """The metadata of the message has such names, which callers may use for their own purposes."""
    PAYLOAD = 3
    """The payload itself has `batch_id`, as in batch notifications."""
    ENVELOPE = 4
    """The `message_metadata` beside the payload has it; on replies it names the last batch."""
    RESERVED = 5
    """The metadata of the message has `_batch_id`, which callers cannot set."""


@dataclass(frozen=True, slots=True)
class BatchRef:
    """A batch (*batch_id*) and the zero-based *index* of the recipient in `recipient_and_params`.

    *confidence* says where it was found.

    *index* is None when the event does not have it: only receipts of messages that failed before
    they were sent do.
    """

    batch_id: str
    index: int | None
    confidence: Confidence


def batch_ref(event: Event) -> BatchRef | None:
    """The batch that *event* belongs to; None when the event names no batch.

    The most certain place decides the batch. The index may come from a less certain one that
    names the same batch, but not from metadata of the caller.

    Raises: TypeError when *event* is not an Event, and nothing else.
    """
    _validate.instance("event", event, Event, "an Event")
    best: BatchRef | None = None
    for found in _found(event):
        if best is None:
            best = found
        elif (
            best.index is None
            and found.index is not None
            and found.batch_id == best.batch_id
            and found.confidence is not Confidence.CALLER
        ):
            return BatchRef(best.batch_id, found.index, best.confidence)
    return best


def _found(event: Event) -> Iterator[BatchRef]:
    """The batch that each place names, the most certain first."""
    metadata = event.metadata
    reserved = metadata.get(_RESERVED)
    if isinstance(reserved, str) and reserved:
        yield BatchRef(reserved, None, Confidence.RESERVED)
    own = {name: value for name, value in metadata.items() if name != _RESERVED}
    for source, confidence in (
        (event.envelope_metadata, Confidence.ENVELOPE),
        (event.payload, Confidence.PAYLOAD),
        (own, Confidence.CALLER),
    ):
        batch_id = _batch_id(source)
        if batch_id:
            yield BatchRef(batch_id, _index(source), confidence)
    reason = event.payload.get("reason")
    sentence = reason.get("description") if isinstance(reason, dict) else None
    if isinstance(sentence, str) and (match := _SENTENCE.search(sentence[:_LONGEST_SENTENCE])):
        yield BatchRef(match[1], int(match[2]), Confidence.TEXT)


def _batch_id(source: Mapping[str, object]) -> str:
    for name in _BATCH_KEYS:
        value = source.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def _index(source: Mapping[str, object]) -> int | None:
    for name in _INDEX_KEYS:
        value = source.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return value
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            return int(value)
    return None
