"""A PostgreSQL database: transactions in one schema, a lock of a session, and clear failures."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeAlias, cast

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Table,
    Transaction,
    create_engine,
    event,
    exc,
    text,
)
from sqlalchemy.pool import NullPool

from sinch_wrapper.errors import BulkError, ConfigurationError, DatabaseAwayError

if TYPE_CHECKING:
    import psycopg

_Isolation: TypeAlias = Literal["READ COMMITTED", "REPEATABLE READ"]

# How the server finds out that a client is gone, and the client that the server is: in 30 seconds.
# A process that was stopped in a transaction keeps others from writing no longer than that.
_ALIVE: Final = {
    "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}  # fmt: skip
# Not as options of the connection, which poolers refuse.
_SESSION: Final = (
    b"SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; "
    b"SET tcp_keepalives_count = 3; SET idle_in_transaction_session_timeout = 30000"
)
_CONNECT_SECONDS: Final = 10

# What to do about a database without our tables, or with those of an earlier version.
PREPARE: Final = "run `sinch-wrapper bulk init` with its address"

# By the beginning of SQLSTATE, the longest first.
# Source: PostgreSQL documentation, appendix A, error codes.
_WORDS: Final = (
    ("28", "the database refuses the user or password: check the address"),
    ("3D000", f"there is no such database: create it, then {PREPARE}"),
    ("3F000", f"not prepared for jobs: {PREPARE}"),
    ("42P01", f"not prepared for jobs: {PREPARE}"),
    ("42501", "the user of the database is not allowed to do that: grant it"),
    ("53100", "the disk of the database is full: make room, then go on"),
    ("XX001", "corrupt: restore it from a backup, and send nothing from this one"),
    ("XX002", "corrupt: restore it from a backup, and send nothing from this one"),
)
# A connection that was refused has no SQLSTATE, but words; in other languages it counts as away.
_REFUSALS: Final = (
    (re.compile(r'database ".*" does not exist'), "3D000"),
    (re.compile(r'role ".*" does not exist|authentication|password|pg_hba'), "28000"),
)
_AWAY: Final = ("08", "57P", "53300", "25P03")
_UNREACHABLE: Final = (
    "cannot be reached: check that the database runs, and its address; what was written is safe"
)
_MISSING: Final = "jobs in PostgreSQL need the extra cluster: pip install 'sinch-wrapper[cluster]'"


def engine_of(url: URL) -> Engine:
    """An engine for *url* whose connections notice within half a minute that they are dead.

    Raises: ConfigurationError without the driver.
    """
    try:
        engine = create_engine(
            url,
            # One connection each: who shares it takes turns anyway.
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={
                **_ALIVE,
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "sinch-wrapper",
            },
        )
    except ModuleNotFoundError:
        raise ConfigurationError(_MISSING) from None
    event.listen(engine, "connect", _begin_session)
    return engine


def _begin_session(connection: "psycopg.Connection", _record: object) -> None:
    connection.autocommit = True
    connection.execute(_SESSION)
    connection.autocommit = False


def is_away(error: BaseException) -> bool:
    """Whether *error* of the driver says that the server is gone, and so may come back."""
    state = _state_of(error)
    if state is None:
        # The driver itself lost the connection, or got none.
        return type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
    return state.startswith(_AWAY)


def _state_of(error: BaseException) -> str | None:
    """The SQLSTATE of *error*; None when the server did not say one."""
    state: str | None = getattr(error, "sqlstate", None)
    said = str(error)
    return state or next((state for sign, state in _REFUSALS if sign.search(said)), None)


class Failures:
    """Turns errors of the driver into one line: *what* failed, without what was read or written.

    A server that cannot be reached is a DatabaseAwayError, all else a BulkError.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def fail(self, error: BaseException) -> NoReturn:
        """Raise what *error*, of the driver or SQLAlchemy, means."""
        found: BulkError
        cause: BaseException = getattr(error, "orig", None) or error
        if is_away(cause):
            found = DatabaseAwayError(f"{self._what}: {_UNREACHABLE}")
        else:
            state = _state_of(cause) or type(cause).__name__
            words = next((words for sign, words in _WORDS if state.startswith(sign)), "")
            # What the server says may quote the values of a row.
            found = BulkError(f"{self._what}: {words or f'PostgreSQL reports error {state}'}")
        # Frames of SQLAlchemy contain the rows.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        try:
            raise found from None
        finally:
            found.__context__ = None
            del found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn every error of the database in the block into the one that it means."""
        try:
            yield
        except exc.SQLAlchemyError as error:
            self.fail(error)


class PostgresDatabase:
    """One connection to the tables in *schema* of the database at *url*; safe for threads.

    A connection that broke is opened again by the next transaction. *enter* is called at the
    beginning of each transaction that writes, and may wait or raise.
    """

    path: Path | None = None

    def __init__(
        self,
        url: URL,
        schema: str,
        name: str,
        failures: Failures,
        enter: Callable[[Connection], None],
    ) -> None:
        self.name = name
        self._schema = schema
        self._failures = failures
        self._enter = enter
        self._lock = threading.RLock()
        self._engine = engine_of(url).execution_options(schema_translate_map={None: schema})
        self._connection: Connection | None = None

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that reads one state of it all; keep it short."""
        return self._transaction("REPEATABLE READ", lambda _: None)

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is durable when the block ends; if it fails, none of it is."""
        return self._transaction("READ COMMITTED", self._enter)

    def insert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """Insert *rows* into *table*, all with the same columns, by COPY."""
        if rows:
            copy_in(connection, self._schema, table, rows)

    @contextmanager
    def _transaction(
        self, isolation: _Isolation, enter: Callable[[Connection], None]
    ) -> Iterator[Connection]:
        with self._lock, self._failures.watched():
            try:
                connection, transaction = self._begun(isolation, enter)
                with transaction:
                    yield connection
            except exc.DBAPIError as error:
                if _is_lost(error):
                    self._drop()
                raise

    def _begun(
        self, isolation: _Isolation, enter: Callable[[Connection], None]
    ) -> tuple[Connection, Transaction]:
        """A transaction that was entered; a connection that was cut meanwhile is opened again."""
        is_kept = self._connection is not None
        try:
            return self._entered(isolation, enter)
        except exc.DBAPIError as error:
            if not is_kept or not _is_lost(error):
                raise
            self._drop()
        return self._entered(isolation, enter)

    def _entered(
        self, isolation: _Isolation, enter: Callable[[Connection], None]
    ) -> tuple[Connection, Transaction]:
        connection = self._connected()
        connection.execution_options(isolation_level=isolation)
        transaction = connection.begin()
        try:
            enter(connection)
        except BaseException:
            transaction.rollback()
            raise
        return connection, transaction

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        elif self._connection.in_transaction():
            # An interrupt came right after its begin.
            self._connection.rollback()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(exc.SQLAlchemyError):
                self._connection.invalidate()
            with contextlib.suppress(exc.SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def check(self) -> None:
        """Do nothing: the server checks its pages itself."""

    def flush(self) -> None:
        """Do nothing: what is committed is on the disk of the server."""

    @property
    def is_current(self) -> bool:
        """Always true: a job that was deleted fails in its next transaction."""
        return True

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(exc.SQLAlchemyError):
                    self._connection.close()
                self._connection = None
            self._engine.dispose()


def _is_lost(error: exc.DBAPIError) -> bool:
    """Whether the connection is gone."""
    return error.connection_invalidated or is_away(error.orig or error)


def copy_in(
    connection: Connection, schema: str, table: Table, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert *rows* into *table* of *schema* by COPY in its binary form; raises DBAPIError."""
    quote, dialect = connection.dialect.identifier_preparer.quote, connection.dialect
    columns = [table.c[name] for name in rows[0]]
    names = ", ".join(quote(each.name) for each in columns)
    changes = [each.type.dialect_impl(dialect).bind_processor(dialect) for each in columns]
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    statement = f"COPY {quote(schema)}.{quote(table.name)} ({names}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types([_copied_as(each) for each in columns])
            for row in rows:
                values = zip(changes, row.values(), strict=True)
                copy.write_row([change(value) if change else value for change, value in values])
    except driver.Error as error:
        away = is_away(error)
        raise exc.DBAPIError(
            "COPY", None, error, hide_parameters=True, connection_invalidated=away
        ) from None


