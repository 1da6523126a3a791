"""What a job will take: its messages by channel, SMS parts and price, counted as they are read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple, TypeAlias, cast

from sinch_wrapper._json import decode
from sinch_wrapper.bulk._prices import Prices
from sinch_wrapper.bulk._rendering import SMS, TextForm, sms_text
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._rows_fast import Block
from sinch_wrapper.bulk._sms_parts import basic_parts, count_parts, is_basic

_Shape: TypeAlias = tuple[str, int]
"""The encoding of an SMS, and its parts."""

_Row: TypeAlias = tuple[Sequence[tuple[str, str]], Mapping[str, str]]
"""The channels of a recipient with its identities, in order, and its parameters."""

# The shape of what is not an SMS, or cannot be counted.
_NONE: Final = ("", 0)
BY_CONTACT: Final = ""
"""In place of a channel, for recipients by contact id: the API chooses it."""


class MessageKind(NamedTuple):
    """Messages that are alike: by *channel*, and the *prefix* that decides their price.

    *is_fallback* says that another channel is tried first. *encoding* is empty and *parts* 0 where
    there are none, or nobody but the API knows.
    """

    channel: str
    is_fallback: bool
    prefix: str | None
    encoding: str
    parts: int


class Measure:
    """Counts the messages of a job, of which *request* has the fields; a sink of the loader."""

    def __init__(self, request: Mapping[str, object], prices: Prices | None) -> None:
        text, self.reason = sms_text(request.get("message"))
        self.form = None if text is None else TextForm(text)
        self._is_basic = self.form is not None and is_basic([self.form.fixed])
        self.prices = prices
        self._order = _order(request.get("channel_priority_order"))
        self._counts: Counter[tuple[str, bool, str | None, _Shape]] = Counter()
        # The line and the units of the first text of each shape.
        self.first: dict[_Shape, tuple[int, int]] = {}

    def __repr__(self) -> str:
        return f"Measure({self._counts.total()})"

    @property
    def counts(self) -> Mapping[MessageKind, int]:
        """How many messages there are of each kind."""
        return {
            MessageKind(channel, fallback, prefix, *shape): many
            for (channel, fallback, prefix, shape), many in self._counts.items()
            if many
        }

    def add(self, block: Block) -> None:
        """Count a request."""
        cells = block.cells
        if cells is not None and len(cells.to) == 1:
            self._add_column(block.lines, *cells.to[0], dict(cells.parameters))
            return
        for line, row in zip(block.lines, _rows(block), strict=True):
            self._add_row(line, row)

    def count(self, line: int, item: Mapping[str, Any]) -> None:
        """Count one recipient, as a request holds it."""
        self._add_row(line, _row(item))

    def skip(self, skips: list[Skip]) -> None:
        """Do nothing: such rows are not sent."""

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Take back a repeated recipient."""
        self._counts.subtract(key for key, _ in self._keys(_row(item)))
        for shape in [each for each, (first, _) in self.first.items() if first == line]:
            del self.first[shape]

    def _add_column(
        self,
        lines: Sequence[int],
        channel: str,
        identities: Sequence[str | None],
        parameters: Mapping[str, Sequence[str]],
    ) -> None:
        shapes: Iterable[_Shape] = repeat(_NONE)
        if channel == SMS and self.form is not None:
            shapes = self._shapes(lines, self.form, parameters)
        prefixes: Iterable[str | None] = repeat(None)
        if self.prices is not None:
            prefixes = self.prices.prefixes(channel, (each or "" for each in identities))
        channels = repeat(channel, len(lines))
        self._counts.update(zip(channels, repeat(False), prefixes, shapes, strict=False))

    def _shapes(
        self, lines: Sequence[int], form: TextForm, parameters: Mapping[str, Sequence[str]]
    ) -> list[_Shape]:
        """The shape of each text; those that are GSM throughout are not even put together."""
        columns = form.columns(parameters)
        if self._is_basic and all(map(is_basic, columns)):
            parts = basic_parts(form.lengths(columns, len(lines)))
            known: dict[int, _Shape] = {each: ("GSM", each) for each in set(parts)}
            found = list(map(known.__getitem__, parts))
        else:
            texts = form.fill_all(columns, len(lines))
            found = [(each.encoding, each.parts) for each in map(count_parts, texts)]
        for shape in set(found) - self.first.keys():
            at = found.index(shape)
            text = form.fill({name: values[at] for name, values in parameters.items()})
            self.first[shape] = lines[at], count_parts(text).units
        return found

    def _add_row(self, line: int, row: _Row) -> None:
        for key, units in self._keys(row):
            self._counts[key] += 1
            if key[3] != _NONE:
                self.first.setdefault(key[3], (line, units))

    def in_order(self, item: Mapping[str, Any]) -> _Row:
        """The row of a recipient as it is sent, in the order in which its channels are tried."""
        return self._sorted(_row(item))

    def _sorted(self, row: _Row) -> _Row:
        if not self._order:
            return row
        last = len(self._order)
        return sorted(row[0], key=lambda each: self._order.get(each[0], last)), row[1]

    def _keys(self, row: _Row) -> Iterator[tuple[tuple[str, bool, str | None, _Shape], int]]:
        """Each message that *row* may become, and the units of its text."""
        identities, parameters = self._sorted(row)
        if not identities:
            yield (BY_CONTACT, False, None, _NONE), 0
        tried = set[str]()
        for channel, identity in identities:
            if channel in tried:
                continue
            shape, units = _NONE, 0
            if channel == SMS and self.form is not None:
                encoding, units, parts = count_parts(self.form.fill(parameters))
                shape = (encoding, parts)
            prefix = None if self.prices is None else self.prices.prefix(channel, identity)
            yield (channel, bool(tried), prefix, shape), units
            tried.add(channel)


def _order(channels: object) -> Mapping[str, int]:
    """The place of each channel that a request says to try first."""
    if not isinstance(channels, list | tuple):
        return {}
    return {str(name): place for place, name in enumerate(channels)}


def _rows(block: Block) -> Iterator[_Row]:
    if block.cells is None:
        yield from map(_row, cast("list[Mapping[str, object]]", decode(block.content)))
        return
    names = [name for name, _ in block.cells.parameters]
    columns = [values for _, values in block.cells.parameters]
    for place in range(len(block.lines)):
        identities = [(name, cell) for name, cells in block.cells.to if (cell := cells[place])]
        yield identities, dict(zip(names, (column[place] for column in columns), strict=True))


def _row(item: Mapping[str, Any]) -> _Row:
    """The row of a recipient as it is sent."""
    identified = item["recipient"].get("identified_by") or {}
    found = identified.get("channel_identities") or ()
    # A caller may write a channel in small letters.
    pairs = [(each["channel"].upper(), each["identity"]) for each in found]
    return pairs, item.get("parameters") or {}
