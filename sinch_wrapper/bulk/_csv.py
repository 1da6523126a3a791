"""Tables of text: the separator and the encoding are found out, or given."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Final, TypeAlias

from sinch_wrapper.bulk._list_files import (
    ListFile,
    decoded,
    encoding_of,
    opened,
    text_lines,
    undecodable,
)
from sinch_wrapper.bulk._row_blocks import BlockRows, ByColumn, RowBlock
from sinch_wrapper.errors import BulkError

_Blocks: TypeAlias = Iterator[RowBlock[Sequence[str]]]

_SEPARATORS: Final = ",;\t|"
_NAMES: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
# Excel writes the separator on a line before the names of the columns.
_SAID: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
# Lines by which the separator is found out.
_SAMPLE: Final = 50
# Rows that are read together. A list each, and one more object while they are turned, are fewer
# than the 700 that wake the collector of garbage.
_TOGETHER: Final = 250
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def read_text_table(
    file: ListFile, encoding: str | None = None, delimiter: str | None = None
) -> tuple[list[str], BlockRows[Sequence[str]], str]:
    """Read the header of a table; its rows, with the lines on which they begin; how it is written.

    Blank lines and rows without a cell are left out.
    Source: RFC 4180, with the separators and encodings that spreadsheets write.
    Raises: BulkError, also from the iterator, with the line.
    """
    blocks = _blocks(file, encoding, delimiter)
    _, (how,) = next(blocks)
    try:
        _, (header,) = next(blocks)
    except StopIteration:
        raise BulkError(f"{file.name}: empty file; its first line must name the columns") from None
    return [(name or "").strip() for name in header], BlockRows(blocks), how[0]


def _blocks(file: ListFile, encoding: str | None, delimiter: str | None) -> _Blocks:
    """How the table is written, and its header, each in a block of its own; then its rows."""
    with opened(file.path):
        known = encoding or encoding_of(file)
    try:
        with opened(file.path), decoded(file, known) as text:
            found = text_lines(file, text)
            sample = list(islice(found, _SAMPLE))
            said = _SAID.fullmatch(sample[0]) if sample else None
            sample = sample[1:] if said else sample
            mark = delimiter or (said[1] if said else _separator(file, sample))
            yield (0,), ([_how(mark, known)],)
            yield from _rows(file, itertools.chain(sample, found), mark, 2 if said else 1)
    except UnicodeError:
        raise undecodable(file, known) from None


def _rows(file: ListFile, content: Iterator[str], mark: str, line: int) -> _Blocks:
    """The rows of *content*, which begins on *line*; the first one is a block of its own."""
    reader, many = csv.reader(content, strict=True, delimiter=mark), 1
    while True:
        before, rows = reader.line_num, list[list[str]]()
        try:
            rows.extend(islice(reader, many))
        except csv.Error as error:
            words = "unclosed quote" if "unexpected end" in str(error) else error
            at = line + sum(map(_height, rows))
            raise BulkError(f"{file.name}, line {at}: invalid CSV: {words}") from None
        if not rows:
            return
        height = reader.line_num - before
        lines: Sequence[int] = range(line, line + height)
        if height != len(rows):
            lines = [*accumulate(map(_height, rows), initial=line)]
        line += height
        found = _filled(lines, rows)
        del rows
        if found:
            yield found
            many = _TOGETHER


def _filled(lines: Sequence[int], rows: list[list[str]]) -> RowBlock[Sequence[str]] | None:
    """Those *rows* that have a cell; None for none."""
    try:
        columns = list(zip(*rows, strict=True))
    except ValueError:
        columns = []
    if columns and all(map(str.strip, columns[0])):
        return lines[: len(rows)], ByColumn(columns)
    numbered = zip(lines, rows, strict=False)
    found = [(line, row) for line, row in numbered if any(map(str.strip, row))]
    return ([line for line, _ in found], [row for _, row in found]) if found else None


def _height(row: Sequence[str]) -> int:
    """The lines that *row* takes."""
    return 1 + sum(len(_LINE_END.findall(cell)) for cell in row)


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
                'which, such as delimiter=";"'
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
