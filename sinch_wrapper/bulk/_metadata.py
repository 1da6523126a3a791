"""The metadata of messages: sizes, reserved keys, and the marks that find a recipient again.

Source: Sinch documentation: Conversation API, send a message (1024 and 2048 characters), and
Batch API, send a batch (`_batch_id` is reserved).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sinch_wrapper._json import encode

CHUNK_MARK: Final = "sinch_wrapper_chunk"
"""The key in batch and message metadata whose value names the job and the chunk."""

JOB_MARK: Final = "sinch_wrapper_job"
"""The key in batch metadata whose value names the job: one look-up by it finds all its batches."""

INDEX_MARK: Final = "sinch_wrapper_index"
"""The key in message metadata whose value is the position of the recipient in its chunk."""

TIMEZONE_MARK: Final = "sinch_wrapper_timezone"
"""The key under which the column of time zones is read; it never leaves."""

_RESERVED: Final = frozenset({"_batch_id", CHUNK_MARK, INDEX_MARK, JOB_MARK})
_LIMITS: Final = {"message_metadata": 1024, "conversation_metadata": 2048}
# Stays on the batch; its size has no published limit.
_BATCH_LIMIT: Final = 2048
# What the server and this library add: a batch id of 26 characters, a chunk, an index.
_BATCH_ID: Final = len('"_batch_id":"",') + 26
_MARKS: Final = len(f'"{CHUNK_MARK}":"","{INDEX_MARK}":"",') + 32 + 5
_BATCH_MARKS: Final = len(f'"{CHUNK_MARK}":"","{JOB_MARK}":"",') + 32 + 16
_ADDED: Final = {"message_metadata": _BATCH_ID + _MARKS, "conversation_metadata": _BATCH_ID}


@dataclass(frozen=True, slots=True)
class MetadataLimits:
    """How many characters are left for the metadata of one recipient."""

    message_metadata: int
    conversation_metadata: int


def static_limits(request: Mapping[str, object]) -> MetadataLimits:
    """The room that the metadata of *request* leave for those of one recipient."""
    left = {}
    for name, limit in _LIMITS.items():
        common = request.get(name)
        size = len(encode(common).decode()) if common else 2
        left[name] = limit - _ADDED[name] - size
    return MetadataLimits(**left)


def metadata_fault(name: str, value: object, limits: MetadataLimits | None = None) -> str:
    """Say what is wrong with *value* as the metadata *name*; empty when nothing is.

    *limits* is None for the metadata of the whole request.
    """
    if not isinstance(value, Mapping):
        return f"{name} must be an object"
    if reserved := sorted(_RESERVED & value.keys()):
        return f"{name} uses the reserved key {reserved[0]!r}"
    try:
        size = len(encode(dict(value)).decode())
    except (TypeError, ValueError):
        return f"{name} holds a value that JSON cannot express"
    if limits is not None:
        room: int = getattr(limits, name)
    else:
        room = _LIMITS.get(name, _BATCH_LIMIT) - _ADDED.get(name, _BATCH_MARKS)
    # The braces count once for both halves of a merged object.
    return f"{name} is {size - room} characters too long" if size - 2 > room else ""
