"""A SQLite database in a file: opening, durable transactions, a lock, and clear failures."""

import contextlib
import logging
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, cast

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    Row,
    Table,
    create_engine,
    event,
    exc,
    insert,
)
from sqlalchemy.pool import StaticPool

from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._sqlite_statements import COMPILED, DRIVER, statements_for
from sinch_wrapper.errors import SinchError

RowT = TypeVar("RowT", bound=Row[Any])

_WORDS: Final = (
    ("full", "the disk is full: make room, then go on"),
    ("disk i/o", "cannot be read or written; the disk may be full: make room, then go on"),
    ("readonly", "read-only: allow writing to the file and its folder"),
    ("not a database", ""),
    ("locked", "in use by another process: wait for that one to end"),
    ("unable to open", "cannot be opened: check that its folder exists and is writable"),
)
# What SQLite says about a damaged file.
CORRUPT: Final = "malformed"

# And about one whose pages are sound, but of another table. The last quotes what it read.
_DAMAGE: Final = (
    CORRUPT,
    "no such table",
    "no such column",
    "no row was found",
    "could not decode",
)

_LOGGING_NAME: Final = "sinch_wrapper"


def _without_rows(record: logging.LogRecord) -> bool:
    """Whether *record* is above DEBUG, at which SQLAlchemy logs the rows that it reads."""
    return record.levelno > logging.DEBUG


# The logger of our engines alone: those of other programs are left alone.
logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").addFilter(_without_rows)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of database file: what it is called, contains, and fails with.

    *application_id* and *version* are in the header of the file. *stranger* is the message for a
    file of another kind, *corrupt* for a damaged one, *older* for one of an earlier version.
    """

    noun: str
    schema: MetaData
    application_id: int
    version: int
    stranger: str
    corrupt: str
    failure: type[SinchError]
    older: Mapping[int, str] = field(default_factory=dict)

    def refuse(self, path: Path, name: str, *, must_exist: bool) -> None:
        """Raise the *failure* when *path* is a folder, or is missing although it *must_exist*."""
        # Unlike Path.exists(), these do not raise for a name that no system accepts.
        if must_exist and not os.path.exists(path):  # noqa: PTH110 (see above)
            raise self.failure(f"{self.noun} {name}: there is no such file")
        if os.path.isdir(path):  # noqa: PTH112 (see above)
            raise self.failure(f"{self.noun} {name}: this is a folder; name a file in it")

    def fail(self, name: str, error: BaseException) -> NoReturn:
        """Raise the *failure* of the file *name* for an error of SQLite."""
        said = str(error).lower()
        if any(sign in said for sign in _DAMAGE):
            words = self.corrupt
        else:
            words = next((words for sign, words in _WORDS if sign in said), f"SQLite says: {said}")
        failure = self.failure(f"{self.noun} {name}: {words or self.stranger}")
        # The frames of SQLAlchemy contain the rows, and its own exception the parameters.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        try:
            raise failure from error
        finally:
            failure.__context__ = None
            del failure


class Database:
    """One connection to the file at *path*, or to a database in memory; safe for threads.

    WAL and `synchronous=FULL`: a committed transaction survives a crash of the machine. The files
    contain personal data, so only its owner can read a new or empty one. *busy* is how many seconds
    to wait for another process that is writing.

    Raises: the failure of *format*, here and in every method.
    """

    def __init__(
        self, path: Path | None, format_: Format, *, must_exist: bool = False, busy: float = 30.0
    ) -> None:
        self.name = "in memory" if path is None else path.name or str(path)
        # Absolute, because the program may change its working directory later.
        self.path = path = None if path is None else path.absolute()
        self.format = format_
        self._lock = threading.RLock()
        if path is not None:
            format_.refuse(path, self.name, must_exist=must_exist)
            _private_files.make(path)
        self._engine = self._made_engine(busy)
        # Kept: taking one from the pool costs more than a short transaction.
        self._connection: Connection | None = None
        self._is_used = False
        try:
            self._found()
        except BaseException:
            self.close()
            raise
        self._file, self._size = _file_at(path)

    def _made_engine(self, busy: float) -> Engine:
        engine = create_engine(
            # Not a string, in which ? and % have a meaning.
            URL.create(DRIVER, database=None if self.path is None else str(self.path)),
            poolclass=StaticPool,
            logging_name=_LOGGING_NAME,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": busy},
        )
        event.listen(engine, "connect", self._prepare)
        return engine.execution_options(compiled_cache=COMPILED)

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        # _transaction() begins the transactions, not the driver.
        connection.isolation_level = None
        (kind,) = connection.execute("PRAGMA application_id").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # A file of another program is not changed.
        if kind == self.format.application_id or not count:
            connection.execute("PRAGMA journal_mode = WAL")
        for pragma in ("synchronous = FULL", "temp_store = FILE"):
            connection.execute(f"PRAGMA {pragma}")

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
            words = wanted.older.get(version, "written by another version of this library")
            raise wanted.failure(f"{what}: {words}")
        if count:
            raise wanted.failure(f"{what}: {wanted.stranger}")
        with self.write() as connection:
            for statement in statements_for(wanted.schema):
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA application_id = {wanted.application_id}")
            connection.exec_driver_sql(f"PRAGMA user_version = {wanted.version}")

    def check(self) -> None:
        """Read the whole file, and fail when it is corrupt."""
        with self.read() as connection:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if said != "ok":
            self.format.fail(self.name, ValueError(CORRUPT))

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that reads; keep it short."""
        return self._transaction("BEGIN")

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is on disk when the block ends; if it fails, none of it is."""
        return self._transaction("BEGIN IMMEDIATE")

    def insert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """Insert *rows* into *table*, all with the same columns."""
        if rows:
            connection.execute(insert(table), rows)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        try:
            with self._lock:
                connection = self._connected()
                with connection.begin():
                    self._is_used = True
                    try:
                        _driver(connection).execute(begin)
                        yield connection
                    finally:
                        self._is_used = False
        except exc.DBAPIError as error:
            self.format.fail(self.name, error.orig or error)
        except exc.NoResultFound as error:
            self.format.fail(self.name, error)
        except sqlite3.Error as error:
            self.format.fail(self.name, error)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        elif self._connection.in_transaction() and not self._is_used:
            # An interrupt came right after its begin.
            self._connection.rollback()
        return self._connection

    def flush(self) -> None:
        """Copy committed transactions from the write-ahead log into the file itself.

        They were durable before, but a file that is moved or copied may leave its log behind. The
        pages that another process is reading at the moment follow with a later call.
        """
        with self._lock:
            try:
                _driver(self._connected()).execute("PRAGMA wal_checkpoint(PASSIVE)").close()
            except exc.DBAPIError as error:
                self.format.fail(self.name, error.orig or error)
            except sqlite3.Error as error:
                self.format.fail(self.name, error)

    @property
    def is_current(self) -> bool:
        """Whether its path still names this file, not cut off, and not another one or none."""
        file, size = _file_at(self.path)
        is_whole, self._size = size >= self._size, max(size, self._size)
        return file == self._file and is_whole

    def close(self) -> None:
        """Close the connection; a database in memory is then lost."""
        # Under the lock: closing while another thread executes crashes the interpreter.
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._engine.dispose()


def _driver(connection: Connection) -> sqlite3.Connection:
    """The connection of the driver below *connection*."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def ascending(rows: Sequence[RowT], after: int) -> Sequence[RowT]:
    """*rows*, whose ids must grow from *after* on; ValueError when damage makes a page come again.

    Who reads page by page would never come to the end.
    """
    for row in rows:
        if not isinstance(row.id, int) or row.id <= after:
            raise ValueError(CORRUPT)
        after = row.id
    return rows


