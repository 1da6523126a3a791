"""Statements for SQLite are compiled once for all databases of a process, not again for each.

SQLAlchemy keeps what it has compiled for each engine, and each database has one: compiling the same
fifty statements was a third of what a small job takes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import MetaData
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.util import LRUCache

DRIVER: Final = "sqlite+sinch_wrapper"
"""The name of the dialect in an address."""

# As many as an engine keeps; keys hold the dialect, too.
COMPILED: Final = LRUCache[Any, Any](500)
"""What was compiled, for the option `compiled_cache` of each engine."""


class SharedDialect(SQLiteDialect_pysqlite):
    """That of SQLAlchemy; all of them are equal, so that they find what others have compiled."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedDialect)

    def __hash__(self) -> int:
        return hash(SharedDialect)


registry.register("sqlite.sinch_wrapper", __name__, SharedDialect.__name__)


@cache
def statements_for(schema: MetaData) -> Sequence[str]:
    """What makes the tables of *schema*, unless another process has made them by now."""
    dialect, found = SharedDialect(), list[str]()
    for table in schema.sorted_tables:
        found.append(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
        indexes = (CreateIndex(each, if_not_exists=True) for each in table.indexes)
        found += [str(each.compile(dialect=dialect)) for each in indexes]
    return found
