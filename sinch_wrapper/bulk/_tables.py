"""Tables of other programs: Parquet (extra: parquet) and Excel (extra: xlsx)."""

import importlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from sinch_wrapper._lazy import Extra
from sinch_wrapper.bulk._list_files import ListFile, check_ratio, opened
from sinch_wrapper.bulk._rows import Cells
from sinch_wrapper.errors import BulkError

# Rows of a Parquet file that are read together.
_ROWS: Final = 2000
_PRECISE: Final = 10**15
_BLOCK: Final = 1 << 20
_CELL: Final = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
# The memory holds empty cells, too, between the others.
_MOST_CELLS: Final = 100_000_000


def read_parquet(file: ListFile) -> tuple[list[str], Iterator[tuple[int, Cells]]]:
    """Read the columns of a Parquet file, and its rows, numbered from 1 (extra: parquet).

    Raises: BulkError, also when pyarrow is not installed.
    """
    try:
        pyarrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        hint = 'pip install "sinch-wrapper[parquet]"'
        raise BulkError(f"{file.name}: reading Parquet needs pyarrow: {hint}") from None
    rows = _parquet_rows(file, parquet, pyarrow.ArrowException)
    _, header = next(rows)
    return [str(name) for name in header], rows


def _parquet_rows(
    file: ListFile,
    parquet: Any,  # noqa: ANN401 (of pyarrow, which has no types)
    failure: type[Exception],
) -> Iterator[tuple[int, Cells]]:
    """The names of the columns, and the rows."""
    number = -1
    try:
        with file.open() as content:
            table = parquet.ParquetFile(content)
            groups = map(table.metadata.row_group, range(table.metadata.num_row_groups))
            check_ratio(file, sum(group.total_byte_size for group in groups))
            number = 0
            yield 0, list(table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=_ROWS):
                columns = [column.to_pylist() for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, cells
    except (failure, OSError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.strerror and number < 0:
            words = error.strerror
            raise BulkError(f"{file.name}: cannot be read: {words}") from None
        # Their words may quote cells.
        words = "not a Parquet file" if number < 0 else f"cannot be read after row {number}"
        raise BulkError(f"{file.name}: {words}") from None


def read_xlsx(file: ListFile) -> tuple[list[str], Iterator[tuple[int, Cells]]]:
    """Read the header of an Excel file with one sheet, and its rows by number (extra: xlsx).

    Numbers without decimals become the digits that the sheet shows; other values stay.
    Raises: BulkError, also when python-calamine is not installed.
    """
    try:
        calamine = importlib.import_module("python_calamine")
    except ModuleNotFoundError:
        modules = frozenset({"python_calamine"})
        raise Extra(
            f"{file.name}: reading Excel files", "xlsx", modules, BulkError
        ).missing() from None
    with opened(file.path), file.open() as content:
        _check_archive(file, content)
        content.seek(0)
        sheet = _only_sheet(file, _workbook(file, calamine, content))
    rows = _excel_rows(sheet)
    try:
        _, header = next(rows)
    except StopIteration:
        raise BulkError(f"{file.name}: empty sheet; its first row must name the columns") from None
    return [str(name).strip() for name in header], rows


def _workbook(file: ListFile, calamine: Any, content: IO[bytes]) -> list[Any]:  # noqa: ANN401 (optional)
    try:
        book = calamine.CalamineWorkbook.from_filelike(content)
        found = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except calamine.PasswordError:
        raise BulkError(f"{file.name}: it has a password: save it without") from None
    except Exception:  # noqa: BLE001 (it has many, and their words may quote cells)
        raise BulkError(f"{file.name}: not an Excel file, or damaged") from None
    except BaseException as error:
        # A failure that the library did not foresee is not an Exception.
        if type(error).__name__ == "PanicException":
            raise BulkError(f"{file.name}: not an Excel file, or damaged") from None
        raise
    return [sheet for sheet in found if sheet.height]


def _only_sheet(file: ListFile, sheets: list[Any]) -> Any:  # noqa: ANN401 (as above)
    if len(sheets) > 1:
        raise BulkError(
            f"{file.name}: {len(sheets)} sheets have rows: keep the one with the recipients"
        )
    if not sheets:
        raise BulkError(f"{file.name}: empty file; its first row must name the columns")
    return sheets[0]


def _check_archive(file: ListFile, content: IO[bytes]) -> None:
    """Refuse what is not an Excel file, and what would not fit into memory."""
    try:
        with zipfile.ZipFile(content) as archive:
            check_ratio(file, sum(each.file_size for each in archive.infolist()))
            for name in archive.namelist():
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    _check_sheet(file, archive, name)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        zlib.error,
        ValueError,
    ):
        raise BulkError(f"{file.name}: not an Excel file, or damaged") from None


def _check_sheet(file: ListFile, archive: zipfile.ZipFile, name: str) -> None:
    """Read it once: a sheet with two cells far apart takes the memory of all between them."""
    width = height = 0
    tail = b""
    with archive.open(name) as sheet:
        while block := sheet.read(_BLOCK):
            for letters, digits in _CELL.findall(tail + block):
                width, height = max(width, _column(letters)), max(height, int(digits))
            tail = block[-16:]
    if width * height > _MOST_CELLS:
        raise BulkError(f"{file.name}: {width} columns of {height} rows are too many for a list")


def _column(letters: bytes) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + letter - 64
    return found


def _excel_rows(sheet: Any) -> Iterator[tuple[int, Cells]]:  # noqa: ANN401 (as above)
    for number, cells in enumerate(sheet.iter_rows(), 1):
        row = [cell if type(cell) is str else _excel_cell(cell) for cell in cells]
        if any(cell != "" for cell in row):
            yield number, row


def _excel_cell(cell: object) -> object:
    """A whole number as its digits, which is how the sheet shows it; anything else stays."""
    if type(cell) is float and abs(cell) < _PRECISE and cell == int(cell):
        return str(int(cell))
    return str(cell) if type(cell) is int and abs(cell) < _PRECISE else cell
