"""Where recipients come from: a file, by its suffix, or anything that can be iterated over."""

import csv
import gzip
import hashlib
import importlib
import io
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, AnyStr, Final, TypeAlias

from sinch_wrapper._json import decode
from sinch_wrapper._validate import out_of_range, wrong_kind
from sinch_wrapper.bulk._rows import Cells
from sinch_wrapper.errors import BulkArgumentError, BulkError

Items: TypeAlias = str | Path | Iterable[object]
"""Path of a file (CSV, JSON lines, Parquet), or rows; for messages Recipients too."""

_SUFFIXES: Final = (".csv", ".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".parquet")
_GZIP_FAULTS: Final = (gzip.BadGzipFile, EOFError, zlib.error)
# Rows of a Parquet file that are read together.
_ROWS: Final = 2000
# Bytes of a file that are read together for its digest.
_BLOCK: Final = 1 << 20
# Bytes of a line, which is read as a whole: thousands of times what a recipient takes. Small files
# may hold huge lines when they are compressed.
_LONGEST_LINE: Final = 16 << 20
# Lists of people are five to fifty times as large as their compressed form; what was made to fill
# memory or disk, a thousand times.
_HIGHEST_RATIO: Final = 200
_SURELY_FINE: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a header."""

    header: list[str]
    rows: Iterator[tuple[int, Cells]]


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects, each with its line, or its number from 1."""

    rows: Iterator[tuple[int, object]]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that has not been opened yet; *name*, without a folder, is for error messages."""

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
        """SHA-256 of the file; None for what is not a file.

        Raises: BulkError when it cannot be read.
        """
        if self.path is None:
            return None
        found = hashlib.sha256()
        with opened(self.path), self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.hexdigest()


def source_of(option: str, things: Items) -> Source:
    """Recognise *things*, the value of *option*: a path by its suffix, or an iterable.

    Raises: BulkError for another suffix or a file that cannot be read, TypeError for what is
    neither.
    """
    if isinstance(things, str | Path):
        path = Path(things)
        if not path.name.lower().endswith(_SUFFIXES):
            wanted = f"a file whose name ends in {', '.join(_SUFFIXES)}; or an iterable"
            raise out_of_range(option, wanted, BulkArgumentError)
        with opened(path):
            path.stat()
        return Source(path.name, path)
    if isinstance(things, Mapping | bytes | bytearray) or not isinstance(things, Iterable):
        raise wrong_kind(option, "a path or an iterable", things)
    return Source("recipients", None, things)


def read_csv(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read the header of a CSV file, and its rows with the line on which each begins.

    Source: RFC 4180; UTF-8 with or without byte order mark, blank lines are left out.
    Raises: BulkError, also from the iterator, with the line.
    """
    rows = _csv_rows(path)
    try:
        _, header = next(rows)
    except StopIteration:
        raise BulkError(f"{path.name}: empty file; its first line must name the columns") from None
    return [(name or "").strip() for name in header], rows


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    begin = 1
    with opened(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_lines(path, file), strict=True)
        try:
            for cells in reader:
                if cells:
                    yield begin, cells
                begin = reader.line_num + 1
        except UnicodeDecodeError:
            raise BulkError(f"{path.name}, line {_undecodable(path)}: not UTF-8") from None
        except csv.Error as error:
            words = "unclosed quote" if "unexpected end" in str(error) else error
            raise BulkError(f"{path.name}, line {begin}: invalid CSV: {words}") from None


class opened:  # noqa: N801 (reads like the function it stands for)
    """Translates the failures of opening and reading *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, _GZIP_FAULTS):
            raise BulkError(f"{self._path.name}: not a gzip file, or truncated") from error
        if isinstance(error, OSError):
            words = error.strerror or type(error).__name__
            raise BulkError(f"{self._path.name}: cannot be read: {words}") from error


def _undecodable(path: Path) -> int:
    """The first line that is not UTF-8; the decoder reads ahead and cannot say."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return number


def read_json_lines(path: Path) -> Iterator[tuple[int, object]]:
    """Read one JSON object per line, from a gzip file when the name ends in .gz.

    Raises: BulkError from the iterator, with the line.
    """
    reader: Callable[[Path, str], IO[bytes]] = (
        gzip.open if path.suffix == ".gz" else io.open  # type: ignore[assignment] # both read bytes
    )
    with opened(path), reader(path, "rb") as file:
        left = _most_unpacked(path)
        for number, line in enumerate(_lines(path, file), 1):
            left -= len(line)
            if left < 0:
                raise BulkError(_bomb(path))
            content = line.strip()
            if content and content != b"\xef\xbb\xbf":
                yield number, _decoded(path, number, content)


def _lines(path: Path, file: IO[AnyStr]) -> Iterator[AnyStr]:
    """The lines of *file*; raises BulkError for one that is too long to be a recipient."""
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            where = f"{path.name}, line {number}"
            raise BulkError(
                f"{where}: longer than {_LONGEST_LINE >> 20} MiB, so it is not a recipient"
            )
        yield line


def _most_unpacked(path: Path) -> int:
    """How many bytes the list in a compressed file may have."""
    return max(_SURELY_FINE, _HIGHEST_RATIO * path.stat().st_size)


def _bomb(path: Path) -> str:
    return f"{path.name}: unpacks to more than {_HIGHEST_RATIO} times its size, so it is not a list"


def _decoded(path: Path, number: int, content: bytes) -> object:
    try:
        content.decode()
        return decode(content)
    except UnicodeDecodeError:
        raise BulkError(f"{path.name}, line {number}: not UTF-8") from None
    except ValueError:
        raise BulkError(f"{path.name}, line {number}: not JSON") from None


def read_parquet(path: Path) -> tuple[list[str], Iterator[tuple[int, Cells]]]:
    """Read the columns of a Parquet file, and its rows, numbered from 1 (extra: parquet).

    Raises: BulkError, also when pyarrow is not installed.
    """
    try:
        pyarrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        hint = 'pip install "sinch-wrapper[parquet]"'
        raise BulkError(f"{path.name}: reading Parquet needs pyarrow: {hint}") from None
    try:
        with opened(path):
            file = parquet.ParquetFile(path)
    except pyarrow.ArrowException:
        raise BulkError(f"{path.name}: not a Parquet file") from None
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > _most_unpacked(path):
        raise BulkError(_bomb(path))
    return list(file.schema_arrow.names), _parquet_rows(path, file, pyarrow.ArrowException)


def _parquet_rows(
    path: Path,
    file: Any,  # noqa: ANN401 (of pyarrow, which has no types)
    failure: type[Exception],
) -> Iterator[tuple[int, Cells]]:
    number = 0
    try:
        with file:
            for batch in file.iter_batches(batch_size=_ROWS):
                columns = [column.to_pylist() for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, cells
    except (failure, OSError):
        # Its words may quote cells.
        raise BulkError(f"{path.name}: cannot be read after row {number}") from None
