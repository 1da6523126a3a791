"""Where a journal is kept: its file or database, and the lock of the process that sends from it."""

import os
from typing import TYPE_CHECKING, Final

from sinch_wrapper._sqlite import Database, FileLock, Format
from sinch_wrapper._storage import ProcessLock, Storage
from sinch_wrapper.bulk._job_url import JobAddress, JobURL
from sinch_wrapper.bulk._schema import schema
from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.bulk._register import LeaderLock

# "SWBJ" in the header.
APPLICATION: Final = 0x5357424A
_FORMAT: Final = Format(
    noun="journal",
    schema=schema,
    application_id=APPLICATION,
    version=2,
    stranger="not a bulk job journal",
    corrupt="corrupt: restore it from a backup, and send nothing from this one",
    failure=BulkError,
    older={
        1: "written by version 0.1 of sinch-wrapper, whose requests this version could not look "
        "up: finish the job with sinch-wrapper 0.1"
    },
)


class JobBusyError(BulkError):
    """Another process sends from the journal."""


def open_storage(
    address: JobAddress | None, *, must_exist: bool = False, lock: ProcessLock | None = None
) -> Storage:
    """Open the database of the journal at *address*, in memory for None; raises BulkError.

    With *lock*, what sending_lock() returned, it is that of the process that sends.
    """
    if isinstance(address, JobURL):
        from sinch_wrapper.bulk import _register

        return _register.open_job_database(address, must_exist=must_exist, lock=_leading(lock))
    return Database(address, _FORMAT, must_exist=must_exist)


def exists(address: JobAddress) -> bool:
    """Whether there is a journal at *address*; raises BulkError when nobody can tell."""
    if isinstance(address, JobURL):
        from sinch_wrapper.bulk import _register

        return _register.exists(address)
    # False for a name that no system would take, unlike Path.exists().
    return os.path.exists(address)  # noqa: PTH110 (see above)


def _leading(lock: ProcessLock | None) -> "LeaderLock | None":
    from sinch_wrapper.bulk._register import LeaderLock

    return lock if isinstance(lock, LeaderLock) else None


def journal_lock(address: JobAddress | None, *, must_exist: bool = False) -> ProcessLock:
    """The lock of the journal at *address*, which is not taken yet; raises BulkError."""
    if isinstance(address, JobURL):
        from sinch_wrapper.bulk import _register

        return _register.LeaderLock(address, must_exist=must_exist)
    if address is not None:
        _FORMAT.refuse(address, address.name or str(address), must_exist=must_exist)
    return FileLock(address, _FORMAT)


def sending_lock(address: JobAddress | None, *, must_exist: bool = False) -> ProcessLock:
    """Take the lock of the journal at *address*.

    Raises: BulkError when another process has it, or a journal that *must_exist* does not.
    """
    lock = journal_lock(address, must_exist=must_exist)
    if not lock.take():
        name = "" if address is None else address.name
        raise JobBusyError(
            f"journal {name}: another process is sending from it: wait for that one, or stop it"
        )
    return lock
