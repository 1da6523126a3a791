"""The tables of a journal, and how the recipients in them are packed."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    func,
)
from sqlalchemy import cast as cast_to

from sinch_wrapper._json import decode, encode

schema = MetaData()

# SQLite has one kind of whole number, and tables in the order of their key for that name alone.
Number: Final = BigInteger().with_variant(Integer, "sqlite")


def storable(text: str) -> str:
    """*text* without NUL and halves of surrogate pairs, which PostgreSQL does not take."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


class _PlainText(TypeDecorator[str]):
    """Text in PostgreSQL, sorted by code points, as SQLite and Python sort it.

    It has no NUL and no half of a surrogate pair, which servers may have sent all the same.
    """

    impl = String(collation="C")
    cache_ok = True

    def process_bind_param(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 (of SQLAlchemy)
    ) -> str | None:
        """*value* as PostgreSQL can take it."""
        return None if value is None else storable(value)


Words: Final = String().with_variant(_PlainText(), "postgresql")


# What the job is: one JSON value per name.
facts = Table(
    "facts",
    schema,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),
)

# One request each. Bodies have a table of their own, so that counting reads few pages. What
# happened has numbers that only grow, because times go back: when it first and last left, when its
# outcome became doubtful, and when its acceptance was known.
chunks = Table(
    "chunks",
    schema,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("state", Words, nullable=False),
    Column("count", Number, nullable=False),
    Column("sent", Number, nullable=False, default=0),
    Column("certain", Number, nullable=False, default=0),
    Column("batch_id", Words),
    Column("send_after", Words),
    Column("batch_status", Words),
    Column("error", Words),
    Column("first_left", Number),
    Column("last_left", Number),
    Column("doubted", Number),
    Column("known", Number),
    # Not by its own response.
    Column("adopted", Number, nullable=False, default=0),
    # A second batch that the API lists for it: it was sent twice.
    Column("twice", Words),
    # Unix milliseconds, for reports alone, because clocks go back: when it last left, and when its
    # outcome was known.
    Column("left_at", Number),
    Column("settled_at", Number),
)
Index("chunks_by_state", chunks.c.state, chunks.c.id)
Index("chunks_by_batch", chunks.c.batch_id)

# The recipients of several requests: the sum of PostgreSQL has digits behind the point.
recipient_sum: Final = cast_to(func.sum(chunks.c.count), Number)

# SQLite stores any kind of value in any column, and damage makes use of it.
CHUNK_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    each.name: (
        int if isinstance(each.type, Integer) else str,
        *((type(None),) if each.nullable else ()),
    )
    for each in chunks.c
}

# Each second and later departure of a request whose outcome was unknown, and its reason.
resends = Table(
    "resends",
    schema,
    Column("event", Number, primary_key=True, autoincrement=False),
    Column("chunk", Number, nullable=False),
    # JSON; null when a person said so.
    Column("evidence", Words),
)

