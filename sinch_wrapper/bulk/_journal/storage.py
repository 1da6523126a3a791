"""The SQLite file under a journal: opening, transactions, and failures in plain words."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy import Connection, create_engine, event, exc
from sqlalchemy.pool import StaticPool

from sinch_wrapper.bulk._journal import tables
from sinch_wrapper.errors import BulkError

__all__ = ["SendLock", "Storage"]

_BUSY_SECONDS: Final = 30.0
_WORDS: Final = (
    ("full", "the disk is full: make room, then go on with the job"),
    ("disk i/o", "it cannot be written or read, the disk may be full: make room, then go on"),
    ("readonly", "it is read-only: allow writing to the file and its folder"),
    ("malformed", "it is corrupt: restore it from a backup, and send nothing from it"),
    ("not a database", "it is no journal of a bulk job"),
    ("locked", "another process is using it: wait for that one to end"),
    ("unable to open", "it cannot be opened: check that its folder exists and is writable"),
)


def _fail(name: str, error: BaseException) -> NoReturn:
    said = str(error).lower()
    words = next((words for sign, words in _WORDS if sign in said), f"SQLite says: {said}")
    raise BulkError(f"journal {name}: {words}") from error


class Storage:
    """One connection to the file at *path*, or to a database in memory; safe for threads."""

    def __init__(self, path: Path | None, *, must_exist: bool = False) -> None:
        self.path = path
        self.name = "in memory" if path is None else path.name or str(path)
        if must_exist and path is not None and not path.exists():
            raise BulkError(f"journal {self.name}: there is no such file")
        self._lock = threading.RLock()
        self._begin = "BEGIN"
        url = "sqlite://" if path is None else f"sqlite:///{path}"
        self._engine = create_engine(
            url,
            poolclass=StaticPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
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
        if kind == tables.APPLICATION_ID and version == tables.VERSION:
            return
        if kind == tables.APPLICATION_ID:
            raise BulkError(f"journal {self.name}: written by another version of this library")
        if count:
            raise BulkError(f"journal {self.name}: it is no journal of a bulk job")
        with self.write() as connection:
            tables.schema.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {tables.APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {tables.VERSION}")

    def check(self) -> None:
        """Read through the file; raises BulkError when it is corrupt."""
        with self.read() as connection:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if said != "ok":
            _fail(self.name, ValueError("malformed"))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads; keep it short.

        Raises: BulkError.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends.

        Raises: BulkError; then nothing of it is on disk.
        """
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


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions begin when we say so, and how we say.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = FILE"):
        connection.execute(f"PRAGMA {pragma}")


class SendLock:
    """Held by the one process that sends from a journal; ends with the process, however it ends.

    A lock of SQLite on an empty file beside the journal: it works the same on every system.
    """

    def __init__(self, path: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if path is None:
            return
        beside = path.with_name(f"{path.name}.lock")
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(
                beside, timeout=0, isolation_level=None, check_same_thread=False
            )
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            if "locked" not in str(error):
                _fail(path.name, error)
            raise BulkError(
                f"journal {path.name}: another process is sending from it: wait, or stop that one"
            ) from error
        self._connection = connection

    def release(self) -> None:
        """Let others send; releasing twice is harmless."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
