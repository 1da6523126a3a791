"""The time zones in which the owner of a phone number may be; pure.

Source: the table of libphonenumber (the package `phonenumbers`, extra `phone`). It is asked by
number, not by prefix: the prefix of a mobile number says nothing about where it is. A number that
is not valid counts as one of its country. Of an area code of North America all zones count that
any exchange in it has: new exchanges are missing in the table, and numbers move.
"""

from functools import cache, lru_cache
from typing import Final

from sinch_wrapper._lazy import Extra
from sinch_wrapper.bulk._windows import Zones
from sinch_wrapper.errors import BulkError

_EXTRA: Final = Extra("the time zone of a number", "phone", frozenset({"phonenumbers"}), BulkError)
_UNKNOWN: Final = ("Etc/Unknown",)
_NORTH_AMERICA: Final = "1"
_AREA: Final = 4
# The last digits of a number decide neither its kind nor its place.
_LAST: Final = 4


def zones_of(digits: str) -> Zones:
    """The time zones of the number with these *digits*, which begin with the country code.

    Empty when none is known, as for numbers of no country (+800, +870).

    Raises: BulkError when phonenumbers is not installed.
    """
    _check()
    if digits.startswith(_NORTH_AMERICA):
        return _area_zones(digits[:_AREA])
    # What decides is the same for all numbers of a block.
    return _block_zones(digits[:-_LAST] + "0" * len(digits[-_LAST:]))


@cache
def _check() -> None:
    try:
        import phonenumbers.timezone  # noqa: F401 (it is there)
    except ModuleNotFoundError:
        raise _EXTRA.missing() from None


@lru_cache(maxsize=1 << 16)
def _block_zones(digits: str) -> Zones:
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import time_zones_for_number

    try:
        number = parse(f"+{digits}")
    except NumberParseException:
        return ()
    found = tuple(time_zones_for_number(number))
    return _known(found if found != _UNKNOWN else _country_zones(str(number.country_code)))


@lru_cache(maxsize=1024)
def _area_zones(area: str) -> Zones:
    from phonenumbers.tzdata import TIMEZONE_DATA

    found = {zone for at, zones in TIMEZONE_DATA.items() if at.startswith(area) for zone in zones}
    return _known(tuple(sorted(found))) or _country_zones(_NORTH_AMERICA)


def _country_zones(code: str) -> Zones:
    from phonenumbers.tzdata import TIMEZONE_DATA

    return _known(tuple(TIMEZONE_DATA.get(code, ())))


def _known(zones: Zones) -> Zones:
    return tuple(sorted(zone for zone in zones if (zone,) != _UNKNOWN))
