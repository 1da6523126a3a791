"""A lock between processes."""

import os
import sqlite3
import threading
from pathlib import Path

from sinch_wrapper._sqlite.format import Format

__all__ = ["FileLock"]


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
