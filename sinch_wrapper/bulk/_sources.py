"""Where recipients come from: a list in a file or pipe, or anything that can be iterated over."""

import codecs
import contextlib
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

from sinch_wrapper._json import decode
from sinch_wrapper._validate import out_of_range, wrong_kind
from sinch_wrapper.bulk._csv import read_text_table
from sinch_wrapper.bulk._list_files import (
    FORMATS,
    ListFile,
    encoding_of,
    format_of,
    is_stream,
    lines,
    opened,
    undecodable,
)
from sinch_wrapper.bulk._row_blocks import Rows, SingleRows
from sinch_wrapper.bulk._rows import Cells
from sinch_wrapper.bulk._tables import read_parquet, read_xlsx
from sinch_wrapper.errors import BulkArgumentError, BulkError

__all__ = [
    "Items",
    "Objects",
    "Source",
    "Table",
    "opened",
    "read_json_lines",
    "source_of",
]

Items: TypeAlias = str | Path | Iterable[object]
"""Path of a file (CSV, JSON lines, Parquet, Excel), a stream of bytes, or rows; for messages
Recipients too."""

_STREAM: Final = "stdin"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a header; *how* says how it is written where that is unusual."""

    header: list[str]
    rows: Rows[Cells]
    how: str = ""


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects, each with its line, or its number from 1."""

    rows: Rows[object]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that has not been opened yet; *name*, without a folder, is for error messages."""

    name: str
    path: Path | None = None
    things: Iterable[object] = field(default=(), repr=False)
    file: ListFile | None = field(default=None, repr=False)
    encoding: str | None = None
    delimiter: str | None = None

    def open(self) -> Table | Objects:
        """Start reading.

        Raises: BulkError, also later from the rows.
        """
        if self.file is None:
            return Objects(SingleRows(zip(itertools.count(1), self.things, strict=False)))
        with opened(self.file.path):
            kind = self.file.format
        if kind == "csv":
            return Table(*read_text_table(self.file, self.encoding, self.delimiter))
        if kind == "lines":
            return Objects(SingleRows(read_json_lines(self.file, self.encoding)))
        header, rows = (read_xlsx if kind == "xlsx" else read_parquet)(self.file)
        return Table(header, SingleRows(rows))

    def digest(self) -> str | None:
        """SHA-256 of the file; None for what is not a file.

        Raises: BulkError when it cannot be read.
        """
        return None if self.file is None else self.file.digest()


def source_of(
    option: str, things: Items, encoding: str | None = None, delimiter: str | None = None
) -> Source:
    """Recognise *things*, the value of *option*: a path, a stream of bytes, or an iterable.

    Raises: BulkError for another suffix or a file that cannot be read, TypeError for what is
    neither.
    """
    if isinstance(things, str | Path):
        path = Path(things)
        with opened(path):
            if not format_of(path) and not is_stream(path):
                wanted = f"a file whose name ends in {', '.join(FORMATS)}; or an iterable"
                raise out_of_range(option, wanted, BulkArgumentError)
            path.stat()
        return Source(path.name, path, (), ListFile(path), encoding, delimiter)
    if isinstance(things, io.TextIOBase):
        raise wrong_kind(option, "a path, or a file opened for bytes", things)
    if isinstance(things, io.IOBase):
        path = Path(_STREAM)
        file = ListFile(path, cast("IO[bytes]", things))
        return Source(_STREAM, path, (), file, encoding, delimiter)
    if isinstance(things, Mapping | bytes | bytearray) or not isinstance(things, Iterable):
        raise wrong_kind(option, "a path or an iterable", things)
    return Source("recipients", None, things)


def read_json_lines(file: ListFile, encoding: str | None = None) -> Iterator[tuple[int, object]]:
    """Read one JSON object per line.

    Raises: BulkError from the iterator, with the line.
    """
    with opened(file.path):
        known = encoding or encoding_of(file)
        if known.lower().startswith("utf-8"):
            with file.unpacked() as content:
                if content.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
                    content.seek(0)
                yield from _objects(file, lines(file, content))
        else:
            yield from _transcoded(file, known)


def _transcoded(file: ListFile, encoding: str) -> Iterator[tuple[int, object]]:
    with file.unpacked() as content:
        text = io.TextIOWrapper(content, encoding)
        try:
            yield from _objects(file, (line.encode() for line in lines(file, text)))
        except UnicodeError:
            raise undecodable(file, encoding) from None
        finally:
            text.detach()


def _objects(file: ListFile, content: Iterable[bytes]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(content, 1):
        if found := line.strip():
            yield number, _decoded(file, number, found)


def _decoded(file: ListFile, number: int, content: bytes) -> object:
    try:
        content.decode()
        found = decode(content)
    except UnicodeDecodeError:
        raise BulkError(f"{file.name}, line {number}: not UTF-8") from None
    except ValueError:
        raise BulkError(f"{file.name}, line {number}: not JSON") from None
    # A key has one colon at least, so this is the cheap way to see that none comes twice.
    colons = content.count(b":")
    if type(found) is dict and colons == len(found):
        return found
    if colons > _keys(found) and _has_repeated_keys(content):
        raise BulkError(f"{file.name}, line {number}: a key comes twice")
    return found


def _keys(value: object) -> int:
    """How many keys the objects in *value* have."""
    found, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            found += len(each)
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


def _has_repeated_keys(content: bytes) -> bool:
    found = []

    def note(pairs: list[tuple[str, object]]) -> object:
        found.append(len({name for name, _ in pairs}) < len(pairs))
        return None

    # What is nested too deeply to be looked into is refused later on.
    with contextlib.suppress(RecursionError):
        json.loads(content, object_pairs_hook=note)
    return any(found)
