"""Tables of text: the separator and the encoding are found out, or given."""

import csv
import itertools
import re
from collections.abc import Iterator
from typing import Final

from sinch_wrapper.bulk._list_files import (
    ListFile,
    decoded,
    encoding_of,
    opened,
    text_lines,
    undecodable,
)
from sinch_wrapper.errors import BulkError

Rows = Iterator[tuple[int, list[str]]]

_SEPARATORS: Final = ",;\t|"
_NAMES: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
# Excel writes the separator on a line before the names of the columns.
_SAID: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
# Lines by which the separator is found out.
_SAMPLE: Final = 50


def read_text_table(
    file: ListFile, encoding: str | None = None, delimiter: str | None = None
) -> tuple[list[str], Rows, str]:
    """Read the header of a table; its rows, with the line on which each begins; how it is written.

    Blank lines and rows without a cell are left out.
    Source: RFC 4180, with the separators and encodings that spreadsheets write.
    Raises: BulkError, also from the iterator, with the line.
    """
    rows = _rows(file, encoding, delimiter)
    how = next(rows)[1][0]
    try:
        _, header = next(rows)
    except StopIteration:
        raise BulkError(f"{file.name}: empty file; its first line must name the columns") from None
    return [(name or "").strip() for name in header], rows, how


def _rows(file: ListFile, encoding: str | None, delimiter: str | None) -> Rows:
    """How the table is written, in a row of its own; then its rows."""
    with opened(file.path):
        known = encoding or encoding_of(file)
    try:
        with opened(file.path), decoded(file, known) as text:
            found = text_lines(file, text)
            sample = list(itertools.islice(found, _SAMPLE))
            said = _SAID.fullmatch(sample[0]) if sample else None
            sample = sample[1:] if said else sample
            mark = delimiter or (said[1] if said else _separator(file, sample))
            yield 0, [_how(mark, known)]
            yield from _cells(file, itertools.chain(sample, found), mark, 2 if said else 1)
    except UnicodeError:
        raise undecodable(file, known) from None


def _cells(file: ListFile, content: Iterator[str], mark: str, first: int) -> Rows:
    begin, before = first, first - 1
    reader = csv.reader(content, strict=True, delimiter=mark)
    try:
        for cells in reader:
            if cells and (cells[0].strip() or any(map(str.strip, cells))):
                yield begin, cells
            begin = before + reader.line_num + 1
    except csv.Error as error:
        words = "unclosed quote" if "unexpected end" in str(error) else error
        raise BulkError(f"{file.name}, line {begin}: invalid CSV: {words}") from None


def _separator(file: ListFile, sample: list[str]) -> str:
    """The separator of a table that begins with these lines.

    Raises: BulkError when it may be one or another.
    """
    tables = {mark: _split(sample, mark) for mark in _SEPARATORS}
    found = [mark for mark, rows in tables.items() if rows and len(rows[0]) > 1]
    if len(found) > 1:
        found = [mark for mark in found if len({len(row) for row in tables[mark] if row}) == 1]
        if len(found) != 1:
            marks = " or ".join(_NAMES.get(mark, "commas") for mark in _SEPARATORS if mark in found)
            raise BulkError(
                f"{file.name}: columns may be separated by {marks or 'several characters'}: say "
                'which, such as delimiter=";" (--delimiter ";")'
            )
    return found[0] if found else ","


def _split(sample: list[str], mark: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        # The last row of a sample may be open.
        rows.extend(csv.reader(sample, strict=True, delimiter=mark))
    except csv.Error:
        return rows
    return rows


def _how(mark: str, encoding: str) -> str:
    found = [f"separated by {_NAMES.get(mark, mark)}"] if mark != "," else []
    if not encoding.lower().startswith(("utf-8", "utf8")):
        found.append(f"encoding {encoding}")
    return ", ".join(found)
