"""What a recipient reads: placeholders filled, and the text that a message is as SMS; pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from sinch_wrapper.parameters import PLACEHOLDER

SMS: Final = "SMS"


class TextForm:
    """Text with placeholders, ready to be filled many times."""

    def __init__(self, text: str) -> None:
        pieces = PLACEHOLDER.split(text)
        self.fixed = "".join(pieces[::2])
        self._names = pieces[1::2]
        self._form = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])

    def __repr__(self) -> str:
        return f"TextForm({len(self._names)} placeholders)"

    def fill(self, parameters: Mapping[str, str]) -> str:
        """The text of one recipient."""
        return self._form % tuple(parameters[name] for name in self._names)

    def columns(self, parameters: Mapping[str, Sequence[str]]) -> list[Sequence[str]]:
        """The values of each placeholder in turn, of *parameters* that are given by columns."""
        return [parameters[name] for name in self._names]

    def fill_all(self, columns: Sequence[Sequence[str]], many: int) -> list[str]:
        """The texts of *many* recipients, of whom columns() gave the values."""
        return list(map(self._form.__mod__, zip(*columns, strict=True))) or [self.fixed] * many

    def lengths(self, columns: Sequence[Sequence[str]], many: int) -> list[int]:
        """The lengths of these texts."""
        fixed = len(self.fixed)
        if len(columns) == 1:
            return [fixed + len(value) for value in columns[0]]
        rows = zip(*(map(len, column) for column in columns), strict=True)
        return [fixed + sum(row) for row in rows] or [fixed] * many


def sms_text(message: object) -> tuple[str | None, str]:
    """The text of *message* as SMS; when nobody but the API knows it, None and the reason."""
    if not isinstance(message, Mapping):
        return None, "it is not a message"
    for name in ("explicit_channel_message", "channel_specific_message"):
        if _of_sms(message.get(name)) is not None:
            return None, f"its {name} has a form of its own for SMS"
    own = _of_sms(message.get("explicit_channel_omni_message"))
    content = own if isinstance(own, Mapping) else message
    found = content.get("text_message")
    text = found.get("text") if isinstance(found, Mapping) else None
    if isinstance(text, str) and text:
        return text, ""
    if "template_message" in content or "template_reference" in content:
        return None, "its text is in a stored template"
    kind = next((name for name in content if name.endswith("_message")), "message")
    return None, f"the API turns a {kind} into text"


def _of_sms(table: object) -> object:
    if not isinstance(table, Mapping):
        return None
    return next((value for name, value in table.items() if str(name).upper() == SMS), None)
