"""Journals whose process is killed right after a write, and a pool of those in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._schema import schema


class KilledError(BaseException):
    """The process is killed."""


class KillableJournal(Journal):
    """A journal whose process is killed right after a write; *left* writes from now."""

    left: int | None = None
    # For a mutant that believes in clocks.
    wall: Callable[[], float] = staticmethod(lambda: 0.0)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Write, and perhaps die."""
        with super().write() as connection:
            yield connection
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.left = None
                raise KilledError


_EMPTY = [f"DELETE FROM {table.name}" for table in schema.sorted_tables]  # noqa: S608 (ours)
_in_memory: list[KillableJournal] = []


def journal_at(path: Path | None) -> KillableJournal:
    """A journal that is empty; one in memory may have served before, which is much faster."""
    if path is not None or not _in_memory:
        return KillableJournal(path)
    journal = _in_memory.pop()
    with journal.write() as connection:
        for query in _EMPTY:
            connection.exec_driver_sql(query)
    return journal


def put_back(journal: KillableJournal) -> None:
    """Close a journal, or keep it for the next seed."""
    if journal.storage.path is None:
        journal.left = None
        _in_memory.append(journal)
    else:
        journal.close()
