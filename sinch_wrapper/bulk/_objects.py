"""Recipients that come as objects: JSON lines and iterables; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from sinch_wrapper.bulk._columns import Columns, layout
from sinch_wrapper.bulk._entries import (
    Build,
    Cells,
    Entry,
    InvalidError,
    Item,
    own_key,
    table_builder,
)
from sinch_wrapper.bulk._metadata import MetadataLimits, metadata_fault
from sinch_wrapper.errors import BulkError
from sinch_wrapper.messages import Recipient
from sinch_wrapper.parameters import mismatches

__all__ = ["ObjectBuilder"]

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
        self._tables: dict[tuple[str, ...], Build] = {}
        self.unused: set[str] = set()

    def __call__(self, line: int, value: object) -> Entry:
        """Build the entry of *value*; raises InvalidError."""
        if isinstance(value, Recipient):
            return self._shaped(line, {"recipient": value})
        if isinstance(value, tuple):
            return self._shaped(line, _pair(value))
        if not isinstance(value, Mapping):
            raise InvalidError(f"must be an object, not {type(value).__name__}")
        if "recipient" in value:
            return self._shaped(line, value)
        return self._flat(line, value)

    def _flat(self, line: int, record: Mapping[str, object]) -> Entry:
        header = tuple(record)
        build = self._tables.get(header)
        if build is None:
            try:
                found = layout(self._columns, header, self._needed, self._place)
            except BulkError as error:
                raise InvalidError(str(error).partition(": ")[2]) from None
            # A few layouts at most, or every row has fields of its own.
            if len(self._tables) > 100:  # noqa: PLR2004 (a bound on memory, no more)
                self._tables.clear()
            build = self._tables[header] = table_builder(found, self._limits)
        return build(line, cast("Cells", tuple(record.values())))

    def _shaped(self, line: int, record: Mapping[str, object]) -> Entry:
        if unknown := sorted(str(name) for name in record.keys() - _FIELDS):
            raise InvalidError("is no field of a recipient", unknown[0])
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
        return Entry(line, key, identity, item)

    def _check_parameters(self, parameters: object, key: str | None) -> None:
        if not isinstance(parameters, Mapping):
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
    if isinstance(recipient, Mapping):
        contact = recipient.get("contact_id")
        if isinstance(contact, str) and contact:
            return f"\0{contact}"
        for channel, identity in _identities(recipient.get("identified_by")):
            return f"{channel}\0{identity.lstrip('+')}"
    reason = "must be {contact_id} or {identified_by: {channel_identities: [...]}}"
    raise InvalidError(reason, "recipient", key)


def _identities(value: object) -> Iterator[tuple[str, str]]:
    found = value.get("channel_identities") if isinstance(value, Mapping) else None
    for each in found if isinstance(found, Sequence) and not isinstance(found, str) else ():
        if not isinstance(each, Mapping):
            return
        channel, identity = each.get("channel"), each.get("identity")
        if isinstance(channel, str) and isinstance(identity, str) and channel and identity.strip():
            yield channel, identity.strip()
        else:
            return
