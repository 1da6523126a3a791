"""From the rows of a source to the items of requests, each checked; pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sinch_wrapper._numbers import (
    PHONE_CHANNELS,
    NotNumberError,
    channel_identities,
    digits_of,
    identity_key,
    single,
    with_number,
)
from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._cells import (
    InvalidError,
    RowRules,
    opaque_identity,
    phone_number,
    template_fault,
    text_of,
)
from sinch_wrapper.bulk._columns import ABSENT, Layout
from sinch_wrapper.bulk._metadata import metadata_fault

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


Cells: TypeAlias = Sequence[object]
Build: TypeAlias = Callable[[int, Cells], RowEntry]

_NOT_EMPTY: Final = "must be a string that is not empty"


class _TableBuilder:
    """Builds the entries of one table, by position."""

    unused: frozenset[str] = frozenset()

    def __init__(self, at: Layout, rules: RowRules) -> None:
        self._at = at
        self._rules = rules
        self._width = len(at.header)
        self._extra = bool(at.message_metadata or at.conversation_metadata)

    def __call__(self, line: int, cells: Cells) -> RowEntry:
        """Build the entry of one row; raises InvalidError."""
        at = self._at
        if len(cells) != self._width:
            cells = self._fitting(cells)
        key = None
        if at.key is not None:
            key = self._read(at.key, cells, text_of)
            if not key:
                raise InvalidError(_NOT_EMPTY, at.header[at.key])
        try:
            identity, recipient = self._recipient(cells)
            item: Item = {"recipient": recipient}
            if at.parameters:
                is_strict = self._rules.is_strict and is_on(recipient, "WHATSAPP")
                item["parameters"] = self._parameters(cells, is_strict=is_strict)
            if self._extra:
                self._add_metadata(item, cells)
        except InvalidError as error:
            error.key = key
            raise
        return RowEntry(line, key, identity, item)

    def _fitting(self, cells: Cells) -> Cells:
        """*cells* without empty ones beyond the header, which a spreadsheet may add."""
        if (
            any(cell is not None and cell != "" for cell in cells[self._width :])
            or len(cells) < self._width
        ):
            found = f"{counted(len(cells), 'cell')} instead of {self._width}"
            raise InvalidError(f"{found}: check quotes and separators")
        return cells[: self._width]

    def _read(self, at: int, cells: Cells, read: Callable[[object], str]) -> str:
        """What *read* makes of a cell; raises InvalidError that names the column."""
        try:
            return read(cells[at])
        except InvalidError as error:
            error.column = self._at.header[at]
            raise

    def _recipient(self, cells: Cells) -> tuple[str, Item]:
        identities = []
        for position, channel in self._at.to:
            is_phone = channel in PHONE_CHANNELS
            if value := self._read(position, cells, self._number if is_phone else opaque_identity):
                identities.append({"channel": channel, "identity": value})
        if identities:
            first = identities[0]
            identity = identity_key(first["channel"], first["identity"])
            return identity, {"identified_by": {"channel_identities": identities}}
        contact = self._contact(cells)
        return f"\0{contact}", {"contact_id": contact}

    def _number(self, value: object) -> str:
        return phone_number(value, self._rules.numbers)

    def _contact(self, cells: Cells) -> str:
        at = self._at
        if at.contact_id is not None and (
            found := self._read(at.contact_id, cells, opaque_identity)
        ):
            return found
        first = at.to[0][0] if at.to else at.contact_id
        raise InvalidError("is empty: there is no recipient", at.header[first or 0])

    def _parameters(self, cells: Cells, *, is_strict: bool) -> dict[str, str]:
        found = {}
        for position, name in self._at.parameters:
            default = self._rules.defaults.get(name, "")
            value = default if position == ABSENT else self._read(position, cells, text_of)
            value = value if value.strip() else default or value
            if fault := parameter_fault(value, is_strict=is_strict):
                raise InvalidError(fault, "" if position == ABSENT else self._at.header[position])
            found[name] = value
        return found

    def _add_metadata(self, item: Item, cells: Cells) -> None:
        for field in ("message_metadata", "conversation_metadata"):
            pairs = getattr(self._at, field)
            found = {name: text for at, name in pairs
                     if (text := self._read(at, cells, text_of))}  # fmt: skip
            if found:
                if fault := metadata_fault(field, found, self._rules.limits):
                    raise InvalidError(fault, field)
                item[field] = found


def parameter_fault(value: str, *, is_strict: bool) -> str:
    """Why *value* cannot be sent as a parameter; empty when it can."""
    if not value:
        return "is empty, and the message needs it"
    return template_fault(value) if is_strict else ""


def is_on(recipient: Mapping[str, object], channel: str) -> bool:
    """Whether *recipient* has an identity on *channel*."""
    return any(each.get("channel") == channel for each in channel_identities(recipient))


def table_builder(at: Layout, rules: RowRules) -> Build:
    """Return what builds the entries of a table; it raises InvalidError for a row at fault."""
    return _TableBuilder(at, rules)


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
    """Builds the entries of one *kind*; an item stays as it is, but for its numbers."""

    unused: frozenset[str] = frozenset()
    understood = ""

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
            return RowEntry(line, None, "", _contact(value))
        known = value["identification"]
        # A number, or the id of a contact.
        digits = digits_of(known) if isinstance(known, str) else ""
        item = {**value, "identification": single(known)} if digits else dict(value)
        return RowEntry(line, None, f"{value['consent_type']}\0{digits or known}", item)

    def block(self, _lines: Sequence[int], _values: Sequence[object]) -> None:
        """Return None: each row is built by itself."""


def _contact(value: Mapping[str, object]) -> Item:
    found = value["channel_identities"]
    if not isinstance(found, list | tuple):
        return dict(value)
    try:
        return {**value, "channel_identities": [with_number(each, single) for each in found]}
    except NotNumberError as error:
        raise InvalidError(str(error), "channel_identities") from None
