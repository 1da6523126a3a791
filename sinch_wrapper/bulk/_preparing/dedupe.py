"""Taking repeated recipients out of a job that was read, before anything is sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sinch_wrapper._json import encode
from sinch_wrapper.bulk._journal.blobs import pack, pack_places, unpack_items, unpack_places
from sinch_wrapper.bulk._journal.journal import Journal, Planned
from sinch_wrapper.bulk._metadata import INDEX_MARK
from sinch_wrapper.bulk._operations import BatchOperation
from sinch_wrapper.bulk._recipients.entries import Skip
from sinch_wrapper.bulk._recipients.items import ItemBuilder
from sinch_wrapper.bulk._recipients.objects import identity_of

__all__ = ["drop_repeated"]

_PAGE = 20


@dataclass(slots=True)
class _Part:
    """What stays of one request, and what goes."""

    items: list[dict[str, object]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    gone: list[Skip] = field(default_factory=list)


def drop_repeated(
    journal: Journal, kind: BatchOperation, repeated: Iterator[set[int]]
) -> Iterator[Skip]:
    """Leave the first of each recipient whose hash is in *repeated*, and take out the others."""
    identity = _identity(kind)
    for marks in repeated:
        first: dict[int, int] = {}
        last = -1
        while found := journal.after(last, _PAGE):
            for chunk in found:
                last = chunk.id
                part = _sifted(journal, chunk.id, identity, marks, first)
                if part.gone:
                    _replace(journal, chunk.id, kind, part)
                    yield from part.gone


def _identity(kind: BatchOperation) -> Callable[[object], str]:
    if not kind.is_messages:
        builder = ItemBuilder(kind.name)
        return lambda item: builder(0, item).identity
    return lambda item: identity_of(item["recipient"])  # type: ignore[index]  # as it was built


def _sifted(
    journal: Journal,
    chunk: int,
    identity: Callable[[object], str],
    marks: set[int],
    first: dict[int, int],
) -> _Part:
    with journal.storage.read() as connection:
        content, places = journal.body(connection, chunk)
    part = _Part()
    for item, line, key in zip(unpack_items(content), *unpack_places(places), strict=True):
        mark = hash(identity(item))
        before = first.setdefault(mark, line) if mark in marks else line
        if before == line:
            part.items.append(item)
            part.lines.append(line)
            part.keys.append(key)
        else:
            reason = f"the same recipient as on line {before}"
            part.gone.append(Skip(line, key, reason, duplicate=True))
    return part


def _replace(journal: Journal, chunk: int, kind: BatchOperation, part: _Part) -> None:
    if kind.is_messages:
        for position, item in enumerate(part.items):
            metadata = item["message_metadata"]
            metadata[INDEX_MARK] = str(position)  # type: ignore[index]  # as it was built
    with journal.write() as connection:
        content, places = pack(encode(part.items)), pack_places(part.lines, part.keys)
        journal.replace(connection, Planned(chunk, len(part.items), content, places))
        journal.skip(connection, part.gone)
