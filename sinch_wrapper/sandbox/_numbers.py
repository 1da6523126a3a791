"""Phone numbers: which notations are the same number, and what is none.

The canonical form is the digits of E.164, country code first. Notations of one number differ in a
plus or 00, blanks, brackets, hyphens, characters without a shape, or other digits of Unicode.
"""

import re
import unicodedata
from functools import lru_cache

_CHANNELS = frozenset({"SMS", "MMS", "RCS", "VIBERBM", "WHATSAPP"})
_PLAIN = re.compile(r"\+?([1-9][0-9]{6,14})")
_WRITTEN = re.compile(r"(?:tel:|sms:|whatsapp:)?(?:\+|00)?([1-9][0-9]{6,14})")
_TRUNK_ZERO = re.compile(r"(?<=[0-9])\(0\)")
# Format characters, blanks and line ends, hyphens; the brackets, dots and slashes besides.
_DROPPED = frozenset({"Cf", "Zs", "Zl", "Zp", "Pd"})
_MARKS = frozenset("().[]/\u2212\u00b7")


def is_phone_channel(channel: str) -> bool:
    """Say whether identities of *channel* are phone numbers."""
    return channel in _CHANNELS


def digits_of(text: str) -> str:
    """Return the number that *text* writes, as digits; empty when it is not one."""
    found = _PLAIN.fullmatch(text)
    return found[1] if found else _read(text)


def plain_identity(text: str) -> str:
    """Return *text* as the API writes it where no channel is named: a number without its plus."""
    return digits_of(text) or text


def same_address(channel: str, identity: str) -> str:
    """Return what all notations of *identity* on *channel* have in common."""
    return plain_identity(identity) if is_phone_channel(channel) else identity


@lru_cache(maxsize=1024)
def _read(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    plain = "".join(each for each in plain if unicodedata.category(each) not in _DROPPED)
    plain = "".join(each for each in _TRUNK_ZERO.sub("", plain) if each not in _MARKS)
    plain = "".join(str(unicodedata.decimal(each, each)) for each in plain)
    found = _WRITTEN.fullmatch(plain)
    return found[1] if found else ""
