"""A lock between processes."""

import sqlite3
import threading
from pathlib import Path

from sinch_wrapper._sqlite.format import Format

__all__ = ["FileLock"]


class FileLock:
    """Held by one process at a time; ends with the process, however it ends.

    A lock of SQLite on an empty file beside *path*: it works the same on every system. What is in
    memory needs none.
    """

    def __init__(self, path: Path | None, format_: Format) -> None:
        self._path = None if path is None else path.with_name(f"{path.name}.lock")
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
                self._format.fail(self._path.stem, error)
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                connection.close()
                if "locked" not in str(error):
                    self._format.fail(self._path.stem, error)
                return False
            self._connection = connection
            return True

    def release(self) -> None:
        """Let another process have it; releasing twice is harmless."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
