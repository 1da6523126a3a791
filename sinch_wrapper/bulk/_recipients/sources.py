"""Where recipients come from: a file by its suffix, or anything that can be iterated over."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from sinch_wrapper.bulk._recipients.entries import Cells
from sinch_wrapper.bulk._recipients.readers import opened, read_csv, read_json_lines, read_parquet
from sinch_wrapper.errors import BulkError

__all__ = ["Items", "Objects", "Source", "Table", "source_of"]

Items: TypeAlias = str | Path | Iterable[object]
"""Path of a file (CSV, JSON lines, Parquet), or rows; for messages Recipients too."""

_BLOCK: Final = 1 << 20
_SUFFIXES: Final = (".csv", ".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a header."""

    header: list[str]
    rows: Iterator[tuple[int, Cells]]


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects with their line or number, from 1."""

    rows: Iterator[tuple[int, object]]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that has not been opened yet; *name* is for messages, without its folder."""

    name: str
    path: Path | None = None
    things: Iterable[object] = field(default=(), repr=False)

    def open(self) -> Table | Objects:
        """Start reading.

        Raises: BulkError, also later from the rows.
        """
        if self.path is None:
            return Objects(zip(itertools.count(1), self.things, strict=False))
        name = self.path.name.lower()
        if name.endswith(".csv"):
            return Table(*read_csv(self.path))
        if name.endswith(".parquet"):
            return Table(*read_parquet(self.path))
        return Objects(read_json_lines(self.path))

    def digest(self) -> str | None:
        """SHA-256 of the file; None for what is no file.

        Raises: BulkError when it cannot be read.
        """
        if self.path is None:
            return None
        found = hashlib.sha256()
        with opened(self.path), self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.hexdigest()


def source_of(things: Items) -> Source:
    """Recognise *things*: a path by its suffix, or an iterable.

    Raises: BulkError for another suffix or no such file, TypeError for what is neither.
    """
    if isinstance(things, str | Path):
        path = Path(things)
        if not path.name.lower().endswith(_SUFFIXES):
            raise BulkError(f"{path.name}: the name must end in {', '.join(_SUFFIXES)}")
        with opened(path):
            path.stat()
        return Source(path.name, path)
    if isinstance(things, Mapping) or not isinstance(things, Iterable):
        message = f"recipients must be a path or an iterable, not {type(things).__name__}"
        raise TypeError(message)
    return Source("recipients", None, things)
