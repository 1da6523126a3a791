"""Items of the other batch operations: contacts to create or delete, consents; pure."""

from collections.abc import Mapping, Sequence

from sinch_wrapper.bulk._recipients.entries import Entry, InvalidError

__all__ = ["ItemBuilder"]

_REQUIRED = {
    "create-contacts": ("channel_identities", "language"),
    "insert-consents": ("identification", "consent_type"),
}


class ItemBuilder:
    """Builds the entries of one *kind*; the item itself goes into the request unchanged."""

    unused: frozenset[str] = frozenset()

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __call__(self, line: int, value: object) -> Entry:
        """Build the entry of *value*; raises InvalidError."""
        if self._kind == "delete-contacts":
            contact = value.get("contact_id") if isinstance(value, Mapping) else value
            if not isinstance(contact, str) or not contact.strip():
                raise InvalidError("must be a contact id, a text that is not empty", "contact_id")
            return Entry(line, None, f"\0{contact}", contact)
        if not isinstance(value, Mapping):
            raise InvalidError(f"must be an object, not {type(value).__name__}")
        for name in _REQUIRED[self._kind]:
            if not value.get(name):
                raise InvalidError("is missing or empty", name)
        if self._kind == "create-contacts":
            return Entry(line, None, "", dict(value))
        identity = f"{value['consent_type']}\0{value['identification']}"
        return Entry(line, None, identity, dict(value))

    def block(self, _rows: Sequence[tuple[int, object]]) -> None:
        """Each is looked at by itself."""
