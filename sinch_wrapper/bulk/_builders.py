"""Which builder reads which source."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Protocol, cast

from sinch_wrapper.bulk._columns import layout
from sinch_wrapper.bulk._entries import Entry, table_builder
from sinch_wrapper.bulk._metadata import static_limits
from sinch_wrapper.bulk._objects import ObjectBuilder
from sinch_wrapper.bulk._plan import Plan
from sinch_wrapper.bulk._sources import Source, Table
from sinch_wrapper.bulk._things import ThingBuilder

__all__ = ["Builder", "opened_rows"]


class Builder(Protocol):
    """Builds an entry of a row, or raises InvalidError; *unused* are parameters without use."""

    @property
    def unused(self) -> AbstractSet[str]: ...

    def __call__(self, line: int, value: object, /) -> Entry: ...


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
        return ThingBuilder(plan.kind.name), rows
    limits = static_limits(plan.request)
    if isinstance(opened, Table):
        at = layout(plan.columns, opened.header, plan.needed, source.name)
        return cast("Builder", table_builder(at, limits)), opened.rows
    return ObjectBuilder(plan.columns, plan.needed, limits, source.name), opened.rows
