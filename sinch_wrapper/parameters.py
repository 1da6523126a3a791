"""Placeholders of a message, `${name}`, and whether the parameters of a recipient fill them.

Source: Sinch documentation: Batch API, send a batch. A placeholder may stand in any string of the
message; a blank key, an empty value or a missing one fails that one message after the batch was
accepted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sinch_wrapper.errors import ParameterError

__all__ = ["Mismatch", "MismatchKind", "check_parameters", "mismatches", "placeholders"]

_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")

MismatchKind: TypeAlias = Literal["missing", "blank_key", "empty_value", "not_text", "unused"]

_WORDS: Final[Mapping[str, str]] = {
    "missing": "the message needs it, and it is missing",
    "blank_key": "the name of a parameter is blank",
    "empty_value": "its value is empty",
    "not_text": "its value must be a text",
    "unused": "no placeholder of the message uses it",
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One parameter that does not fit the message; the value itself is never kept."""

    kind: MismatchKind
    key: str

    @property
    def is_fatal(self) -> bool:
        """Whether the API would fail the message; an unused parameter is only a sign of a slip."""
        return self.kind != "unused"

    def __str__(self) -> str:
        return f"parameter {self.key!r}: {_WORDS[self.kind]}"


def placeholders(message: object) -> frozenset[str]:
    """The names of all `${name}` in the strings of *message*, nested ones too."""
    found: set[str] = set()
    waiting = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.update(_PLACEHOLDER.findall(value))
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, Iterable) and not isinstance(value, bytes):
            waiting.extend(value)
    return frozenset(found)


def mismatches(needed: frozenset[str], parameters: Mapping[str, object]) -> tuple[Mismatch, ...]:
    """Compare the *needed* names with *parameters*; an empty tuple means that they fit."""
    found: list[Mismatch] = []
    if not needed <= parameters.keys():
        found += [Mismatch("missing", key) for key in sorted(needed - parameters.keys())]
    for key, value in parameters.items():
        if not key.strip():
            found.append(Mismatch("blank_key", key))
        elif not isinstance(value, str):
            found.append(Mismatch("not_text", key))
        elif not value:
            found.append(Mismatch("empty_value", key))
        elif key not in needed:
            found.append(Mismatch("unused", key))
    return tuple(found)


def check_parameters(
    message: object, parameters: Mapping[str, object], recipient: int | str | None = None
) -> None:
    """Check that *parameters* fill the placeholders of *message*; unused ones are accepted.

    *recipient* is the place of the recipient, a line or an index, for the error.

    Raises: ParameterError for the first parameter that is missing, blank or empty.
    """
    for mismatch in mismatches(placeholders(message), parameters):
        if mismatch.is_fatal:
            place = "" if recipient is None else f"recipient {recipient}: "
            raise ParameterError(f"{place}{mismatch}", recipient, mismatch.key)
