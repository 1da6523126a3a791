"""From the rows of a source to the items of requests, each checked; pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._columns import Layout
from sinch_wrapper.bulk._metadata import MetadataLimits, metadata_fault

Item: TypeAlias = dict[str, object]


class RowEntry(NamedTuple):
    """One row, ready to be sent.

    *key* is None when the line number is the key. Rows of equal *identity* are duplicates, unless
    it is empty.
    """

    line: int
    key: str | None
    identity: str
    item: object

    def __repr__(self) -> str:
        return f"RowEntry(line={self.line})"


class Skip(NamedTuple):
    """One row that is left out, and why; *column* is empty when the whole row is at fault."""

    line: int
    key: str | None
    reason: str
    column: str = ""
    duplicate: bool = False

    def __repr__(self) -> str:
        return f"Skip(line={self.line}, reason={self.reason!r}, column={self.column!r})"


class InvalidError(Exception):
    """A row cannot be sent: for what *reason*, and which *column* is at fault."""

    def __init__(self, reason: str, column: str = "", key: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.key = key


Cells: TypeAlias = Sequence[str | None]
Build: TypeAlias = Callable[[int, Cells], RowEntry]

_NOT_EMPTY: Final = "must be a string that is not empty"
_NOT_STRING: Final = "must be a string; quote the number so that no digits are lost"


class _TableBuilder:
    """Builds the entries of one table, by position."""

    unused: frozenset[str] = frozenset()

    def __init__(self, at: Layout, limits: MetadataLimits) -> None:
        self._at = at
        self._limits = limits
        self._width = len(at.header)
        self._extra = bool(at.message_metadata or at.conversation_metadata)

    def __call__(self, line: int, cells: Cells) -> RowEntry:
        """Build the entry of one row; raises InvalidError."""
        at = self._at
        if len(cells) != self._width:
            found = f"{counted(len(cells), 'cell')} instead of {self._width}"
            raise InvalidError(f"{found}: check quotes and separators")
        key = None
        if at.key is not None:
            key = cells[at.key]
            if type(key) is not str or not key:
                raise InvalidError(_NOT_EMPTY, at.header[at.key])
        identity, recipient = self._recipient(cells, key)
        item: Item = {"recipient": recipient}
        if at.parameters:
            item["parameters"] = parameters = {name: cells[place] for place, name in at.parameters}
            values = parameters.values()
            try:
                # The cheapest check that all are strings; None counts as empty.
                "".join(values)  # type: ignore[arg-type]  # that is what is checked
            except TypeError:
                self._blame(cells, key)
            if not all(values):
                self._blame(cells, key)
        if self._extra:
            self._add_metadata(item, cells, key)
        return RowEntry(line, key, identity, item)

    def _recipient(self, cells: Cells, key: str | None) -> tuple[str, Item]:
        identities = []
        for position, channel in self._at.to:
            value = cells[position]
            if value:
                if type(value) is not str:
                    raise InvalidError(_NOT_STRING, self._at.header[position], key)
                if value := value.strip():
                    identities.append({"channel": channel, "identity": value})
        if identities:
            first = identities[0]
            identity = f"{first['channel']}\0{first['identity'].lstrip('+')}"
            return identity, {"identified_by": {"channel_identities": identities}}
        contact = self._contact(cells, key)
        return f"\0{contact}", {"contact_id": contact}

    def _blame(self, cells: Cells, key: str | None) -> None:
        for position, _ in self._at.parameters:
            if not isinstance(cells[position], str | None):
                raise InvalidError(_NOT_STRING, self._at.header[position], key)
        empty = next(place for place, _ in self._at.parameters if not cells[place])
        raise InvalidError("is empty, and the message needs it", self._at.header[empty], key)

    def _contact(self, cells: Cells, key: str | None) -> str:
        at = self._at
        value = None if at.contact_id is None else cells[at.contact_id]
        if isinstance(value, str) and value.strip():
            return value.strip()
        first = at.to[0][0] if at.to else at.contact_id
        raise InvalidError("is empty: there is no recipient", at.header[first or 0], key)

    def _add_metadata(self, item: Item, cells: Cells, key: str | None) -> None:
        for field in ("message_metadata", "conversation_metadata"):
            pairs = getattr(self._at, field)
            found = {name: cells[at] for at, name in pairs if not _is_blank(cells[at])}
            if found:
                if fault := metadata_fault(field, found, self._limits):
                    raise InvalidError(fault, field, key)
                item[field] = found


def table_builder(at: Layout, limits: MetadataLimits) -> Build:
    """Return what builds the entries of a table; it raises InvalidError for a row at fault."""
    return _TableBuilder(at, limits)


def _is_blank(cell: object) -> bool:
    # Cells of a Parquet file may be anything, even what has no hash.
    return cell is None or cell == ""


def own_key(record: Mapping[str, object], name: str | None) -> str | None:
    """The caller's key in *record*, None without a column for it; raises InvalidError."""
    if name is None:
        return None
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidError(_NOT_EMPTY, name)
    return value


_REQUIRED = {
    "create-contacts": ("channel_identities", "language"),
    "insert-consents": ("identification", "consent_type"),
}


class ItemBuilder:
    """Builds the entries of one *kind*; the item itself goes into the request unchanged."""

    unused: frozenset[str] = frozenset()

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __call__(self, line: int, value: object) -> RowEntry:
        """Build the entry of *value*; raises InvalidError."""
        if self._kind == "delete-contacts":
            contact = value.get("contact_id") if isinstance(value, Mapping) else value
            if not isinstance(contact, str) or not contact.strip():
                raise InvalidError("must be a contact id, a string that is not empty", "contact_id")
            return RowEntry(line, None, f"\0{contact}", contact)
        if not isinstance(value, Mapping):
            raise InvalidError(f"must be an object, not {type(value).__name__}")
        for name in _REQUIRED[self._kind]:
            if not value.get(name):
                raise InvalidError("is missing or empty", name)
        if self._kind == "create-contacts":
            return RowEntry(line, None, "", dict(value))
        identity = f"{value['consent_type']}\0{value['identification']}"
        return RowEntry(line, None, identity, dict(value))

    def block(self, _rows: Sequence[tuple[int, object]]) -> None:
        """Return None: each row is built by itself."""
