"""A filter before a long list: keys that are certainly not on it are not looked up.

One bit per hash of a key. In a list of ten million it lets one key in fifteen through that is not
on the list, and saves the others a look into a file that is larger than memory.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

from sqlalchemy import Connection, delete, func, insert, select

from sinch_wrapper.bulk._suppression_tables import entries, filters, history

# Shorter lists are looked into as they are.
WORTH: Final = 200_000
"""The number of keys from which a filter is worth its memory."""

_BITS_PER_KEY: Final = 16
# 16 MiB.
_MOST_BITS: Final = 1 << 27
_PART: Final = 1 << 20
_ROWS: Final = 10_000


class KeyFilter:
    """The hashes of keys; *bits* is a power of two of them, as bytes."""

    def __init__(self, bits: bytearray) -> None:
        self.bits = bits
        self._last = len(bits) * 8 - 1

    @classmethod
    def for_count(cls, count: int) -> "KeyFilter":
        """An empty one for *count* keys."""
        wanted = 1 << max(13, (count * _BITS_PER_KEY - 1).bit_length())
        return cls(bytearray(min(wanted, _MOST_BITS) // 8))

    def add(self, keys: Iterable[str]) -> None:
        """Add *keys*."""
        bits, last = self.bits, self._last
        for key in keys:
            at = crc32(key.encode()) & last
            bits[at >> 3] |= 1 << (at & 7)

    def possible(self, keys: Sequence[str]) -> list[str]:
        """Those of *keys* that may have been added; all that were are among them."""
        bits, last = self.bits, self._last
        hashes = [crc32(key.encode()) & last for key in keys]
        return [key for key, at in zip(keys, hashes, strict=True) if bits[at >> 3] >> (at & 7) & 1]


def write_filter(connection: Connection) -> None:
    """Write a filter over all keys that are on the list of *connection*, when there are many."""
    connection.execute(delete(filters))
    count = connection.execute(select(func.count()).select_from(entries)).scalar_one()
    if count < WORTH:
        return
    found = KeyFilter.for_count(count)
    rows = connection.execute(select(entries.c.key).where(entries.c.out == 1))
    for some in rows.scalars().partitions(_ROWS):
        found.add(some)
    upto = connection.execute(select(func.max(history.c.id))).scalar() or 0
    places = range(0, len(found.bits), _PART)
    for part, at in enumerate(places):
        bits = bytes(found.bits[at : at + _PART])
        row = {"part": part, "parts": len(places), "bits": bits, "sum": crc32(bits), "upto": upto}
        connection.execute(insert(filters), row)


def read_filter(connection: Connection) -> tuple[KeyFilter | None, int]:
    """The filter, and the entry of the history up to which it has all; none when there is none."""
    bits, upto, parts, expected = bytearray(), 0, 0, 0
    for row in connection.execute(select(filters).order_by(filters.c.part)):
        if crc32(row.bits) != row.sum:
            # Without it each key is looked up.
            return None, 0
        bits += row.bits
        upto, parts, expected = row.upto, parts + 1, row.parts
    return (KeyFilter(bits) if parts and parts == expected else None), upto
