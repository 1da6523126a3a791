"""The tables of callbacks."""

from typing import Final

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

from sinch_wrapper._sqlite.format import Format
from sinch_wrapper.errors import CallbackError

__all__ = ["FORMAT", "dead", "events", "probe", "schema"]

schema = MetaData()

# Each callback once. *due* is null when no handler has anything left to do; *wanted* and *finished*
# are JSON lists of names of handlers.
events = Table(
    "events",
    schema,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("received", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("due", Float),
    Column("attempts", Integer, nullable=False, default=0),
    Column("wanted", Text, nullable=False),
    Column("finished", Text, nullable=False, default="[]"),
    # Numbers that were given out name dead letters to people: never again for another one.
    sqlite_autoincrement=True,
)
Index("events_due", events.c.due, sqlite_where=events.c.due.is_not(None))
Index("events_received", events.c.received)

dead = Table(
    "dead",
    schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("died", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

# One row, written to see whether writing works.
probe = Table("probe", schema, Column("id", Integer, primary_key=True), Column("at", Float))

# "SWCB" in the header.
FORMAT: Final = Format(
    noun="callback store",
    schema=schema,
    application_id=0x53574342,
    version=1,
    stranger="it is no store of callbacks",
    corrupt="it is corrupt: move it away, a new one will be made",
    failure=CallbackError,
)
