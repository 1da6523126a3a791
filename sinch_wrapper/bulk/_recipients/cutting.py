"""Entries made into requests: cut by bytes, with the mark of each position; pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar, cast

from sinch_wrapper._json import encode
from sinch_wrapper.bulk._metadata import INDEX_MARK
from sinch_wrapper.bulk._recipients.blocks import Block
from sinch_wrapper.bulk._recipients.entries import Entry, Skip

__all__ = ["by_bytes", "cut"]

T = TypeVar("T")

_MARKS: Final = [{INDEX_MARK: str(index)} for index in range(1000)]
_Json: TypeAlias = dict[str, object]


def cut(
    entries: Sequence[Entry], limit: int, *, is_messages: bool
) -> tuple[list[Block], list[Skip]]:
    """Cut *entries* into requests of at most *limit* bytes, and those apart that fit into none."""
    skips: list[Skip] = []
    encoded = _messages if is_messages else _things
    try:
        parts = list(by_bytes(entries, encoded, limit)) if entries else []
    except (TypeError, ValueError):
        sound = []
        for entry in entries:
            if _is_json(entry):
                sound.append(entry)
            else:
                skips.append(Skip(entry.line, entry.key, "holds what JSON cannot express"))
        parts = list(by_bytes(sound, encoded, limit)) if sound else []
    blocks = []
    for part, content in parts:
        if len(content) > limit:
            skips.append(Skip(part[0].line, part[0].key, "is too large for a request"))
            continue
        lines, keys, identities, _ = zip(*part, strict=True)
        blocks.append(Block(lines, keys, identities, content))
    return blocks, skips


def _messages(entries: Sequence[Entry]) -> bytes:
    items = [cast("_Json", entry.item) for entry in entries]
    for mark, item in zip(_MARKS, items, strict=False):
        own = item.get("message_metadata")
        item["message_metadata"] = mark if own is None else {**cast("_Json", own), **mark}
    return encode(items)


def _things(entries: Sequence[Entry]) -> bytes:
    return encode([entry.item for entry in entries])


def _is_json(entry: Entry) -> bool:
    try:
        encode(entry.item)
    except (TypeError, ValueError):
        return False
    return True


def by_bytes(
    items: Sequence[T], encode: Callable[[Sequence[T]], bytes], limit: int
) -> Iterator[tuple[Sequence[T], bytes]]:
    """Cut *items* so that each part encodes to at most *limit* bytes; the order stays.

    A single item beyond the limit stays a part of its own: whoever reads parts refuses those.
    """
    content = encode(items)
    if len(content) <= limit or len(items) == 1:
        yield items, content
        return
    middle = len(items) // 2
    yield from by_bytes(items[:middle], encode, limit)
    yield from by_bytes(items[middle:], encode, limit)
