"""What a kind of file is called, what it holds, and how its failures are told."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy import MetaData

from sinch_wrapper.errors import SinchError

__all__ = ["CORRUPT", "Format"]

_WORDS: Final = (
    ("full", "the disk is full: make room, then go on"),
    ("disk i/o", "it cannot be written or read, the disk may be full: make room, then go on"),
    ("readonly", "it is read-only: allow writing to the file and its folder"),
    ("not a database", ""),
    ("locked", "another process is using it: wait for that one to end"),
    ("unable to open", "it cannot be opened: check that its folder exists and is writable"),
)
# What SQLite says of a file that is damaged.
CORRUPT: Final = "malformed"


@dataclass(frozen=True, slots=True)
class Format:
    """What a kind of file is called, holds, and fails with.

    *application_id* and *version* are in the header of the file. *stranger* is what is said of
    another file, *corrupt* of a damaged one.
    """

    noun: str
    schema: MetaData
    application_id: int
    version: int
    stranger: str
    corrupt: str
    failure: type[SinchError]

    def refuse(self, path: Path, name: str, *, must_exist: bool) -> None:
        """Raise the *failure* where *path* is a folder, or nothing although it *must_exist*."""
        # Other than Path.exists(), a name that no system would take is just not there.
        if must_exist and not os.path.exists(path):  # noqa: PTH110 (as said)
            raise self.failure(f"{self.noun} {name}: there is no such file")
        if os.path.isdir(path):  # noqa: PTH112 (as said)
            raise self.failure(f"{self.noun} {name}: it is a folder: name a file in it")

    def fail(self, name: str, error: BaseException) -> NoReturn:
        """Raise the *failure* of the file *name* for an error of SQLite."""
        said = str(error).lower()
        if CORRUPT in said:
            words = self.corrupt
        else:
            words = next((words for sign, words in _WORDS if sign in said), f"SQLite says: {said}")
        raise self.failure(f"{self.noun} {name}: {words or self.stranger}") from error
