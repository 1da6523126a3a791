"""What a cell holds, whatever made it: text, a number, nothing; and what cannot be sent; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from numbers import Integral, Real
from typing import Final

from sinch_wrapper._numbers import NotNumberError, NumberRules, without_shapes
from sinch_wrapper.bulk._metadata import MetadataLimits
from sinch_wrapper.parameters import Lookalike

NOT_STRING: Final = "must be a string; quote the number so that no digits are lost"
_PRECISE: Final = 10**15
_REMEDIES: Final = {
    "no-country": "write + before it, or say what such numbers are with "
    'numbers="msisdn" or default_country="SE"',
    "national-form": "write + and the country code, or say in which country it is dialled, "
    'default_country="SE"',
    "excel-rounded": "format the column as text, enter it anew, and export again",
    "excel-error": "correct it in the spreadsheet",
    "formula": "export values, not formulas",
    "date": "format the column as text",
    "letters": "correct it, or choose another column",
    "characters": "remove them",
    "two-numbers": "keep one of them",
    "extension": "give the number alone",
    "plus-inside": "write it once, in front",
    "country-code": "correct it",
    "too-short": 'correct it; short codes need numbers="as-given"',
    "too-long": "correct it",
}


class InvalidError(Exception):
    """A row cannot be sent: for what *reason*, and which *column* is at fault."""

    def __init__(self, reason: str, column: str = "", key: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.key = key


@dataclass(frozen=True, slots=True)
class RowRules:
    """What makes a row right: the room for metadata, how numbers are read, and defaults.

    *defaults* stand in for parameters that are empty. *is_strict* says that WhatsApp gets a
    template, whose parameters must be one line. *lookalikes* are those of the message.
    """

    limits: MetadataLimits
    numbers: NumberRules = field(default_factory=NumberRules)
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_strict: bool = False
    lookalikes: Sequence[Lookalike] = ()

    def mistaken(self, names: Iterable[str]) -> str:
        """What is wrong with the message, which names one of these *names* in another form."""
        for name in names if self.lookalikes else ():
            for each in self.lookalikes:
                if each.matches(name):
                    return f"{each.written} in the message is not a placeholder: write ${{{name}}}"
        return ""


def text_of(value: object) -> str:
    """The string in a cell; empty for none. Raises InvalidError for anything else."""
    if is_missing(value):
        return ""
    if not isinstance(value, str):
        raise InvalidError(NOT_STRING if isinstance(value, Real) else _not_string(value))
    return str(value)


def is_missing(value: object) -> bool:
    """Whether a cell holds nothing: None, NaN, or the like of other libraries."""
    if value is None:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, Real):
        return bool(value != value)  # noqa: PLR0124 (only NaN differs from itself)
    kind = type(value)
    return kind.__name__ in {"NAType", "NaTType"} and kind.__module__.startswith("pandas")


def number_text(value: object) -> str:
    """The digits that a cell holds as a number, or its string; empty for none.

    Raises: InvalidError for what has lost digits, or is not a number.
    """
    if isinstance(value, str) or is_missing(value):
        return text_of(value)
    if isinstance(value, bool) or not isinstance(value, Integral | float | Decimal):
        raise InvalidError(_not_string(value))
    if not 0 < float(value) < _PRECISE or value != int(value):
        raise refused(NotNumberError("excel-rounded"))
    return str(int(value))


def _not_string(value: object) -> str:
    if isinstance(value, date):
        return "is a date: write it as a string, as it should be read"
    return f"must be a string, not {type(value).__name__}"


def refused(error: NotNumberError) -> InvalidError:
    """What is said about a row whose number is at fault, with what to do about it."""
    remedy = _REMEDIES.get(error.kind)
    return InvalidError(f"{error}: {remedy}" if remedy else str(error))


def phone_number(value: object, rules: NumberRules) -> str:
    """The number in a cell, as it is sent; empty for none. Raises InvalidError."""
    text = number_text(value)
    if not text:
        return ""
    try:
        return rules.canonical(text)
    except NotNumberError as error:
        if error.kind == "empty":
            return ""
        raise refused(error) from None


def opaque_identity(value: object) -> str:
    """The identity in a cell of a channel without numbers; empty for none. Raises InvalidError."""
    return without_shapes(text_of(value))


# Meta refuses the parameter of a template that has one of these.
_NOT_IN_TEMPLATES: Final = re.compile(r"[\n\r\t]| {5}")


def template_fault(value: str) -> str:
    """Why WhatsApp refuses *value* as the parameter of a template; empty when it does not.

    Source: Meta, WhatsApp Business Platform, error 132000 ff.: "Param text cannot have
    new-line/tab characters or more than 4 consecutive spaces".
    """
    if not value.strip():
        return "is blank, which WhatsApp refuses in a template"
    if _NOT_IN_TEMPLATES.search(value):
        return "has a line break, a tab or five blanks, which WhatsApp refuses in a template"
    return ""
