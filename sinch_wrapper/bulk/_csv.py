"""Tables of text: the separator and the encoding are found out, or given."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Final, TypeAlias

from sinch_wrapper.bulk._list_files import (
    ListFile,
    count_lines,
    decoded,
    encoding_of,
    lines_of,
    opened,
    text_blocks,
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
        lines, rows = next(blocks)
    except StopIteration:
        raise BulkError(f"{file.name}: empty file; its first line must name the columns") from None
    rest = itertools.chain([(lines[1:], rows[1:])], blocks)
    return [(name or "").strip() for name in rows[0]], BlockRows(rest), how[0]


def _blocks(file: ListFile, encoding: str | None, delimiter: str | None) -> _Blocks:
    """How the table is written, in a block of its own; then its rows, of which one is a header."""
    with opened(file.path):
        known = encoding or encoding_of(file)
    try:
        with opened(file.path), decoded(file, known) as text:
            found = text_blocks(file, text)
            start = _start(found)
            sample = lines_of(start)[:_SAMPLE]
            said = _SAID.fullmatch(sample[0]) if sample else None
            sample = sample[1:] if said else sample
            mark = delimiter or (said[1] if said else _separator(file, sample))
            yield (0,), ([_how(mark, known)],)
            found = itertools.chain([start[said.end() :] if said else start], found)
            yield from _TableText(file, found, mark, 2 if said else 1).rows()
    except UnicodeError:
        raise undecodable(file, known) from None


def _start(blocks: Iterator[str]) -> str:
    """The first *blocks*, until a sample is in them, or all."""
    found = ""
    while count_lines(found) < _SAMPLE and (block := next(blocks, "")):
        found += block
    return found


class _TableText:
    """The text of a table in *blocks*, which begins on *line*; *mark* separates the cells."""

    def __init__(self, file: ListFile, blocks: Iterator[str], mark: str, line: int) -> None:
        self._file = file
        self._blocks = blocks
        self._mark = mark
        self._line = line

    def rows(self) -> _Blocks:
        """Its rows; those that hold no quotes are not even looked at one by one."""
        for block in self._blocks:
            columns = _split_plain(block, self._mark)
            if columns is None:
                yield from self._quoted(block)
                continue
            rows = ByColumn(columns)
            lines = range(self._line, self._line + len(rows))
            self._line += len(rows)
            if found := _filled(lines, rows):
                yield found

    def _quoted(self, block: str) -> _Blocks:
        """The rows of *block*, and of those after it until one ends where a row does."""
        fed, many, begin = 0, 1, self._line

        def content() -> Iterator[list[str]]:
            nonlocal fed
            for each in itertools.chain([block], self._blocks):
                found = lines_of(each)
                fed += len(found)
                yield found

        text = itertools.chain.from_iterable(content())
        reader = csv.reader(text, strict=True, delimiter=self._mark)
        while many and (rows := self._read(islice(reader, many))):
            lines: Sequence[int] = range(self._line, begin + reader.line_num)
            if len(lines) != len(rows):
                lines = [*accumulate(map(_height, rows), initial=self._line)]
            self._line = begin + reader.line_num
            found = _filled(lines, rows)
            del rows
            # Until there is a header, what is wrong after it is not looked for.
            many = min(_TOGETHER if found else 1, fed - reader.line_num)
            if found:
                yield found

    def _read(self, reader: Iterator[list[str]]) -> list[list[str]]:
        rows = list[list[str]]()
        try:
            rows.extend(reader)
        except csv.Error as error:
            words = "unclosed quote" if "unexpected end" in str(error) else error
            at = self._line + sum(map(_height, rows))
            raise BulkError(f"{self._file.name}, line {at}: invalid CSV: {words}") from None
        return rows


def _split_plain(block: str, mark: str) -> list[list[str]] | None:
    """The columns of *block*, whose rows are equally wide; None when it has to be read with care.

    Whatever the csv module reads in such a block is the same.
    """
    if not block or '"' in block or len(block) > csv.field_size_limit():
        return None
    end = "\r\n" if "\r\n" in block else "\n"
    # The end of a line becomes a cell of its own.
    text = block.removesuffix(end).replace(end, f"{mark}\n{mark}")
    cells, many = text.split(mark), text.count("\n") + 1
    width = len(cells) // many
    if "\r" in text or len(cells) != many * (width + 1) - 1:
        return None
    if cells[width :: width + 1].count("\n") != many - 1:
        return None
    return [cells[at :: width + 1] for at in range(width)]


def _filled(lines: Sequence[int], rows: Sequence[Sequence[str]]) -> RowBlock[Sequence[str]] | None:
    """Those *rows* that have a cell; None for none."""
    try:
        columns = rows.columns if isinstance(rows, ByColumn) else [*zip(*rows, strict=True)]
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