# Both compressed JSON: the items of the request, and [lines, keys] of its recipients.
bodies = Table(
    "bodies",
    schema,
    Column("chunk", Number, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    Column("places", LargeBinary, nullable=False),
)


# What the caller's keys of an outbox became: each a request of its own, with fields of its own.
keys = Table(
    "keys",
    schema,
    Column("key", Words, primary_key=True),
    Column("chunk", Number, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),
    # Compressed JSON.
    Column("request", LargeBinary, nullable=False),
)


def _reported() -> list[Column[Any]]:
    """The columns of what a callback reports about a recipient."""
    return [
        Column("state", Words, nullable=False),
        Column("reason", Words, nullable=False),
        Column("detail", Words, nullable=False),
        Column("message_id", Words, nullable=False),
        # Unix milliseconds, when it was written down.
        Column("at", Number, nullable=False, default=0),
    ]


# What callbacks reported about single recipients.
outcomes = Table(
    "outcomes",
    schema,
    Column("chunk", Number, primary_key=True, autoincrement=False),
    Column("position", Number, primary_key=True, autoincrement=False),
    *_reported(),
    sqlite_with_rowid=False,
)

# What callbacks reported about batches whose chunk is not known yet.
early = Table(
    "early",
    schema,
    Column("batch_id", Words, primary_key=True),
    Column("position", Number, primary_key=True, autoincrement=False),
    *_reported(),
    sqlite_with_rowid=False,
)

# Rows of the input that are left out, and why: what `duplicate` says.
INVALID, DUPLICATE, SUPPRESSED = range(3)
skipped = Table(
    "skipped",
    schema,
    Column("id", Number, primary_key=True),
    Column("line", Number, nullable=False),
    Column("key", Words),
    Column("duplicate", Number, nullable=False),
    Column("reason", Words, nullable=False),
    Column("column", Words, nullable=False),
)


# The fastest level: recipients are alike, and shrink to a tenth or less all the same.
_LEVEL = 1
# In bytes, what a single recipient takes; and the least that zlib can use for it.
_SHORT = 1024
_SMALL_WINDOW, _SMALL_MEMORY = 9, 4
# Bytes: fifty times what a request has by default.
_MOST_UNPACKED = 256 << 20
# What a byte of zlib may become at most, and what one of a request nearly always does at most.
_HIGHEST_RATIO = 1032
_USUAL_RATIO = 25
# Recipients: more than a request may have.
_MOST_PLACES = 1_000_000

Places: TypeAlias = tuple[list[int], list[str | None]]
# As they are packed; without a gap, lines are the first one, and their number comes last.
_Packed: TypeAlias = "tuple[list[int] | int, list[str | None] | None, *tuple[int, ...]]"


def pack(content: bytes) -> bytes:
    """Compress *content*."""
    if len(content) > _SHORT:
        return zlib.compress(content, _LEVEL)
    # Otherwise making room for what is not there takes ten times as long as compressing.
    small = zlib.compressobj(_LEVEL, zlib.DEFLATED, _SMALL_WINDOW, _SMALL_MEMORY)
    return small.compress(content) + small.flush()


def unpack(blob: bytes) -> bytes:
    """Undo pack(); raises zlib.error for what it did not make, and what would fill the memory."""
    if len(blob) * _HIGHEST_RATIO <= _MOST_UNPACKED:
        # With room for the usual request: making more of it takes half as long as unpacking.
        return zlib.decompress(blob, bufsize=len(blob) * _USUAL_RATIO)
    found = zlib.decompressobj()
    content = found.decompress(blob, _MOST_UNPACKED)
    if not found.eof:
        raise zlib.error("cut off, or too large")
    return content


def unpack_items(blob: bytes) -> list[dict[str, object]]:
    """The items of a request, from their packed form."""
    return cast("list[dict[str, object]]", decode(unpack(blob)))


def pack_places(lines: Sequence[int], keys: Sequence[str | None]) -> bytes:
    """Compress the *lines* and *keys* of recipients; keys that are all None cost nothing.

    Of lines without a gap only the first one is kept, and how many they are.
    """
    named = keys if any(key is not None for key in keys) else None
    row = range(lines[0], lines[0] + len(lines)) if lines else range(0)
    if lines == row or [*lines] == [*row]:
        return pack(encode([row.start, named, len(row)]))
    return pack(encode([list(lines), named]))


def unpack_places(blob: bytes) -> Places:
    """Undo pack_places()."""
    lines, keys, *many = cast("_Packed", decode(unpack(blob)))
    if isinstance(lines, int):
        if many[0] > _MOST_PLACES:
            raise ValueError("too many")
        lines = [*range(lines, lines + many[0])]
    keys = [None] * len(lines) if keys is None else keys
    if not all(isinstance(line, int) for line in lines) or len(lines) != len(keys):
        raise ValueError("not lines and keys")
    return lines, keys
