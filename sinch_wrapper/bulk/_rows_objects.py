"""Recipients that come as objects: JSON lines and iterables; pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from sinch_wrapper._numbers import NotNumberError, channel_identities, identity_key, with_numbers
from sinch_wrapper.bulk._cells import InvalidError, RowRules, is_missing, refused, template_fault
from sinch_wrapper.bulk._columns import Columns, layout
from sinch_wrapper.bulk._metadata import metadata_fault
from sinch_wrapper.bulk._rows import Item, RowEntry, is_on, own_key
from sinch_wrapper.bulk._rows_fast import Block, TableRows
from sinch_wrapper.errors import BulkError
from sinch_wrapper.messages import Recipient
from sinch_wrapper.parameters import mismatches

_Json: TypeAlias = Mapping[str, object]
# Asking for a dict or list first is ten times as fast as asking for what is like one.
_OBJECT = (dict, Mapping)
_FIELDS = frozenset({"recipient", "parameters", "message_metadata", "conversation_metadata", "key"})


class ObjectBuilder:
    """Builds entries of what an iterable or a line of JSON gives.

    That is a Recipient, a pair of Recipient and parameters, an object of the API's own shape (with
    `recipient`, and `key` as the caller's key), or an object whose fields are columns.
    """

    def __init__(
        self, columns: Columns, needed: frozenset[str], rules: RowRules, place: str
    ) -> None:
        self._columns = columns
        self._needed = needed
        self._rules = rules
        self._place = place
        self._optional = rules.defaults.keys()
        self._tables: dict[tuple[str, ...], TableRows] = {}
        self.unused: set[str] = set()
        self.understood = ""

    def __call__(self, line: int, value: object) -> RowEntry:
        """Build the entry of *value*; raises InvalidError."""
        if isinstance(value, Recipient):
            return self._shaped(line, {"recipient": value})
        if isinstance(value, tuple):
            return self._shaped(line, _pair(value))
        if not isinstance(value, _OBJECT):
            raise InvalidError(f"must be an object, not {type(value).__name__}")
        if "recipient" in value:
            return self._shaped(line, value)
        return self._table(tuple(value))(line, tuple(value.values()))

    def block(self, lines: Sequence[int], values: Sequence[object]) -> Block | None:
        """Build all at once when they are flat and alike; None when they are not."""
        first = values[0]
        if type(first) is not dict or "recipient" in first:
            return None
        header = tuple(first)
        flat = [tuple(value.values()) for value in values
                if type(value) is dict and tuple(value) == header]  # fmt: skip
        if len(flat) != len(values):
            return None
        try:
            return self._table(header).block(lines, flat)
        except InvalidError:
            return None

    def _table(self, header: tuple[str, ...]) -> TableRows:
        rows = self._tables.get(header)
        if rows is None:
            if not all(isinstance(name, str) for name in header):
                raise InvalidError("must be an object with string keys")
            try:
                found = layout(self._columns, header, self._needed, self._place, self._optional)
            except BulkError as error:
                raise InvalidError(str(error).partition(": ")[2]) from None
            if fault := self._rules.mistaken(header):
                raise InvalidError(fault)
            # A few layouts at most, or every row has fields of its own.
            if len(self._tables) > 100:  # noqa: PLR2004 (a bound on memory, no more)
                self._tables.clear()
            rows = self._tables[header] = TableRows(found, self._rules)
            self.understood = self.understood or rows.understood
        return rows

    def _shaped(self, line: int, record: Mapping[str, object]) -> RowEntry:
        if not record.keys() <= _FIELDS:
            unknown = sorted(str(name) for name in record.keys() - _FIELDS)
            raise InvalidError("is not a valid recipient field", unknown[0])
        key = own_key(record, "key") if record.get("key") is not None else None
        identity, recipient = self._recipient(record["recipient"], key)
        item: Item = {"recipient": recipient}
        parameters = self._parameters(record.get("parameters"), recipient, key)
        if parameters:
            item["parameters"] = parameters
        for name in ("message_metadata", "conversation_metadata"):
            if value := record.get(name):
                if fault := metadata_fault(name, value, self._rules.limits):
                    raise InvalidError(fault, name, key)
                item[name] = value
        return RowEntry(line, key, identity, item)

    def _recipient(self, given: object, key: str | None) -> tuple[str, Mapping[str, object]]:
        identity_of(given, key)
        try:
            recipient = with_numbers(cast("_Json", given), self._rules.numbers.canonical)
        except NotNumberError as error:
            raise InvalidError(refused(error).reason, "recipient", key) from None
        return identity_of(recipient, key), recipient

    def _parameters(
        self, given: object, recipient: Mapping[str, object], key: str | None
    ) -> Mapping[str, object]:
        parameters = {} if is_missing(given) else given
        if not isinstance(parameters, _OBJECT):
            raise InvalidError("must be an object", "parameters", key)
        if self._rules.defaults:
            parameters = self._filled(parameters)
        if fault := self._rules.mistaken(map(str, parameters)):
            raise InvalidError(fault, "parameters", key)
        for mismatch in mismatches(self._needed, parameters):
            if mismatch.is_fatal:
                raise InvalidError(str(mismatch), f"parameters.{mismatch.key}", key)
            if len(self.unused) < 100:  # noqa: PLR2004 (a bound on memory, no more)
                self.unused.add(mismatch.key)
        if self._rules.is_strict and is_on(recipient, "WHATSAPP"):
            for name, value in parameters.items():
                if fault := template_fault(str(value)):
                    raise InvalidError(fault, f"parameters.{name}", key)
        return parameters

    def _filled(self, parameters: Mapping[str, object]) -> Mapping[str, object]:
        """*parameters* with defaults for those that are missing or blank."""
        defaults = {
            name: text
            for name, text in self._rules.defaults.items()
            if is_missing(value := parameters.get(name))
            or (isinstance(value, str) and not value.strip())
        }
        return {**parameters, **defaults} if defaults else parameters


def _pair(value: tuple[object, ...]) -> Mapping[str, object]:
    if len(value) != 2:  # noqa: PLR2004 (a pair)
        raise InvalidError("must be a pair of recipient and parameters")
    return {"recipient": value[0], "parameters": value[1]}


def identity_of(recipient: object, key: str | None = None) -> str:
    """What makes *recipient* equal to another one; raises InvalidError for a wrong shape."""
    if isinstance(recipient, _OBJECT):
        contact = recipient.get("contact_id")
        if isinstance(contact, str) and contact:
            return f"\0{contact}"
        found = channel_identities(recipient)
        if found and all(map(_is_identity, found)):
            return identity_key(str(found[0]["channel"]), str(found[0]["identity"]))
    reason = "must be {contact_id} or {identified_by: {channel_identities: [...]}}"
    raise InvalidError(reason, "recipient", key)


def _is_identity(value: object) -> bool:
    if not isinstance(value, _OBJECT):
        return False
    channel, identity = value.get("channel"), value.get("identity")
    return bool(
        isinstance(channel, str) and isinstance(identity, str) and channel and identity.strip()
    )
