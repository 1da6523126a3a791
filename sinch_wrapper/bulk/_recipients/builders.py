"""Which builder reads which source."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from sinch_wrapper.bulk._metadata import static_limits
from sinch_wrapper.bulk._plan import Plan
from sinch_wrapper.bulk._recipients.blocks import Block
from sinch_wrapper.bulk._recipients.columns import layout
from sinch_wrapper.bulk._recipients.entries import Entry
from sinch_wrapper.bulk._recipients.items import ItemBuilder
from sinch_wrapper.bulk._recipients.objects import ObjectBuilder
from sinch_wrapper.bulk._recipients.sources import Source, Table
from sinch_wrapper.bulk._recipients.table_rows import TableRows

__all__ = ["Builder", "opened_rows"]


class Builder(Protocol):
    """Builds an entry of a row, or raises InvalidError; *unused* are parameters without use.

    *block* builds all of several rows at once, or None when some must be looked at by itself.
    """

    @property
    def unused(self) -> AbstractSet[str]: ...

    def __call__(self, line: int, value: object, /) -> Entry: ...

    def block(self, rows: Sequence[tuple[int, object]], /) -> Block | None: ...


def opened_rows(plan: Plan, source: Source) -> tuple[Builder, Iterator[tuple[int, object]]]:
    """Open *source*: its rows, and what builds entries of them.

    Raises: BulkError when it cannot be read or lacks a column.
    """
    opened = source.open()
    if not plan.kind.is_messages:
        rows = opened.rows
        if isinstance(opened, Table):
            names = opened.header
            rows = ((line, dict(zip(names, cells, strict=False))) for line, cells in opened.rows)
        return ItemBuilder(plan.kind.name), rows
    limits = static_limits(plan.request)
    if isinstance(opened, Table):
        at = layout(plan.columns, opened.header, plan.needed, source.name)
        return TableRows(at, limits), opened.rows
    return ObjectBuilder(plan.columns, plan.needed, limits, source.name), opened.rows
