"""A database in a file: opening it, durable transactions, and failures in plain words."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy import URL, Connection, MetaData, create_engine, event, exc
from sqlalchemy.pool import StaticPool

from sinch_wrapper.errors import SinchError

_WORDS: Final = (
    ("full", "the disk is full: make room, then go on"),
    ("disk i/o", "it cannot be written or read, the disk may be full: make room, then go on"),
    ("readonly", "it is read-only: allow writing to the file and its folder"),
    ("not a database", ""),
    ("locked", "another process is using it: wait for that one to end"),
    ("unable to open", "it cannot be opened: check that its folder exists and is writable"),
)
# What SQLite says of a file that is damaged.
CORRUPT: Final = "malformed"


@dataclass(frozen=True, slots=True)
class Format:
    """What a kind of file is called, holds, and fails with.

    *application_id* and *version* are in the header of the file. *stranger* is what is said of
    another file, *corrupt* of a damaged one.
    """

    noun: str
    schema: MetaData
    application_id: int
    version: int
    stranger: str
    corrupt: str
    failure: type[SinchError]

    def refuse(self, path: Path, name: str, *, must_exist: bool) -> None:
        """Raise the *failure* where *path* is a folder, or nothing although it *must_exist*."""
        # Other than Path.exists(), a name that no system would take is just not there.
        if must_exist and not os.path.exists(path):  # noqa: PTH110 (as said)
            raise self.failure(f"{self.noun} {name}: there is no such file")
        if os.path.isdir(path):  # noqa: PTH112 (as said)
            raise self.failure(f"{self.noun} {name}: it is a folder: name a file in it")

    def fail(self, name: str, error: BaseException) -> NoReturn:
        """Raise the *failure* of the file *name* for an error of SQLite."""
        said = str(error).lower()
        if CORRUPT in said:
            words = self.corrupt
        else:
            words = next((words for sign, words in _WORDS if sign in said), f"SQLite says: {said}")
        raise self.failure(f"{self.noun} {name}: {words or self.stranger}") from error


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


class FileLock:
    """Held by one process at a time; ends with the process, however it ends.

    A lock of SQLite on an empty file beside *path*, wherever links to it lie: it works the same on
    every system. What is in memory needs none.

    Raises: the failure of *format*, here and in take().
    """

    def __init__(self, path: Path | None, format_: Format) -> None:
        self._path: Path | None = None
        self._name = ""
        if path is not None:
            self._name = path.name or str(path)
            format_.refuse(path, self._name, must_exist=False)
            self._path = Path(f"{os.path.realpath(path)}.lock")
        self._format = format_
        self._connection: sqlite3.Connection | None = None
        self._guard = threading.Lock()

    def take(self) -> bool:
        """Whether this process has it, if need be from now on."""
        with self._guard:
            if self._path is None or self._connection is not None:
                return True
            try:
                connection = sqlite3.connect(
                    self._path, timeout=0, isolation_level=None, check_same_thread=False
                )
            except sqlite3.Error as error:
                self._format.fail(self._name, error)
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                connection.close()
                if "locked" not in str(error):
                    self._format.fail(self._name, error)
                return False
            self._connection = connection
            return True

    def release(self) -> None:
        """Let another process have it; releasing twice is harmless."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
