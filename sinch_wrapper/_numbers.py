"""Phone numbers: one canonical form for all spellings; pure.

The canonical form is `+` and the 7 to 15 digits of E.164, which begin with a country code that
exists. What makes two numbers the same are the digits alone, because callbacks name numbers
without `+`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import is_, itemgetter
from typing import Final, Literal, TypeAlias, cast

from sinch_wrapper._number_plans import NumberPlans, number_plans
from sinch_wrapper._number_spelling import (
    FAULTS,
    WITH_ZERO,
    NotNumberError,
    check_length,
    country_code,
    spelt,
    without_shapes,
)

__all__ = [
    "FAULTS",
    "PHONE_CHANNELS",
    "NotNumberError",
    "NumberForm",
    "NumberRules",
    "channel_identities",
    "country_code",
    "digits_of",
    "identity_key",
    "number_plans",
    "single",
    "with_number",
    "with_numbers",
    "without_shapes",
]

NumberForm: TypeAlias = Literal["e164", "msisdn", "as-given"]

PHONE_CHANNELS: Final = frozenset({"SMS", "MMS", "RCS", "VIBERBM", "WHATSAPP"})
"""The channels whose identities are phone numbers; those of all others are left as they are."""

# What is nearly always a dict is soon found to be one.
_OBJECT: Final = (dict, Mapping)
# The plus, the country code, and a digit after it.
_START: Final = itemgetter(slice(5))
_PLAIN: Final = re.compile(r"\+[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class NumberRules:
    """How numbers are read.

    *form* says what digits without `+` or `00` are: `"e164"` refuses them, with `"msisdn"` they
    begin with a country code. `"as-given"` reads nothing. *country*, two letters, is the one in
    which numbers without a country code are dialled. *plans* checks lengths by country.
    """

    form: NumberForm = "e164"
    country: str | None = None
    plans: NumberPlans | None = None

    def canonical(self, text: str) -> str:
        """The number that *text* spells, as `+` and digits; raises NotNumberError."""
        if self.form == "as-given":
            return text.strip()
        if _PLAIN.fullmatch(text):
            return self._fitting(text[1:])
        return self._fitting(self._international(spelt(text)))

    def are_clean(self, texts: Sequence[str]) -> bool:
        """Whether all *texts* are canonical; the same check at a fraction of the cost."""
        joined, lengths = "".join(texts), set(map(len, texts))
        if self.form == "as-given" or not joined.isascii():
            return False
        # Each begins with the only plus that it has, when all begin with one.
        digits = joined.encode().translate(None, b"+")
        if not digits.isdigit() or len(joined) - len(digits) != len(texts):
            return False
        if min(lengths) < 8 or max(lengths) > 16:  # noqa: PLR2004 (check_length, and a plus)
            return False
        starts = set(map(_START, texts))
        if not all(map(_is_clean_start, starts)):
            return False
        return self.plans is None or self.plans.have_usual_lengths(texts, starts, lengths)

    def _international(self, text: str) -> str:
        """The digits of *text*, of which digits and plus are left, with the country code."""
        text = re.sub(r"^\+?00", "+", text)
        if text.startswith("+"):
            return text[1:]
        is_national = text.startswith("0") or self.form != "msisdn"
        if is_national and self.country is not None and self.plans is not None:
            return self.plans.international(text, self.country)
        check_length(text)
        if is_national:
            raise NotNumberError("national-form" if text.startswith("0") else "no-country")
        return text

    def _fitting(self, digits: str) -> str:
        check_length(digits)
        code = country_code(digits)
        if not code:
            raise NotNumberError("country-code")
        plans = self.plans
        if digits[len(code)] == "0" and code not in WITH_ZERO:
            plans = plans or number_plans()
            digits = digits if plans is None else plans.without_trunk_zero(digits)
        if self.plans is not None:
            self.plans.check_length(digits)
        return f"+{digits}"


_SINGLE: Final = NumberRules("msisdn")


def single(text: str) -> str:
    """The form of one number that is not part of a list: digits without `+` stay without it.

    That is how the API writes numbers in callbacks. Raises: NotNumberError.
    """
    found = _SINGLE.canonical(text)
    return text if found[1:] == text else found


def identity_key(channel: str, identity: str) -> str:
    """What makes two identities the same: the digits of a number, whatever the phone channel.

    An identity that is not a number is the same on one channel only, when all of it is.
    """
    if channel not in PHONE_CHANNELS:
        return f"{channel}\0{identity}"
    return digits_of(identity) or f"{channel}\0{identity}"


def digits_of(identity: str) -> str:
    """The digits of the number that *identity* spells, with the country code; empty for none.

    They are the key of suppression lists. Digits without `+` count as international.
    """
    try:
        return _SINGLE.canonical(identity)[1:]
    except NotNumberError:
        return ""


def channel_identities(recipient: object) -> Sequence[Mapping[str, object]]:
    """The channel identities of *recipient*, of the shape of the API; empty for another shape."""
    by = recipient.get("identified_by") if isinstance(recipient, _OBJECT) else None
    found = by.get("channel_identities") if isinstance(by, _OBJECT) else None
    return found if isinstance(found, list | tuple) else ()


def with_numbers(
    recipient: Mapping[str, object], read: Callable[[str], str]
) -> Mapping[str, object]:
    """*recipient*, of the shape of the API, with its phone numbers as *read* gives them.

    What is not of that shape stays as it is. Raises: NotNumberError.
    """
    found = channel_identities(recipient)
    identities = [with_number(each, read) for each in found]
    if all(map(is_, identities, found)):
        return recipient
    by = cast("Mapping[str, object]", recipient["identified_by"])
    return {**recipient, "identified_by": {**by, "channel_identities": identities}}


def with_number(identity: object, read: Callable[[str], str]) -> object:
    """A channel identity, of the shape of the API, with its number as *read* gives it.

    Of another identity only what cannot be seen at its ends is left out.
    """
    if not isinstance(identity, Mapping) or not isinstance(identity.get("identity"), str):
        return identity
    text = identity["identity"]
    found = read(text) if identity.get("channel") in PHONE_CHANNELS else without_shapes(text)
    return identity if found == text else {**identity, "identity": found}


@cache
def _is_clean_start(start: str) -> bool:
    """Whether a canonical number may begin so, without a 0 that may be one too much."""
    code = country_code(start[1:])
    is_known = start.startswith("+") and bool(code)
    return is_known and (code in WITH_ZERO or start[1 + len(code)] != "0")
