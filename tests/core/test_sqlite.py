"""Database files: their locks, their permissions, and what reaches a log or a traceback."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, create_engine, insert, select

from sinch_wrapper import text
from sinch_wrapper._sqlite import Database, FileLock, Format
from sinch_wrapper._sqlite_statements import COMPILED
from sinch_wrapper.bulk._journal_file import open_storage
from sinch_wrapper.callbacks import EventStore
from sinch_wrapper.callbacks._records import Arrival
from sinch_wrapper.errors import SinchError
from tests.helpers.bulk import APP, FakeBatchApi
from tests.helpers.callbacks import make_event
from tests.helpers.core import SyncFlavour
from tests.helpers.planted import PHONE, TEXT, leaks, printed

SCHEMA = MetaData()
NOTES = Table("notes", SCHEMA, Column("phone", String, primary_key=True), Column("b", LargeBinary))
FORMAT = Format("notebook", SCHEMA, 77, 1, "no notebook", "corrupt", SinchError)

KINDS: dict[str, Callable[[Path], object]] = {"journal": open_storage, "store": EventStore}
# Opens and closes the file as any other program may: the last one to close it removes its log.
VISIT = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute({!r}); c.commit(); c.close()"
)


def visit(path: Path, statement: str = "SELECT count(*) FROM sqlite_master") -> None:
    """Open the file in another process, execute *statement*, close it."""
    subprocess.run([sys.executable, "-c", VISIT.format(statement), str(path)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="its locks belong to handles")
@pytest.mark.parametrize("kind", KINDS)
def test_opening_a_file_twice_keeps_its_locks(tmp_path: Path, kind: str) -> None:
    """Another process still sees that the file is in use, so it leaves the write-ahead log."""
    path = tmp_path / "one.db"
    held = [KINDS[kind](path)]
    held += [KINDS[kind](path) for _ in range(3)]
    log = Path(f"{path}-wal")
    before = log.stat().st_ino
    visit(path)
    assert before == log.stat().st_ino
    assert len(held) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="its locks belong to handles")
def test_what_is_written_after_a_second_opening_is_seen_elsewhere(tmp_path: Path) -> None:
    """A second opening, a visit by another process and a write: a third process reads it."""
    path = tmp_path / "notes.db"
    first, second = Database(path, FORMAT), Database(path, FORMAT)
    visit(path)
    with first.write() as connection:
        connection.execute(insert(NOTES).values(phone=PHONE))
    visit(path, "INSERT INTO notes SELECT phone || 'x', NULL FROM notes")
    with second.read() as connection:
        assert {PHONE, f"{PHONE}x"} == set(connection.execute(select(NOTES.c.phone)).scalars())
    second.close()
    first.close()


def test_what_one_database_has_compiled_serves_all_others(tmp_path: Path) -> None:
    """A second one, opened and closed on its own, compiles none of the same statements."""
    sizes = []
    for number in range(2):
        database = Database(tmp_path / f"{number}.db", FORMAT)
        with database.write() as connection:
            connection.execute(insert(NOTES).values(phone=PHONE))
            assert [PHONE] == list(connection.execute(select(NOTES.c.phone)).scalars())
        database.close()
        sizes.append(len(COMPILED))
    assert sizes[0] == sizes[1] > 0


def mode_of(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> object:
    """A process whose new files everybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.skipif(sys.platform == "win32", reason="it has other permissions")
