"""How recipients lie in the journal: JSON, compressed; and on their way into a request."""

import zlib
from typing import cast

from sinch_wrapper._json import decode, encode

try:
    from orjson import Fragment
except ImportError:
    Fragment = None  # type: ignore[assignment,misc]  # the standard library has no such thing

__all__ = ["Places", "Ready", "pack", "pack_places", "unpack", "unpack_items", "unpack_places"]

# The fastest level: recipients are alike, and shrink to a tenth or less all the same.
_LEVEL = 1

Places = tuple[list[int], list[str | None]]


def pack(content: bytes) -> bytes:
    """Compress *content*."""
    return zlib.compress(content, _LEVEL)


def unpack(blob: bytes) -> bytes:
    """Undo pack()."""
    return zlib.decompress(blob)


def unpack_items(blob: bytes) -> list[dict[str, object]]:
    """The items of a request."""
    return cast("list[dict[str, object]]", decode(unpack(blob)))


def pack_places(lines: list[int], keys: list[str | None]) -> bytes:
    """Compress the lines and keys of recipients; keys that are all None cost nothing."""
    named = any(key is not None for key in keys)
    return pack(encode([lines, keys if named else None]))


def unpack_places(blob: bytes) -> Places:
    """Undo pack_places()."""
    lines, keys = cast("tuple[list[int], list[str | None] | None]", decode(unpack(blob)))
    return lines, [None] * len(lines) if keys is None else keys


class Ready:
    """A list that is JSON already; what turns bodies into JSON calls `to_dict` of foreign values.

    With orjson the bytes go into the request as they are.
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def to_dict(self) -> object:
        """The list, for the JSON library in use."""
        return decode(self._content) if Fragment is None else Fragment(self._content)
