"""What the library phonenumbers knows of the numbers of countries (extra: phone)."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from sinch_wrapper._number_spelling import NotNumberError, country_code

HINT: Final = 'pip install "sinch-wrapper[phone]"'


class NumberPlans:
    """National forms, and the lengths of numbers by country.

    It never asks whether a number is valid: plans change faster than the library.
    """

    def __init__(self) -> None:
        import phonenumbers

        self._library: Any = phonenumbers
        self._lengths: dict[str, frozenset[int]] = {}
        self._usual: set[tuple[str, int]] = set()

    def has_country(self, country: str) -> bool:
        """Whether *country* is the two-letter code of a country."""
        return country in self._library.SUPPORTED_REGIONS

    def international(self, digits: str, country: str) -> str:
        """The digits of a number as it is dialled in *country*, with the country code.

        A valid national form comes first, then a valid international one, then a national form of
        a possible length. Raises: NotNumberError.
        """
        national, abroad = self._parsed(digits, country), self._parsed(f"+{digits}", None)
        for found in (national, abroad):
            if found is not None and self._library.is_valid_number(found):
                return self._digits(found)
        if national is not None and self._library.is_possible_number(national):
            return self._digits(national)
        code = str(self._library.country_code_for_region(country))
        raise NotNumberError(self._fault(code + digits.lstrip("0")) or "no-country")

    def without_trunk_zero(self, digits: str) -> str:
        """*digits* without the 0 that is not dialled from abroad, where the country has one."""
        found = self._parsed(f"+{digits}", None)
        return digits if found is None else self._digits(found)

    def check_length(self, digits: str) -> None:
        """Raise NotNumberError when no number of that country has as many digits."""
        if fault := self._fault(digits):
            raise NotNumberError(fault)

    def have_usual_lengths(
        self, numbers: Sequence[str], starts: Iterable[str], lengths: Iterable[int]
    ) -> bool:
        """Whether check_length() accepts all *numbers*, which are canonical.

        *starts* are their first five characters, *lengths* their lengths, each once.
        """
        pairs = {(start, length) for start in starts for length in lengths}
        if not pairs <= self._usual:
            # Not each start is there with each length.
            pairs = {(number[:5], len(number)) for number in numbers} - self._usual
            if any(self._fault(start[1:].ljust(length - 1, "9")) for start, length in pairs):
                return False
            self._usual |= pairs
        return True

    def _parsed(self, text: str, country: str | None) -> Any:  # noqa: ANN401 (a PhoneNumber of an optional library)
        try:
            return self._library.parse(text, country)
        except self._library.NumberParseException:
            return None

    def _digits(self, number: Any) -> str:  # noqa: ANN401 (as above)
        form = self._library.PhoneNumberFormat.E164
        return str(self._library.format_number(number, form))[1:]

    def _fault(self, digits: str) -> str:
        code = country_code(digits)
        known = self._lengths.get(code)
        if known is None:
            known = self._lengths[code] = self._lengths_of(code)
        if not known or len(digits) in known:
            return ""
        return "too-short" if len(digits) < max(known) else "too-long"

    def _lengths_of(self, code: str) -> frozenset[int]:
        region = self._library.region_code_for_country_code(int(code)) if code else "ZZ"
        kind = self._library.PhoneMetadata
        found = kind.metadata_for_region_or_calling_code(int(code), region) if code else None
        lengths = () if found is None else found.general_desc.possible_length
        return frozenset(len(code) + length for length in lengths if length > 0)


@cache
def number_plans() -> NumberPlans | None:
    """The plans; None when the library is not installed."""
    return None if find_spec("phonenumbers") is None else NumberPlans()
