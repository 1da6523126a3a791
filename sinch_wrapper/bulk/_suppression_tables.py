"""The tables of a suppression list."""

from typing import Final

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from sinch_wrapper._sqlite import Format
from sinch_wrapper.errors import BulkError

schema = MetaData()

# Twice per key at most: what the person said, and, *firm*, what was entered for them.
entries = Table(
    "entries",
    schema,
    Column("key", String, primary_key=True),
    Column("firm", Integer, primary_key=True, autoincrement=False),
    Column("out", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("reason", String, nullable=False),
    sqlite_with_rowid=False,
)
# What happened, for whoever must show it; what is imported at once is one row without a key.
history = Table(
    "history",
    schema,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False),
    Column("out", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("word", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("app_id", String, nullable=False),
    Column("source", String, nullable=False),
)
Index("history_by_key", history.c.key, history.c.source, unique=False)
# The bits of a filter over all keys that were on the list up to an entry of the history.
filters = Table(
    "filters",
    schema,
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("parts", Integer, nullable=False),
    Column("bits", LargeBinary, nullable=False),
    Column("sum", Integer, nullable=False),
    Column("upto", Integer, nullable=False),
)
# Texts that a person must read.
doubtful = Table(
    "doubtful",
    schema,
    Column("id", Integer, primary_key=True),
    Column("keys", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("channel", String, nullable=False),
    Column("app_id", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("source", String, nullable=False, unique=True),
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
