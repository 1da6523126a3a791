"""The tables of a suppression list."""

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Index, LargeBinary, MetaData, Table, select

from sinch_wrapper._sqlite import Database, Format
from sinch_wrapper._storage import Storage
from sinch_wrapper.bulk._job_url import ListAddress, ListURL
from sinch_wrapper.bulk._schema import Number, Words
from sinch_wrapper.errors import BulkError

schema = MetaData()

# Twice per key at most: what the person said, and, *firm*, what was entered for them.
entries = Table(
    "entries",
    schema,
    Column("key", Words, primary_key=True),
    Column("firm", Number, primary_key=True, autoincrement=False),
    Column("out", Number, nullable=False),
    Column("at", Number, nullable=False),
    Column("reason", Words, nullable=False),
    sqlite_with_rowid=False,
)
# What happened, for whoever must show it; what is imported at once is one row without a key.
history = Table(
    "history",
    schema,
    Column("id", Number, primary_key=True),
    Column("key", Words, nullable=False),
    Column("out", Number, nullable=False),
    Column("at", Number, nullable=False),
    Column("reason", Words, nullable=False),
    Column("word", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("app_id", Words, nullable=False),
    Column("source", Words, nullable=False),
)
Index("history_by_key", history.c.key, history.c.source, unique=False)
# The bits of a filter over all keys that were on the list up to an entry of the history.
filters = Table(
    "filters",
    schema,
    Column("part", Number, primary_key=True, autoincrement=False),
    Column("parts", Number, nullable=False),
    Column("bits", LargeBinary, nullable=False),
    Column("sum", Number, nullable=False),
    Column("upto", Number, nullable=False),
)
# Texts that a person must read.
doubtful = Table(
    "doubtful",
    schema,
    Column("id", Number, primary_key=True),
    Column("keys", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("app_id", Words, nullable=False),
    Column("at", Number, nullable=False),
    Column("source", Words, nullable=False, unique=True),
)

# "SWSL" in the header.
FORMAT: Final = Format(
    noun="suppression list",
    schema=schema,
    application_id=0x5357534C,
    version=1,
    stranger="not a suppression list",
    corrupt="corrupt: restore it from a backup; until then nothing is sent by it",
    failure=BulkError,
)


def open_list(address: ListAddress, *, must_exist: bool = False) -> Storage:
    """Open the database of the list at *address*; raises BulkError."""
    if isinstance(address, Path):
        return Database(address, FORMAT, must_exist=must_exist)
    return _in_database(address, must_exist=must_exist)


def _in_database(address: ListURL, *, must_exist: bool) -> Storage:
    from sinch_wrapper._postgres import Failures, PostgresDatabase
    from sinch_wrapper.bulk import _register as register

    kind = register.Kind(FORMAT.noun, register.lists, "sinch_list", schema)
    number = register.registered(kind, address.database, address.name, must_exist=must_exist)
    found = select(register.lists.c.number).where(register.lists.c.number == number)

    def enter(connection: Connection) -> None:
        # Writers take turns.
        if connection.execute(found.with_for_update()).first() is None:
            raise BulkError(f"{kind.words(address.name)}: it was deleted from the database")

    failures = Failures(kind.words(address.name))
    where = address.database, kind.schema(address.name), address.name
    return PostgresDatabase(*where, failures, enter)
