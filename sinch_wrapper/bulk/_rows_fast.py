"""Rows of a table made into the JSON of a request, many at a time; pure.

Only rows in which nothing is wrong or unusual are taken. They become what table_builder() makes
of each, at a fraction of the cost, because no object is made for a recipient.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias, TypeVar, cast

from sinch_wrapper._json import encode, encode_text
from sinch_wrapper._numbers import (
    PHONE_CHANNELS,
    NotNumberError,
    NumberRules,
    identity_key,
    without_shapes,
)
from sinch_wrapper.bulk._cells import RowRules, template_fault
from sinch_wrapper.bulk._columns import ABSENT, Layout
from sinch_wrapper.bulk._metadata import INDEX_MARK, metadata_fault
from sinch_wrapper.bulk._row_blocks import ByColumn
from sinch_wrapper.bulk._rows import Cells, RowEntry, Skip, table_builder

_Column: TypeAlias = Sequence[str | None]
_Part: TypeAlias = str | Sequence[str]
"""A part of the JSON of a recipient: the same for all rows, or one for each."""

# What of a canonical number makes it the same as another.
_DIGITS: Final = itemgetter(slice(1, None))
# How a recipient with a contact id begins.
_CONTACT: Final = b'{"recipient":{"contact_id":'
_STR: Final = frozenset({str})
_STR_OR_NONE: Final = frozenset({str, type(None)})


class BlockCells(NamedTuple):
    """What the rows of a block hold, by columns; empty cells are none.

    *to* are channels and their identities as they are sent; *parameters* are names and values.
    """

    to: Sequence[tuple[str, _Column]]
    parameters: Sequence[tuple[str, Sequence[str]]]

    def __repr__(self) -> str:
        return f"BlockCells({len(self.to)} channels, {len(self.parameters)} parameters)"


class Block(NamedTuple):
    """Rows that are ready to be sent, with *content* as the JSON list of a request.

    *keys* are None where the line is the key; rows of equal *identities* are duplicates. *cells*
    say the same as *content*, so that it need not be read; None when they are not at hand.
    """

    lines: Sequence[int]
    keys: Sequence[str | None]
    identities: Sequence[str]
    content: bytes
    cells: BlockCells | None = None

    @property
    def has_contact(self) -> bool:
        """Whether a recipient in it is the id of a contact."""
        return _CONTACT in self.content if self.cells is None else not self.cells.to

    def __repr__(self) -> str:
        return f"Block({len(self.lines)} rows)"


class TableBlocks:
    """Makes blocks of the rows of a table whose columns are as *at* says."""

    def __init__(self, at: Layout, rules: RowRules) -> None:
        self._at = at
        self._rules = rules
        self._width = len(at.header)
        self._needed = [] if at.key is None else [at.key]
        metadata = (*at.message_metadata, *at.conversation_metadata)
        self._optional = {place for place, _ in (*at.to, *at.parameters, *metadata)} - {ABSENT}
        # Rows that use a reserved key are refused, each with its line.
        self._never = any(metadata_fault("", {name: ""}) for _, name in metadata)

    def __call__(self, lines: Sequence[int], rows: Sequence[Cells]) -> Block | None:
        """Make a block; None when some row must be built by itself."""
        try:
            cells = rows.columns if isinstance(rows, ByColumn) else list(zip(*rows, strict=True))
        except ValueError:
            return None
        columns = cast("list[_Column]", cells)
        is_text = isinstance(rows, ByColumn)
        if (
            len(columns) != self._width
            or self._never
            or not self._is_usual(columns, is_text=is_text)
        ):
            return None
        parameters = self._parameters(columns)
        try:
            to, identities, recipients = self._recipients(columns)
        except NotNumberError:
            return None
        metadata = self._metadata(columns)
        if parameters is None or recipients is None or metadata is None:
            return None
        try:
            content = _content([*recipients, *_filled(parameters), *metadata], len(lines))
        except UnicodeEncodeError:
            return None
        keys = [None] * len(lines) if self._at.key is None else columns[self._at.key]
        return Block(lines, keys, identities, content, BlockCells(to, parameters))

    def _is_usual(self, columns: list[_Column], *, is_text: bool) -> bool:
        # The kinds first: other values may have no truth.
        return (
            is_text
            or (
                all(_STR_OR_NONE.issuperset(map(type, columns[at])) for at in self._optional)
                and all(_STR.issuperset(map(type, columns[at])) for at in self._needed)
            )
        ) and all(all(columns[at]) for at in self._needed)

    def _parameters(self, columns: list[_Column]) -> list[tuple[str, Sequence[str]]] | None:
        """The values of each parameter; None when one is missing or refused."""
        found = []
        for place, name in self._at.parameters:
            default = self._rules.defaults.get(name)
            values: _Column
            if place == ABSENT:
                values = [default] * len(columns[0])
            elif default is None:
                values = columns[place]
            else:
                values = [cell if cell and cell.strip() else default for cell in columns[place]]
            if not all(values):
                return None
            texts = cast("Sequence[str]", values)
            if self._rules.is_strict and any(map(template_fault, texts)):
                return None
            found.append((name, texts))
        return found

    def _recipients(
        self, columns: list[_Column]
    ) -> tuple[list[tuple[str, Sequence[str]]], list[str], list[_Part] | None]:
        """The cells of each channel; the identity of each row; and the recipients as JSON.

        The last is None when a row has no recipient. Raises: NotNumberError.
        """
        if not self._at.to:
            return [], *self._contacts(columns)
        to = [(channel, self._addresses(columns[at], channel)) for at, channel in self._at.to]
        if len(to) == 1:
            channel, cells = to[0]
            parts = self._identity(channel, cells)
            return to, self._keys(channel, cells), _recipient(parts) if all(cells) else None
        texts = [self._identities(channel, cells) for channel, cells in to]
        keys = [self._keys(channel, cells) for channel, cells in to]
        joined = [",".join(filter(None, row)) for row in zip(*texts, strict=True)]
        identities = [next(filter(None, row), "") for row in zip(*keys, strict=True)]
        return to, identities, _recipient([joined]) if all(joined) else None

    def _addresses(self, cells: _Column, channel: str) -> Sequence[str]:
        """The identities as they are sent, empty for none; raises NotNumberError."""
        if channel not in PHONE_CHANNELS:
            return [without_shapes(cell) if cell else "" for cell in cells]
        rules = self._rules.numbers
        if all(cells) and rules.are_clean(cast("Sequence[str]", cells)):
            return cast("Sequence[str]", cells)
        return [_number(cell, rules) for cell in cells]

    def _are_numbers(self, channel: str) -> bool:
        """Whether the identities on *channel* are canonical numbers."""
        return channel in PHONE_CHANNELS and self._rules.numbers.form != "as-given"

    def _identity(self, channel: str, cells: Sequence[str]) -> list[_Part]:
        texts = cells if self._are_numbers(channel) else _escaped(cells)
        return [f'{{"channel":{encode_text(channel)},"identity":"', texts, '"}']

    def _identities(self, channel: str, cells: Sequence[str]) -> list[str]:
        """The identity of each row on *channel*, empty for none."""
        begin, found, end = self._identity(channel, cells)
        return [f"{begin}{cell}{end}" if cell else "" for cell in found]

    def _keys(self, channel: str, cells: Sequence[str]) -> list[str]:
        if self._are_numbers(channel):
            return list(map(_DIGITS, cells))
        return [cell and identity_key(channel, cell) for cell in cells]

    def _contacts(self, columns: list[_Column]) -> tuple[list[str], list[_Part] | None]:
        column = columns[cast("int", self._at.contact_id)]
        cells = [without_shapes(cell) if type(cell) is str else "" for cell in column]
        parts: list[_Part] = ['{"contact_id":"', _escaped(cells), '"}']
        return [f"\0{cell}" for cell in cells], parts if all(cells) else None

    def _metadata(self, columns: list[_Column]) -> list[_Part] | None:
        """The metadata as JSON, but for its end; None when that of a row is too long."""
        at, limits = self._at, self._rules.limits
        conversations = _pairs(at.conversation_metadata, columns)
        messages = _pairs(at.message_metadata, columns)
        # Each pair ends in a comma; braces are counted by the limits.
        if (
            max(map(len, conversations), default=0) - 1 > limits.conversation_metadata
            or max(map(len, messages), default=0) - 1 > limits.message_metadata
        ):
            return None
        form = ',"conversation_metadata":{%s}'
        found: list[_Part] = []
        if conversations:
            found.append([text and form % text[:-1] for text in conversations])
        return [*found, ',"message_metadata":{', *([messages] if messages else [])]


def _content(parts: Sequence[_Part], many: int) -> bytes:
    """The JSON list of *many* recipients; raises UnicodeEncodeError."""
    # As few parts as can be: each costs the same, however short it is.
    row: list[_Part] = ['{"recipient":']
    for part in (*parts, ""):
        if isinstance(part, str) and isinstance(row[-1], str):
            row[-1] += part
        else:
            row.append(part)
    row[-1] = _ends(cast("str", row[-1]), many)
    texts = [""] * (len(row) * many)
    for place, part in enumerate(row):
        texts[place :: len(row)] = [part] * many if isinstance(part, str) else part
    return f"[{''.join(texts)[:-1]}]".encode()


@lru_cache(maxsize=8)
def _ends(begin: str, many: int) -> list[str]:
    """The ends of recipients, with their positions in the request; each begins with *begin*."""
    begin += f'{encode_text(INDEX_MARK)}:"'
    return [f'{begin}{position}"}}}},' for position in range(many)]


def _escaped(texts: Sequence[str]) -> Sequence[str]:
    """*texts* as JSON, without its quotes."""
    joined = "".join(texts)
    if len(encode_text(joined)) == len(joined) + 2:
        # Nothing in them is to be escaped, as nearly always.
        return texts
    return [encode_text(text)[1:-1] for text in texts]


def _number(cell: str | None, rules: NumberRules) -> str:
    try:
        return rules.canonical(cell) if cell else ""
    except NotNumberError as error:
        if error.kind == "empty":
            return ""
        raise


def _recipient(identities: list[_Part]) -> list[_Part]:
    return ['{"identified_by":{"channel_identities":[', *identities, "]}}"]


def _filled(parameters: Sequence[tuple[str, Sequence[str]]]) -> list[_Part]:
    """The *parameters* as JSON, after the recipient."""
    found: list[_Part] = []
    for name, values in parameters:
        found += [f'{"," if found else ""}{encode_text(name)}:"', _escaped(values), '"']
    return [',"parameters":{', *found, "}"] if found else []


def _pairs(names: tuple[tuple[int, str], ...], columns: list[_Column]) -> list[str]:
    """The metadata of each row as pairs of JSON, a comma after each; empty without *names*."""
    found = []
    for place, name in names:
        begin = f"{encode_text(name)}:"
        found.append([f"{begin}{encode_text(cell)}," if cell else "" for cell in columns[place]])
    return found[0] if len(found) == 1 else list(map("".join, zip(*found, strict=True)))


T = TypeVar("T")

_MARKS: Final = [{INDEX_MARK: str(index)} for index in range(1000)]
_Json: TypeAlias = dict[str, object]


def cut(
    entries: Sequence[RowEntry], limit: int, *, is_messages: bool
) -> tuple[list[Block], list[Skip]]:
    """Cut *entries* into requests of at most *limit* bytes, and apart those that fit into none."""
    skips: list[Skip] = []
    encoded = _messages if is_messages else _things
    try:
        parts = list(by_bytes(entries, encoded, limit)) if entries else []
    except (TypeError, ValueError):
        sound = []
        for entry in entries:
            if _is_json(entry):
                sound.append(entry)
            else:
                skips.append(Skip(entry.line, entry.key, "holds a value that JSON cannot express"))
        parts = list(by_bytes(sound, encoded, limit)) if sound else []
    blocks = []
    for part, content in parts:
        if len(content) > limit:
            skips.append(Skip(part[0].line, part[0].key, "is too large for a request"))
            continue
        lines, keys, identities, _ = zip(*part, strict=True)
        blocks.append(Block(lines, keys, identities, content))
    return blocks, skips


def _messages(entries: Sequence[RowEntry]) -> bytes:
    items = [cast("_Json", entry.item) for entry in entries]
    for mark, item in zip(_MARKS, items, strict=False):
        own = item.get("message_metadata")
        item["message_metadata"] = mark if own is None else {**cast("_Json", own), **mark}
    return encode(items)


def _things(entries: Sequence[RowEntry]) -> bytes:
    return encode([entry.item for entry in entries])


def _is_json(entry: RowEntry) -> bool:
    try:
        encode(entry.item)
    except (TypeError, ValueError):
        return False
    return True


def by_bytes(
    items: Sequence[T], encode: Callable[[Sequence[T]], bytes], limit: int
) -> Iterator[tuple[Sequence[T], bytes]]:
    """Cut *items* so that each part encodes to at most *limit* bytes; the order stays.

    A single item beyond the limit stays a part of its own, which the caller must refuse.
    """
    content = encode(items)
    if len(content) <= limit or len(items) == 1:
        yield items, content
        return
    middle = len(items) // 2
    yield from by_bytes(items[:middle], encode, limit)
    yield from by_bytes(items[middle:], encode, limit)


class TableRows:
    """Builds the entries, or blocks, of a table whose columns are as *at* says."""

    unused: frozenset[str] = frozenset()

    def __init__(self, at: Layout, rules: RowRules, how: str = "") -> None:
        self.understood = f"{at}; {how}" if how else str(at)
        self._one = table_builder(at, rules)
        self._many = TableBlocks(at, rules)

    def __call__(self, line: int, value: object) -> RowEntry:
        """Build the entry of one row; raises InvalidError."""
        return self._one(line, cast("Cells", value))

    def block(self, lines: Sequence[int], values: Sequence[Cells]) -> Block | None:
        """Build all rows at once; None when some row must be built by itself."""
        return self._many(lines, values)
