"""The register of the jobs in a PostgreSQL database, and who leads each of them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateSchema

from sinch_wrapper._postgres import PREPARE, Failures, PostgresDatabase, SessionLock, engine_of
from sinch_wrapper.bulk._job_url import JobURL, database_url
from sinch_wrapper.bulk._schema import Number, schema
from sinch_wrapper.errors import BulkError

SHARED: Final = "sinch_wrapper"
"""The schema of what jobs share."""

shared = MetaData(schema=SHARED)

# Which version of the tables this is.
about = Table("about", shared, Column("version", Integer, primary_key=True))

# The jobs; each has a schema of its own with the tables of a journal.
jobs = Table(
    "jobs",
    shared,
    Column("number", Number, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    # The token of its leader: each new one raises it.
    Column("leader", BigInteger, nullable=False, server_default="0"),
    # Whether workers have it, so that nobody else may send from it.
    Column("given", Integer, nullable=False, server_default="0"),
)

VERSION: Final = 1
# What makes the tables of one version those of the next, by the earlier version.
_CHANGES: Final[Mapping[int, tuple[str, ...]]] = {}
# The suppression lists; each has a schema of its own, too.
lists = Table(
    "lists",
    shared,
    Column("number", Number, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)

# What the numbers of advisory locks are about.
_SETUP, JOB_LOCK, WORKER_LOCK = 0x5357_0000, 0x5357_0001, 0x5357_0002
_ALONE: Final = text("SELECT pg_advisory_xact_lock(CAST(:kind AS integer), 0)")
_LEADS: Final = select(jobs.c.leader).with_for_update()


@contextmanager
def connected(url: URL, what: str) -> Iterator[Connection]:
    """A transaction in the database at *url*; errors name *what*.

    Raises: BulkError, DatabaseAwayError when it cannot be reached.
    """
    with Failures(what).watched():
        engine = engine_of(url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()


def database_name(url: URL) -> str:
    """What errors call the database at *url*."""
    return f"database {url.database or ''}".rstrip()


def check_version(connection: Connection, what: str) -> None:
    """Raise BulkError when the tables are those of another version, or missing."""
    exists = connection.execute(text("SELECT to_regclass(:name)"), {"name": f"{SHARED}.about"})
    version = None
    if exists.scalar_one() is not None:
        version = connection.execute(select(about.c.version)).scalar_one_or_none()
    if version is None:
        raise BulkError(f"{what}: not prepared for jobs: {PREPARE}")
    if version < VERSION:
        raise BulkError(f"{what}: its tables are those of an earlier version: {PREPARE}")
    if version > VERSION:
        raise BulkError(
            f"{what}: its tables are those of a later version of this library: update sinch-wrapper"
        )


def prepare_database(address: str) -> bool:
    """Create in the database at *address* what jobs need, or bring it up to this version.

    Safe to call twice, and by several processes at once.

    Returns: whether there was anything to do.
    Raises: BulkError when it belongs to a later version of this library, DatabaseAwayError,
    BulkArgumentError for what is not the address of a database.
    """
    url = database_url(address)
    with connected(url, database_name(url)) as connection:
        return _prepared(connection, database_name(url))


def _prepared(connection: Connection, what: str) -> bool:
    connection.execute(_ALONE, {"kind": _SETUP})
    connection.execute(CreateSchema(SHARED, if_not_exists=True))
    # Of a version that this one does not know nothing is touched.
    shared.create_all(connection, [about])
    found = connection.execute(select(about.c.version)).scalar_one_or_none()
    if found is not None and found > VERSION:
        check_version(connection, what)
    shared.create_all(connection)
    if found is None:
        connection.execute(insert(about).values(version=VERSION))
    for version in range(found or VERSION, VERSION):
        for statement in _CHANGES[version]:
            connection.execute(text(statement))
        connection.execute(update(about).values(version=version + 1))
    return found != VERSION


@dataclass(frozen=True, slots=True)
class Kind:
    """What a database has many of: what errors call one, its register, and its own *tables*."""

    noun: str
    register: Table
    prefix: str
    tables: MetaData

    def words(self, name: str) -> str:
        """What errors call the one with this *name*."""
        return f"{self.noun} {name}"

    def schema(self, name: str) -> str:
        """The schema with the tables of the one with this *name*."""
        return f"{self.prefix}_{name}"

    def number(self, connection: Connection, name: str) -> int | None:
        """The number of the one with this *name*; None when there is none."""
        columns = self.register.c
        found = connection.execute(select(columns.number).where(columns.name == name))
        number: int | None = found.scalar_one_or_none()
        return number

    def existing(self, connection: Connection, name: str) -> int:
        """The number of the one with this *name*; raises BulkError when there is none."""
        number = self.number(connection, name)
        if number is None:
            raise BulkError(f"{self.words(name)}: the database has none of this name")
        return number

    def create(self, connection: Connection, name: str) -> int:
        """Create the one with this *name*, unless another process just did; returns its number."""
        connection.execute(_ALONE, {"kind": _SETUP})
        number = self.number(connection, name)
        if number is not None:
            return number
        connection.execute(CreateSchema(self.schema(name)))
        own = connection.execution_options(schema_translate_map={None: self.schema(name)})
        self.tables.create_all(own)
        created = insert(self.register).values(name=name).returning(self.register.c.number)
        return int(connection.execute(created).scalar_one())


JOB: Final = Kind("journal", jobs, "sinch_job", schema)


def registered(kind: Kind, database: URL, name: str, *, must_exist: bool) -> int:
    """The number of what has this *name*; it is created unless it *must_exist*.

    Raises: BulkError.
    """
    what = kind.words(name)
    with connected(database, what) as connection:
        check_version(connection, what)
        if must_exist:
            return kind.existing(connection, name)
        number = kind.number(connection, name)
        return kind.create(connection, name) if number is None else number


def exists(address: JobURL) -> bool:
    """Whether the database has the job at *address*."""
    what = JOB.words(address.name)
    with connected(address.database, what) as connection:
        check_version(connection, what)
        return JOB.number(connection, address.name) is not None


def is_given(connection: Connection, address: JobURL) -> bool:
    """Whether workers have the job at *address*."""
    given = select(jobs.c.given).where(jobs.c.name == address.name)
    return bool(connection.execute(given).scalar_one_or_none())


class LeaderLock:
    """The lock of the process that leads the job at *address*; *token* is what others fence it by.

    Each leader has a larger token than the one before. What writes with an earlier token fails.
    """

    def __init__(self, address: JobURL, *, must_exist: bool = False) -> None:
        self._address = address
        self.number = registered(JOB, address.database, address.name, must_exist=must_exist)
        failures = Failures(JOB.words(address.name))
        self._session = SessionLock(address.database, (JOB_LOCK, self.number), failures)
        self._guard = threading.Lock()
        self.token: int | None = None

    def take(self) -> bool:
        """Take the lock unless this process has it; returns whether it has it now."""
        with self._guard:
            if self.token is not None:
                return True
            if not self._session.take():
                return False
            try:
                self.token = self._raise_token()
            except BaseException:
                # Nobody else could lead as long as this process lives.
                self._session.release()
                raise
            return True

    def release(self) -> None:
        """Release the lock for another process; releasing twice is harmless."""
        with self._guard:
            self.token = None
            self._session.release()

    def _raise_token(self) -> int:
        raised = update(jobs).where(jobs.c.number == self.number).values(leader=jobs.c.leader + 1)
        with connected(self._address.database, JOB.words(self._address.name)) as connection:
            return int(connection.execute(raised.returning(jobs.c.leader)).scalar_one())


def open_job_database(
    address: JobURL, *, must_exist: bool = False, lock: LeaderLock | None = None
) -> PostgresDatabase:
    """The tables of the job at *address*; with *lock* only as long as it leads the job.

    Raises: BulkError here and in every transaction; DatabaseAwayError is one.
    """
    if lock is None:
        number = registered(JOB, address.database, address.name, must_exist=must_exist)
    else:
        number = lock.number
    # The one that it has now: after release() nothing may be written as a leader.
    enter = turns(number, address.name, None if lock is None else lock.token)
    failures = Failures(JOB.words(address.name))
    return PostgresDatabase(
        address.database, JOB.schema(address.name), address.name, failures, enter
    )


def turns(number: int, name: str, token: int | None) -> Callable[[Connection], None]:
    """What begins each transaction that writes into the job *name*, as its leader with *token*.

    It raises BulkError once another process leads.
    """
    query = _LEADS.where(jobs.c.number == number)

    def enter(connection: Connection) -> None:
        # The row is locked until the end of the transaction, so that writers take turns.
        leader = connection.execute(query).scalar_one_or_none()
        if leader is None:
            raise BulkError(f"journal {name}: the job was deleted from the database")
        if token is not None and leader != token:
            raise BulkError(
                f"journal {name}: another process leads this job by now: nothing more is sent from "
                "here"
            )

    return enter
