"""Rows of one table, each by itself or many at a time."""

from collections.abc import Sequence
from typing import cast

from sinch_wrapper.bulk._metadata import MetadataLimits
from sinch_wrapper.bulk._recipients.blocks import Block, TableBlocks
from sinch_wrapper.bulk._recipients.columns import Layout
from sinch_wrapper.bulk._recipients.entries import Cells, Entry, table_builder

__all__ = ["TableRows"]


class TableRows:
    """Builds the entries, or blocks, of a table whose columns *at* tells apart."""

    unused: frozenset[str] = frozenset()

    def __init__(self, at: Layout, limits: MetadataLimits) -> None:
        self._one = table_builder(at, limits)
        self._many = TableBlocks(at, limits)

    def __call__(self, line: int, value: object) -> Entry:
        """Build the entry of one row; raises InvalidError."""
        return self._one(line, cast("Cells", value))

    def block(self, rows: Sequence[tuple[int, object]]) -> Block | None:
        """Build all at once; None when some row must be looked at by itself."""
        lines, cells = zip(*rows, strict=True)
        return self._many(lines, cells)