def _copied_as(column: Column[Any]) -> str:
    """The type of *column* on the wire; whole numbers must be BIGINT."""
    kind = column.type.python_type
    return {int: "int8", str: "text"}.get(kind, "bytea")


class SessionLock:
    """An advisory lock: held by one session at a time, and free when that session ends.

    It has the two *numbers*. It ends with the process, with the machine, and with the connection:
    `is_held` asks the server.
    """

    def __init__(self, url: URL, numbers: tuple[int, int], failures: Failures) -> None:
        self._engine = engine_of(url)
        self._numbers = {"kind": numbers[0], "number": numbers[1]}
        self._failures = failures
        self._connection: Connection | None = None
        self._guard = threading.Lock()

    def take(self) -> bool:
        """Take the lock unless this process has it; returns whether it has it now."""
        with self._guard, self._failures.watched():
            if self._connection is not None:
                return True
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                if connection.execute(_TRY, self._numbers).scalar_one():
                    self._connection = connection
            finally:
                if self._connection is None:
                    connection.close()
            return self._connection is not None

    @property
    def is_held(self) -> bool:
        """Whether the session that took it still lives."""
        with self._guard:
            if self._connection is None:
                return False
            try:
                self._connection.execute(text("SELECT 1"))
            except exc.SQLAlchemyError:
                return False
            return True

    def release(self) -> None:
        """Release the lock for another process; releasing twice is harmless."""
        with self._guard:
            if self._connection is not None:
                with contextlib.suppress(exc.SQLAlchemyError):
                    # A server notices the end of a session only after a while.
                    self._connection.execute(_RELEASE, self._numbers)
                with contextlib.suppress(exc.SQLAlchemyError):
                    self._connection.close()
                self._connection = None
                self._engine.dispose()


_TRY: Final = text("SELECT pg_try_advisory_lock(CAST(:kind AS integer), CAST(:number AS integer))")
_RELEASE: Final = text(
    "SELECT pg_advisory_unlock(CAST(:kind AS integer), CAST(:number AS integer))"
)
_HELD: Final = (
    "FROM pg_locks WHERE locktype = 'advisory' AND classid = :kind AND objid = :number "
    "AND objsubid = 2 AND granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)
_IS_FREE: Final = text(f"SELECT NOT EXISTS (SELECT {_HELD})")
_END_SESSION: Final = text(f"SELECT pg_terminate_backend(pid) {_HELD}")


def is_lock_free(connection: Connection, numbers: tuple[int, int]) -> bool:
    """Whether no session holds the lock with these *numbers*."""
    found = connection.execute(_IS_FREE, {"kind": numbers[0], "number": numbers[1]})
    return bool(found.scalar_one())


def end_session(connection: Connection, numbers: tuple[int, int]) -> None:
    """End the session that holds the lock with these *numbers*, if there is one."""
    connection.execute(_END_SESSION, {"kind": numbers[0], "number": numbers[1]})