class _PrivateFiles:
    """Makes database files that only their owner can read.

    A file that exists is never opened and closed: that would drop all locks that this process
    holds on it, and so those of SQLite, while it is in use (fcntl(2), "Advisory record locking").
    The guard keeps a thread from opening a file between the two steps of making it.
    """

    def __init__(self) -> None:
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Forget the guard, which a thread of the parent may have held."""
        self._guard = threading.Lock()

    def make(self, path: Path) -> None:
        """Create the file at *path*, or tighten the one that exists and is empty."""
        # Where a link leads, for O_EXCL does not follow it.
        real = os.path.realpath(path)
        # SQLite meets the same obstacles, and reports them.
        with self._guard, contextlib.suppress(OSError):
            try:
                os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600))
            except FileExistsError:
                found = os.lstat(real)
                if stat.S_ISREG(found.st_mode) and not found.st_size:
                    os.chmod(real, found.st_mode & 0o600)  # noqa: PTH101 (a string)


_private_files: Final = _PrivateFiles()


def _file_at(path: Path | None) -> tuple[tuple[int, int] | None, int]:
    """What tells the file at *path* from all others, and its size; our files never shrink."""
    if path is not None:
        with contextlib.suppress(OSError):
            found = path.stat()
            return (found.st_dev, found.st_ino), found.st_size
    return None, 0


class FileLock:
    """Held by one process at a time; it ends with the process, however that ends.

    A lock of SQLite on an empty file beside *path* (beside the file itself, when *path* is a link):
    it works the same on every system. Only its owner can open it: a reader could hold it, too. A
    database in memory needs none.

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
        """Take the lock unless this process has it; returns whether it has it now."""
        with self._guard:
            if self._path is None or self._connection is not None:
                return True
            _private_files.make(self._path)
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
        """Release the lock for another process; releasing twice is harmless."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