@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("kind", ["new", "empty", "link to nothing", "link to empty"])
def test_new_and_empty_files_belong_to_their_owner(tmp_path: Path, kind: str) -> None:
    """So do the files beside it, and the lock; a link leads to a file of the same kind."""
    path, real = tmp_path / "notes.db", tmp_path / "notes.db"
    if kind.startswith("link"):
        real = tmp_path / "real.db"
        path.symlink_to(real)
    if kind.endswith("empty"):
        real.touch()
    lock = FileLock(path, FORMAT)
    assert lock.take()
    database = Database(path, FORMAT)
    beside = [Path(f"{real}{end}") for end in ("", "-wal", "-shm", ".lock")]
    assert [0o600] * 4 == [mode_of(one) for one in beside]
    database.close()
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="it has other permissions")
def test_lock_file_of_an_earlier_version_is_tightened(tmp_path: Path) -> None:
    """Whoever may read a lock file can hold it, and so stop a job."""
    beside = tmp_path / "notes.db.lock"
    beside.touch()
    beside.chmod(0o644)
    lock = FileLock(tmp_path / "notes.db", FORMAT)
    assert (True, 0o600) == (lock.take(), mode_of(beside))
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="it has other permissions")
def test_permissions_of_a_file_in_use_are_the_users(tmp_path: Path) -> None:
    """A database that somebody opened to a group stays so; that of another program, too."""
    path = tmp_path / "notes.db"
    Database(path, FORMAT).close()
    path.chmod(0o640)
    Database(path, FORMAT).close()
    other = tmp_path / "other.db"
    other.write_bytes(b"no database" * 100)
    other.chmod(0o644)
    with pytest.raises(SinchError, match="no notebook"):
        Database(other, FORMAT)
    assert (0o640, 0o644) == (mode_of(path), mode_of(other))


def log_lines(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged."""
    return "\n".join(record.getMessage() for record in caplog.records)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every logger at level 1, those of SQLAlchemy by name."""
    for name in (None, "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.engine.Engine"):
        caplog.set_level(1, logger=name)
    return caplog


def test_rows_and_parameters_reach_no_log(
    tmp_path: Path, everything_logged: pytest.LogCaptureFixture
) -> None:
    """With everything logged there are statements, but neither rows nor parameters."""
    database = Database(tmp_path / "notes.db", FORMAT)
    rows = [{"phone": f"{PHONE}{n}", "b": TEXT.encode()} for n in range(3)]
    with database.write() as connection:
        connection.execute(insert(NOTES), rows)
        connection.execute(insert(NOTES).values(phone=PHONE).returning(NOTES.c.phone)).all()
    with database.read() as connection:
        assert 4 == len(connection.execute(select(NOTES)).all())
    database.close()
    assert "SELECT notes.phone" in log_lines(everything_logged)
    assert leaks(log_lines(everything_logged)) == []


def test_store_and_journal_reach_no_log(
    tmp_path: Path, everything_logged: pytest.LogCaptureFixture
) -> None:
    """A stored callback and a bulk job, written and read with everything logged, stay unseen."""
    store = EventStore(tmp_path / "store.db")
    store.commit([Arrival(make_event("message", {"id": PHONE, "text": TEXT}), 1.0, ("a",))], [])
    assert [PHONE] == [event.payload["id"] for event in store.events()]
    store.close()
    with SyncFlavour().client(FakeBatchApi()) as sinch:
        people = [{"phone": PHONE, "name": TEXT}]
        message = text(f"{TEXT} ${{name}}")
        report = sinch.bulk.send(
            recipients=people,
            app_id=APP,
            message=message,
            job=tmp_path / "job.db",
        )
        assert [1] == [report.accepted]
        list(sinch.bulk.report(tmp_path / "job.db").recipients())
    assert "INSERT INTO" in log_lines(everything_logged)
    assert leaks(log_lines(everything_logged)) == []


def test_engines_of_others_log_as_they_are_told(
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    """Our filter concerns our engines alone."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        SCHEMA.create_all(connection)
        connection.execute(insert(NOTES).values(phone=PHONE))
        connection.execute(select(NOTES)).all()
    engine.dispose()
    assert any("Row" in line for line in leaks(log_lines(everything_logged)))


def test_failing_write_shows_no_row(tmp_path: Path) -> None:
    """The frames of SQLAlchemy, whose locals are the row, are no part of the failure."""
    database = Database(tmp_path / "notes.db", FORMAT)
    twice = [{"phone": PHONE, "b": TEXT.encode()}] * 2
    with pytest.raises(SinchError) as caught, database.write() as connection:
        connection.execute(insert(NOTES), twice)
    database.close()
    assert leaks(printed(caught.value)) == []
    assert isinstance(caught.value.__cause__, sqlite3.Error)
