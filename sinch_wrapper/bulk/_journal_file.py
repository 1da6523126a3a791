"""The file of a journal: its format, and the lock of the one process that sends from it."""

from pathlib import Path
from typing import Final

from sinch_wrapper._sqlite import Database, FileLock, Format
from sinch_wrapper.bulk._schema import schema
from sinch_wrapper.errors import BulkError

# "SWBJ" in the header.
_FORMAT: Final = Format(
    noun="journal",
    schema=schema,
    application_id=0x5357424A,
    version=2,
    stranger="not a bulk job journal",
    corrupt="corrupt: restore it from a backup, and send nothing from this one",
    failure=BulkError,
    older={
        1: "written by version 0.1 of sinch-wrapper, whose requests this version could not look "
        "up: finish the job with sinch-wrapper 0.1"
    },
)


def open_storage(path: Path | None, *, must_exist: bool = False) -> Database:
    """Open the database of the journal at *path*, in memory for None; raises BulkError."""
    return Database(path, _FORMAT, must_exist=must_exist)


def journal_lock(path: Path | None) -> FileLock:
    """The lock of the journal at *path*, which is not taken yet; raises BulkError for a folder."""
    return FileLock(path, _FORMAT)


def sending_lock(path: Path | None, *, must_exist: bool = False) -> FileLock:
    """Take the lock of the journal at *path*.

    Raises: BulkError when another process has it, or a journal that *must_exist* does not.
    """
    if path is not None:
        _FORMAT.refuse(path, path.name or str(path), must_exist=must_exist)
    lock = journal_lock(path)
    if not lock.take():
        name = "" if path is None else path.name
        raise BulkError(
            f"journal {name}: another process is sending from it: wait for that one, or stop it"
        )
    return lock
