"""Any number of strings as one argument of a statement, in SQLite and in PostgreSQL."""

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, String, TableValuedAlias, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from sinch_wrapper.bulk._schema import storable


class _JsonStrings(FunctionElement[Any]):
    """The strings in a JSON array, a row each, in the column `value`."""

    name = "json_strings"
    inherit_cache = True


@compiles(_JsonStrings, "sqlite")
def _in_sqlite(element: _JsonStrings, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 (of SQLAlchemy)
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(_JsonStrings, "postgresql")
def _in_postgres(element: _JsonStrings, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 (of SQLAlchemy)
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **how)} AS json))"


_KEYS: Final[BindParameter[str]] = bindparam("keys", type_=String)

asked: Final[TableValuedAlias] = _JsonStrings(_KEYS).table_valued("value", name="asked")
"""The strings of the argument `keys`, as a table."""


def key_set(connection: Connection, keys: Iterable[str]) -> str:
    """The argument `keys` of a statement with `asked`."""
    if connection.dialect.name == "postgresql":
        keys = map(storable, keys)
    return json.dumps(list(keys))
