"""Requests of one recipient at both ends of a job: they are the evidence about all others.

A request whose outcome is unknown may leave again only when a look-up lists one that was accepted
before it left, and one that left after its doubt began. So two requests of one recipient leave
before all others, the first of them alone; three are held back to the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from sqlalchemy import update

from sinch_wrapper._json import encode
from sinch_wrapper.bulk._chunks import NewChunk
from sinch_wrapper.bulk._damage import sound
from sinch_wrapper.bulk._journal import NO_LIMIT, Job, Journal
from sinch_wrapper.bulk._metadata import INDEX_MARK
from sinch_wrapper.bulk._schema import (
    bodies,
    chunks,
    pack,
    pack_places,
    unpack_items,
    unpack_places,
)
from sinch_wrapper.bulk._states import ChunkState

# Smaller jobs go as they are.
LEAST: Final = 50
FIRST: Final = 2
LAST: Final = 3

Entry: TypeAlias = tuple[dict[str, object], int, str | None]
"""One recipient of a request: its item, its line, its key."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Requests up to number *alone* leave one at a time until one of the job was accepted.

    Those from number *held* are held back.
    """

    alone: int = -1
    held: int = NO_LIMIT


def pieces_of(job: Job) -> Pieces:
    """The pieces of *job*."""
    found = job.facts.get("pieces")
    if not isinstance(found, list):
        return Pieces()
    with sound(job.journal.name):
        return Pieces(*map(int, found))


def request_of(number: int, entries: Sequence[Entry], *, is_messages: bool) -> NewChunk:
    """The request that holds *entries*, each with its new position."""
    if is_messages:
        for position, (item, _, _) in enumerate(entries):
            metadata = item["message_metadata"]
            metadata[INDEX_MARK] = str(position)  # type: ignore[index]  # as it was built
    items, lines, keys = zip(*entries, strict=True) if entries else ((), (), ())
    return NewChunk(number, len(entries), pack(encode(list(items))), pack_places(lines, keys))


def entries_of(content: bytes, places: bytes) -> list[Entry]:
    """The recipients of a request, from its packed form."""
    return list(zip(unpack_items(content), *unpack_places(places), strict=True))


def as_recipient(item: Mapping[str, object], key: str | None) -> Mapping[str, object]:
    """The recipient that became *item*, as an iterable may hold it."""
    metadata = item.get("message_metadata")
    pairs = metadata.items() if isinstance(metadata, Mapping) else ()
    own = {name: value for name, value in pairs if name != INDEX_MARK}
    fields = {name: value for name, value in item.items() if name != "message_metadata"}
    return {**fields, "key": key} | ({"message_metadata": own} if own else {})


def cut_first(new: Sequence[NewChunk]) -> list[NewChunk]:
    """The requests of a job that begins with *new*, its first recipients by themselves."""
    if sum(each.count for each in new) < LEAST:
        return list(new)
    singles: list[Entry] = []
    rest: list[NewChunk] = []
    for chunk in new:
        if take := min(FIRST - len(singles), chunk.count):
            entries = entries_of(chunk.content, chunk.places)
            singles += entries[:take]
            chunk = request_of(0, entries[take:], is_messages=True)  # noqa: PLW2901 (what is left of it)
        rest += [chunk] if chunk.count else []
    first = [request_of(0, [entry], is_messages=True) for entry in singles]
    return [replace(each, id=number) for number, each in enumerate(first + rest)]


def hold_back(journal: Journal) -> Pieces:
    """Take the last recipients of the job in *journal* into requests of their own."""
    _, total = journal.totals().get(ChunkState.PLANNED, (0, 0))
    if total < LEAST:
        return Pieces()
    singles: list[Entry] = []
    with journal.write() as connection:
        for chunk in journal.last(connection, LAST):
            if take := min(LAST - len(singles), chunk.count):
                entries = entries_of(*journal.body(connection, chunk.id))
                singles = entries[-take:] + singles
                left = request_of(chunk.id, entries[:-take], is_messages=True)
                journal.replace(connection, left)
        held = journal.last(connection, 1)[0].id + 1
        new = [request_of(held + at, [each], is_messages=True) for at, each in enumerate(singles)]
        journal.add(connection, new)
    return Pieces(FIRST - 1, held)


def cut_after(journal: Journal, recipients: int) -> tuple[int, bool]:
    """Let a request of the job in *journal* end after this number of *recipients*.

    Returns: the number of the first request after them, and whether one was divided.
    """
    last, left = -1, recipients
    for chunk in journal.each():
        if left <= 0:
            return chunk.id, False
        if left < chunk.count:
            _split(journal, chunk.id, left)
            return chunk.id + 1, True
        last, left = chunk.id, left - chunk.count
    return last + 1, False


def _split(journal: Journal, number: int, at: int) -> None:
    """Make two requests of one; those behind it move on by one."""
    with journal.write() as connection:
        entries = entries_of(*journal.body(connection, number))
        for table, name in ((chunks, "id"), (bodies, "chunk")):
            column = table.c[name]
            # In two steps, for no number may be there twice in between.
            aside = update(table).where(column > number).values({name: -column - 1})
            connection.execute(aside)
            connection.execute(update(table).where(column < 0).values({name: -column}))
        journal.replace(connection, request_of(number, entries[:at], is_messages=True))
        journal.add(connection, [request_of(number + 1, entries[at:], is_messages=True)])


def as_fact(pieces: Pieces) -> Mapping[str, object]:
    """What the journal keeps of *pieces*."""
    return {} if pieces == Pieces() else {"pieces": [pieces.alone, pieces.held]}
