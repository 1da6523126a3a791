"""The SQLite file under a store: opening, transactions, and failures in plain words."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy import Connection, create_engine, event, exc
from sqlalchemy.pool import StaticPool

from sinch_wrapper.callbacks import tables
from sinch_wrapper.errors import CallbackError

__all__ = ["Database", "Lead"]

_WORDS: Final = (
    ("full", "the disk is full: make room"),
    ("readonly", "it is read-only: allow writing to the file and its folder"),
    ("malformed", "it is corrupt: move it away, a new one will be made"),
    ("not a database", "it is no store of callbacks"),
    ("locked", "another process is using it: wait for that one to end"),
    ("unable to open", "it cannot be opened: check that its folder exists and is writable"),
)


def _fail(name: str, error: BaseException) -> NoReturn:
    said = str(error).lower()
    words = next((words for sign, words in _WORDS if sign in said), f"SQLite says: {said}")
    raise CallbackError(f"callback store {name}: {words}") from error


class Database:
    """One connection to the file at *path*, or to a database in memory; safe for threads.

    Callbacks are personal data, so a new file can be read by its owner alone. *busy* is how many
    seconds to wait for another process that is writing.
    """

    def __init__(self, path: Path | None, *, must_exist: bool, busy: float) -> None:
        self.name = "in memory" if path is None else path.name
        if must_exist and path is not None and not path.exists():
            raise CallbackError(f"callback store {self.name}: there is no such file")
        self._lock = threading.RLock()
        self._begin = "BEGIN"
        if path is not None:
            _make_private(path)
        self._engine = create_engine(
            "sqlite://" if path is None else f"sqlite:///{path}",
            poolclass=StaticPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": busy},
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", self._start)
        try:
            self._found()
        except BaseException:
            self.close()
            raise

    def _start(self, connection: Connection) -> None:
        connection.exec_driver_sql(self._begin)

    def _found(self) -> None:
        with self.read() as connection:
            kind = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            count = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        if (kind, version) == (tables.APPLICATION_ID, tables.VERSION):
            return
        if kind == tables.APPLICATION_ID:
            raise CallbackError(
                f"callback store {self.name}: written by another version of this library"
            )
        if count:
            raise CallbackError(f"callback store {self.name}: it is no store of callbacks")
        with self.write() as connection:
            tables.schema.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {tables.APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {tables.VERSION}")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads; raises CallbackError."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends; raises CallbackError."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with self._lock:
            self._begin = begin
            try:
                with self._engine.begin() as connection:
                    yield connection
            except exc.DBAPIError as error:
                _fail(self.name, error.orig or error)
            except sqlite3.Error as error:
                _fail(self.name, error)

    def close(self) -> None:
        """Close the connection; what is in memory is gone then."""
        self._engine.dispose()


def _make_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CallbackError(f"callback store {path.name}: cannot open it: {reason}") from error


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions begin when we say so, and how we say.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = FILE"):
        connection.execute(f"PRAGMA {pragma}")


class Lead:
    """Held by the one process that runs the handlers; ends with the process, however it ends.

    A lock of SQLite on an empty file beside the store: it works the same on every system.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = None if path is None else path.with_name(f"{path.name}.lock")
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether this process has it, if need be from now on."""
        with self._lock:
            if self._path is None or self._connection is not None:
                return True
            try:
                connection = sqlite3.connect(
                    self._path, timeout=0, isolation_level=None, check_same_thread=False
                )
            except sqlite3.Error as error:
                _fail(self._path.name, error)
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                connection.close()
                if "locked" not in str(error):
                    _fail(self._path.name, error)
                return False
            self._connection = connection
            return True

    def release(self) -> None:
        """Let another process have it."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
