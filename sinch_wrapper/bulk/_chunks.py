"""Cutting recipients into requests, by count and by bytes; pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

__all__ = ["by_bytes", "by_count"]

T = TypeVar("T")


def by_count(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut *items* into lists of *size*, the last one shorter; the order stays."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def by_bytes(
    items: Sequence[T], encode: Callable[[Sequence[T]], bytes], limit: int
) -> Iterator[tuple[Sequence[T], bytes]]:
    """Cut *items* so that each part encodes to at most *limit* bytes; the order stays.

    A single item beyond the limit stays a part of its own: whoever reads items refuses those.
    """
    content = encode(items)
    if len(content) <= limit or len(items) == 1:
        yield items, content
        return
    middle = len(items) // 2
    yield from by_bytes(items[:middle], encode, limit)
    yield from by_bytes(items[middle:], encode, limit)
