"""A database in a file: opening it, durable transactions, and failures in plain words."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event, exc
from sqlalchemy.pool import StaticPool

from sinch_wrapper._sqlite.format import CORRUPT, Format

__all__ = ["Database"]


class Database:
    """One connection to the file at *path*, or to a database in memory; safe for threads.

    WAL and `synchronous=FULL`: what is committed survives a crash of the machine. The files hold
    personal data, so a new one can be read by its owner alone. *busy* is how many seconds to wait
    for another process that is writing.

    Raises: the failure of *format*, here and in every method.
    """

    def __init__(
        self, path: Path | None, format_: Format, *, must_exist: bool = False, busy: float = 30.0
    ) -> None:
        self.name = "in memory" if path is None else path.name or str(path)
        # Whoever changes the working directory later means the same file.
        self.path = path = None if path is None else path.absolute()
        self.format = format_
        if path is not None:
            format_.refuse(path, self.name, must_exist=must_exist)
        self._lock = threading.RLock()
        self._begin = "BEGIN"
        _make_private(path)
        self._engine = create_engine(
            # Not as a text, in which ? and % mean something.
            URL.create("sqlite", database=None if path is None else str(path)),
            poolclass=StaticPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": busy},
        )
        event.listen(self._engine, "connect", self._prepare)
        event.listen(self._engine, "begin", self._start)
        try:
            self._found()
        except BaseException:
            self.close()
            raise
        self._file = _file_at(path)

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        # Transactions begin when we say so, and how we say.
        connection.isolation_level = None
        (kind,) = connection.execute("PRAGMA application_id").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # The file of another program stays as it is.
        if kind == self.format.application_id or not count:
            connection.execute("PRAGMA journal_mode = WAL")
        for pragma in ("synchronous = FULL", "temp_store = FILE"):
            connection.execute(f"PRAGMA {pragma}")

    def _start(self, connection: Connection) -> None:
        connection.exec_driver_sql(self._begin)

    def _found(self) -> None:
        wanted = self.format
        with self.read() as connection:
            kind = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            count = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        if (kind, version) == (wanted.application_id, wanted.version):
            return
        what = f"{wanted.noun} {self.name}"
        if kind == wanted.application_id:
            raise wanted.failure(f"{what}: written by another version of this library")
        if count:
            raise wanted.failure(f"{what}: {wanted.stranger}")
        with self.write() as connection:
            wanted.schema.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {wanted.application_id}")
            connection.exec_driver_sql(f"PRAGMA user_version = {wanted.version}")

    def check(self) -> None:
        """Read through the file, and fail when it is corrupt."""
        with self.read() as connection:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if said != "ok":
            self.format.fail(self.name, ValueError(CORRUPT))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads; keep it short."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends; when it fails nothing of it is."""
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
                self.format.fail(self.name, error.orig or error)
            except sqlite3.Error as error:
                self.format.fail(self.name, error)

    def flush(self) -> None:
        """Bring what is committed from the write-ahead log into the file itself.

        It was durable before; but a file that is moved or copied may leave its log behind. What
        another process is reading at the moment comes with a later call.
        """
        with self._lock:
            raw = self._engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()
            except sqlite3.Error as error:
                self.format.fail(self.name, error)
            finally:
                raw.close()

    @property
    def is_current(self) -> bool:
        """Whether its path still leads to this file, and not to another one or to none."""
        return _file_at(self.path) == self._file

    def close(self) -> None:
        """Close the connection; what is in memory is gone then."""
        self._engine.dispose()


def _make_private(path: Path | None) -> None:
    if path is not None:
        # SQLite finds the same obstacle, and says it.
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))


def _file_at(path: Path | None) -> tuple[int, int] | None:
    if path is not None:
        with contextlib.suppress(OSError):
            found = path.stat()
            return found.st_dev, found.st_ino
    return None
