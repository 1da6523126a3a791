"""Rows of a source, many at a time: what is done for a thousand at once costs a part of it each."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Protocol, TypeAlias, TypeVar, cast, overload

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

RowBlock: TypeAlias = tuple[Sequence[int], Sequence[T]]
"""The lines of rows, and what they hold."""


class Rows(Protocol[T_co]):
    """The rows of a source, each with its line; they can be read once."""

    def __iter__(self) -> Iterator[tuple[int, T_co]]: ...

    def take(self, many: int) -> RowBlock[T_co]:
        """The next rows, *many* unless the end comes first; raises BulkError."""


class ByColumn(Sequence[Sequence[str]]):
    """Rows of equal width, kept as *columns*.

    A list for each row would let the collector of garbage look at all that the program has, again
    and again: a fifth of what reading costs.
    """

    def __init__(self, columns: Sequence[Sequence[str]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, at: int) -> Sequence[str]: ...
    @overload
    def __getitem__(self, at: slice) -> "ByColumn": ...
    def __getitem__(self, at: int | slice) -> "Sequence[str] | ByColumn":
        if isinstance(at, slice):
            return ByColumn([column[at] for column in self.columns])
        return [column[at] for column in self.columns]

    def __iter__(self) -> Iterator[Sequence[str]]:
        return zip(*self.columns, strict=True)

    def __repr__(self) -> str:
        return f"ByColumn({len(self)} rows)"


class SingleRows(Rows[T]):
    """Rows that come one by one; no more are asked for than are taken."""

    def __init__(self, rows: Iterable[tuple[int, T]]) -> None:
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[tuple[int, T]]:
        return self._rows

    def take(self, many: int) -> RowBlock[T]:
        """The next rows, *many* unless the end comes first."""
        found = list(islice(self._rows, many))
        return [line for line, _ in found], [value for _, value in found]


class BlockRows(Rows[T]):
    """Rows that come in blocks of any size."""

    def __init__(self, blocks: Iterator[RowBlock[T]]) -> None:
        self._blocks = blocks
        self._left: list[RowBlock[T]] = []

    def __iter__(self) -> Iterator[tuple[int, T]]:
        for lines, values in chain(self._left, self._blocks):
            yield from zip(lines, values, strict=True)

    def take(self, many: int) -> RowBlock[T]:
        """The next rows, *many* unless the end comes first."""
        found, missing = self._left, many - sum(len(lines) for lines, _ in self._left)
        while missing > 0 and (block := next(self._blocks, None)) is not None:
            found.append(block)
            missing -= len(block[0])
        lines, values = _joined(found)
        self._left = [(lines[many:], values[many:])] if missing < 0 else []
        return (lines[:many], values[:many]) if missing < 0 else (lines, values)


def _joined(blocks: Sequence[RowBlock[T]]) -> RowBlock[T]:
    if len(blocks) == 1:
        return blocks[0]
    lines = [*chain.from_iterable(lines for lines, _ in blocks)]
    values = [values for _, values in blocks]
    columns = [each.columns for each in values if isinstance(each, ByColumn)]
    if len(columns) < len(values) or len(set(map(len, columns))) > 1:
        return lines, [*chain.from_iterable(values)]
    joined = ByColumn([[*chain.from_iterable(parts)] for parts in zip(*columns, strict=True)])
    return lines, cast("Sequence[T]", joined)
