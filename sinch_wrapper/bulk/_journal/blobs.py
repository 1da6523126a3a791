"""How recipients lie in the journal: JSON, compressed."""

import zlib
from collections.abc import Sequence
from typing import TypeAlias, cast

from sinch_wrapper._json import decode, encode

__all__ = ["Places", "pack", "pack_places", "unpack", "unpack_items", "unpack_places"]

# The fastest level: recipients are alike, and shrink to a tenth or less all the same.
_LEVEL = 1

Places: TypeAlias = tuple[list[int], list[str | None]]


def pack(content: bytes) -> bytes:
    """Compress *content*."""
    return zlib.compress(content, _LEVEL)


def unpack(blob: bytes) -> bytes:
    """Undo pack()."""
    return zlib.decompress(blob)


def unpack_items(blob: bytes) -> list[dict[str, object]]:
    """The items of a request."""
    return cast("list[dict[str, object]]", decode(unpack(blob)))


def pack_places(lines: Sequence[int], keys: Sequence[str | None]) -> bytes:
    """Compress the lines and keys of recipients; keys that are all None cost nothing."""
    named = any(key is not None for key in keys)
    return pack(encode([lines, keys if named else None]))


def unpack_places(blob: bytes) -> Places:
    """Undo pack_places()."""
    lines, keys = cast("tuple[list[int], list[str | None] | None]", decode(unpack(blob)))
    return lines, [None] * len(lines) if keys is None else keys
