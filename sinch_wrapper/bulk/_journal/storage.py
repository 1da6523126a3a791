"""The file under a journal, and the lock of the process that sends from it."""

from pathlib import Path
from typing import Final

from sinch_wrapper._sqlite.database import Database
from sinch_wrapper._sqlite.format import Format
from sinch_wrapper._sqlite.lock import FileLock
from sinch_wrapper.bulk._journal.tables import schema
from sinch_wrapper.errors import BulkError

__all__ = ["open_storage", "sending_lock"]

# "SWBJ" in the header.
_FORMAT: Final = Format(
    noun="journal",
    schema=schema,
    application_id=0x5357424A,
    version=1,
    stranger="it is no journal of a bulk job",
    corrupt="it is corrupt: restore it from a backup, and send nothing from it",
    failure=BulkError,
)


def open_storage(path: Path | None, *, must_exist: bool = False) -> Database:
    """Open the journal at *path*, in memory for None; raises BulkError."""
    return Database(path, _FORMAT, must_exist=must_exist)


def sending_lock(path: Path | None, *, must_exist: bool = False) -> FileLock:
    """Take the lock of the journal at *path*.

    Raises: BulkError when another process has it, or there is no journal that *must_exist*.
    """
    if path is not None:
        _FORMAT.refuse(path, path.name or str(path), must_exist=must_exist)
    lock = FileLock(path, _FORMAT)
    if not lock.take():
        name = "" if path is None else path.name
        raise BulkError(
            f"journal {name}: another process is sending from it: wait, or stop that one"
        )
    return lock
