"""Recipients that come as objects: JSON lines and iterables; pure."""

from collections.abc import Mapping, Sequence

from sinch_wrapper.bulk._columns import Columns, layout
from sinch_wrapper.bulk._metadata import MetadataLimits, metadata_fault
from sinch_wrapper.bulk._rows import InvalidError, Item, RowEntry, own_key
from sinch_wrapper.bulk._rows_fast import Block, TableRows
from sinch_wrapper.errors import BulkError
from sinch_wrapper.messages import Recipient
from sinch_wrapper.parameters import mismatches

# Asking for a dict or list first is ten times as fast as asking for what is like one.
_OBJECT = (dict, Mapping)
_ARRAY = (list, tuple)
_FIELDS = frozenset({"recipient", "parameters", "message_metadata", "conversation_metadata", "key"})


class ObjectBuilder:
    """Builds entries of what an iterable or a line of JSON gives.

    That is a Recipient, a pair of Recipient and parameters, an object of the API's own shape (with
    `recipient`, and `key` as the caller's key), or an object whose fields are columns.
    """

    def __init__(
        self, columns: Columns, needed: frozenset[str], limits: MetadataLimits, place: str
    ) -> None:
        self._columns = columns
        self._needed = needed
        self._limits = limits
        self._place = place
        self._tables: dict[tuple[str, ...], TableRows] = {}
        self.unused: set[str] = set()

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

    def block(self, rows: Sequence[tuple[int, object]]) -> Block | None:
        """Build all at once when they are flat and alike; None when they are not."""
        first = rows[0][1]
        if type(first) is not dict or "recipient" in first:
            return None
        header = tuple(first)
        flat = [(line, tuple(value.values())) for line, value in rows
                if type(value) is dict and tuple(value) == header]  # fmt: skip
        if len(flat) != len(rows):
            return None
        try:
            return self._table(header).block(flat)
        except InvalidError:
            return None

    def _table(self, header: tuple[str, ...]) -> TableRows:
        rows = self._tables.get(header)
        if rows is None:
            if not all(isinstance(name, str) for name in header):
                raise InvalidError("must be an object with string keys")
            try:
                found = layout(self._columns, header, self._needed, self._place)
            except BulkError as error:
                raise InvalidError(str(error).partition(": ")[2]) from None
            # A few layouts at most, or every row has fields of its own.
            if len(self._tables) > 100:  # noqa: PLR2004 (a bound on memory, no more)
                self._tables.clear()
            rows = self._tables[header] = TableRows(found, self._limits)
        return rows

    def _shaped(self, line: int, record: Mapping[str, object]) -> RowEntry:
        if not record.keys() <= _FIELDS:
            unknown = sorted(str(name) for name in record.keys() - _FIELDS)
            raise InvalidError("is not a valid recipient field", unknown[0])
        key = own_key(record, "key") if record.get("key") is not None else None
        recipient = record["recipient"]
        identity = identity_of(recipient, key)
        item: Item = {"recipient": recipient}
        parameters = record.get("parameters") or {}
        self._check_parameters(parameters, key)
        if parameters:
            item["parameters"] = parameters
        for name in ("message_metadata", "conversation_metadata"):
            if value := record.get(name):
                if fault := metadata_fault(name, value, self._limits):
                    raise InvalidError(fault, name, key)
                item[name] = value
        return RowEntry(line, key, identity, item)

    def _check_parameters(self, parameters: object, key: str | None) -> None:
        if not isinstance(parameters, _OBJECT):
            raise InvalidError("must be an object", "parameters", key)
        for mismatch in mismatches(self._needed, parameters):
            if mismatch.is_fatal:
                raise InvalidError(str(mismatch), f"parameters.{mismatch.key}", key)
            if len(self.unused) < 100:  # noqa: PLR2004 (a bound on memory, no more)
                self.unused.add(mismatch.key)


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
        by = recipient.get("identified_by")
        found = by.get("channel_identities") if isinstance(by, _OBJECT) else None
        if isinstance(found, _ARRAY) and found and all(map(_is_identity, found)):
            return f"{found[0]['channel']}\0{found[0]['identity'].strip().lstrip('+')}"
    reason = "must be {contact_id} or {identified_by: {channel_identities: [...]}}"
    raise InvalidError(reason, "recipient", key)


def _is_identity(value: object) -> bool:
    if not isinstance(value, _OBJECT):
        return False
    channel, identity = value.get("channel"), value.get("identity")
    return bool(
        isinstance(channel, str) and isinstance(identity, str) and channel and identity.strip()
    )
