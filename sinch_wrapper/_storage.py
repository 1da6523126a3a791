"""What a journal needs of a database, whether it is a file or a server."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Table


class Storage(Protocol):
    """A database with one kind of contents; safe for threads, its methods raise one kind of error.

    *name* is what errors call it. *path* is that of its file, None for another kind.
    """

    name: str
    path: Path | None

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that reads one state of it all; keep it short."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is durable when the block ends; writers take turns."""

    def insert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """Insert *rows* into *table*, all with the same columns, the fastest way there is."""

    def check(self) -> None:
        """Fail when the contents are corrupt."""

    def flush(self) -> None:
        """Bring all that is written to where a copy of the file has it."""

    @property
    def is_current(self) -> bool:
        """Whether these are still the contents that were opened."""

    def close(self) -> None:
        """Close the connection."""


class ProcessLock(Protocol):
    """Held by one process at a time; it ends with the process, however that ends."""

    def take(self) -> bool:
        """Take the lock unless this process has it; returns whether it has it now."""

    def release(self) -> None:
        """Release the lock for another process; releasing twice is harmless."""
