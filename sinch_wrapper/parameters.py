"""Placeholders of a message, `${name}`, and whether the parameters of a recipient fill them.

Any string of a message may hold placeholders. A blank key, an empty value or a missing one fails
the message to that recipient after the API has accepted the batch.
Source: Sinch documentation: Batch API, send a batch.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.errors import ParameterError

__all__ = [
    "Lookalike",
    "Mismatch",
    "MismatchKind",
    "check_parameters",
    "fill",
    "lookalikes",
    "mismatches",
    "placeholders",
]

PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
"""A placeholder; its group is the name."""

MismatchKind: TypeAlias = Literal["missing", "blank_key", "empty_value", "not_text", "unused"]

_WORDS: Final[Mapping[str, str]] = {
    "missing": "required by the message but missing",
    "blank_key": "the name of a parameter is blank",
    "empty_value": "its value is empty",
    "not_text": "its value must be a string",
    "unused": "no placeholder of the message uses it",
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A parameter (*key*) that does not fit the message (*kind*); the value is never kept."""

    kind: MismatchKind
    key: str

    @property
    def is_fatal(self) -> bool:
        """Whether the API would fail the message; an unused parameter may only be a slip."""
        return self.kind != "unused"

    def __str__(self) -> str:
        return f"parameter {self.key!r}: {_WORDS[self.kind]}"


def placeholders(message: object) -> frozenset[str]:
    """The names of all `${name}` in the strings of *message*, nested ones too."""
    return frozenset(name for text in _strings(message) for name in PLACEHOLDER.findall(text))


def _strings(message: object) -> Iterator[str]:
    waiting = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, Iterable) and not isinstance(value, bytes):
            waiting.extend(value)


@dataclass(frozen=True, slots=True)
class Lookalike:
    """What looks like a placeholder and is not, such as `{name}`: it is sent as it is *written*.

    *is_likely* is false for brackets in which there may be words of the text, such as `[name]`.
    """

    written: str
    name: str
    is_likely: bool

    def matches(self, name: str) -> bool:
        """Whether a column or parameter *name* is meant, however it is spelt."""
        return _plain_name(self.name) == _plain_name(name)


_NAME: Final = r"\s*([^\W\d][\w .-]{0,60}?)\s*"
_LIKELY: Final = (
    rf"\{{\{{\{{?{_NAME}\}}\}}\}}?",
    rf"\$?\{{{_NAME}\}}",
    rf"\$\{{{_NAME}(?=$|\W)",
    rf"\$\({_NAME}\)",
    r"\$([^\W\d]\w*)",
    r"%([^\W\d]\w*)%",
    r"%\(([^\W\d]\w*)\)s",
    rf"\*\|{_NAME}\|\*",
)
_POSSIBLE: Final = (
    rf"\[\[?{_NAME}\]?\]",
    rf"<<?{_NAME}>?>",
    rf"\u00ab{_NAME}\u00bb",
    rf"#{_NAME}#",
)


@cache
def _forms() -> tuple[tuple[re.Pattern[str], bool], ...]:
    """How other programs write placeholders, and whether nothing else looks so."""
    return *((re.compile(form), True) for form in _LIKELY), *(
        (re.compile(form), False) for form in _POSSIBLE
    )


def lookalikes(message: object) -> tuple[Lookalike, ...]:
    """What looks like a placeholder in the strings of *message*, nested ones too, and is not."""
    found: dict[str, Lookalike] = {}
    for text in _strings(message):
        left = PLACEHOLDER.sub("\n", text)
        for form, is_likely in _forms():
            for match in form.finditer(left):
                found.setdefault(match[0], Lookalike(match[0], match[1], is_likely))
            left = form.sub("\n", left)
    return tuple(found.values())


def _plain_name(name: str) -> str:
    return re.sub(r"[\s._-]+", "_", name.strip()).casefold()


@forgetting
def fill(message: object, parameters: Mapping[str, str]) -> object:
    """The *message* as a recipient with these *parameters* gets it.

    Placeholders without a parameter stay as they are: check_parameters() finds them.

    Raises: TypeError when *parameters* are not strings by name.
    """
    return _filled(message, _validate.string_mapping("parameters", parameters))


def _filled(value: object, parameters: Mapping[str, object]) -> object:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: str(parameters.get(found[1], found[0])), value)
    if isinstance(value, Mapping):
        return {name: _filled(each, parameters) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, parameters) for each in value]
    return value


@forgetting
def mismatches(needed: frozenset[str], parameters: Mapping[str, object]) -> tuple[Mismatch, ...]:
    """Compare the *needed* names with *parameters*; an empty tuple means that they fit.

    Raises: TypeError for arguments of another kind.
    """
    # The exact types first: this runs for each recipient of a batch.
    if type(needed) is not frozenset and not isinstance(needed, AbstractSet):
        raise _validate.wrong_kind("needed", "a set of names, as from placeholders()", needed)
    if type(parameters) is not dict and not isinstance(parameters, Mapping):
        raise _validate.wrong_kind("parameters", "a mapping", parameters)
    found: list[Mismatch] = []
    if not needed <= parameters.keys():
        found += [Mismatch("missing", key) for key in sorted(needed - parameters.keys())]
    try:
        for key, value in parameters.items():
            if not key.strip():
                found.append(Mismatch("blank_key", key))
            elif not isinstance(value, str):
                found.append(Mismatch("not_text", key))
            elif not value:
                found.append(Mismatch("empty_value", key))
            elif key not in needed:
                found.append(Mismatch("unused", key))
    except AttributeError:
        message = "parameters= must have strings as keys"
        raise TypeError(message) from None
    return tuple(found)


@forgetting
def check_parameters(
    message: object, parameters: Mapping[str, object], recipient: int | str | None = None
) -> None:
    """Check that *parameters* fill the placeholders of *message*; unused ones are accepted.

    *recipient* is the place of the recipient in a list, a line or an index, for the error.

    Raises: ParameterError for the first parameter that is missing, blank or empty; TypeError for
    arguments of another kind.
    """
    if isinstance(recipient, bool) or not isinstance(recipient, int | str | None):
        raise _validate.wrong_kind("recipient", "a line or an index", recipient)
    for mismatch in mismatches(placeholders(message), parameters):
        if mismatch.is_fatal:
            place = "" if recipient is None else f"recipient {recipient}: "
            raise ParameterError(f"{place}{mismatch}", recipient, mismatch.key)
