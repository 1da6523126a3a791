"""Phone numbers: which notations are the same number, and what is none.

The canonical form is the digits of E.164, country code first. Notations of one number differ in a
plus or 00, blanks, brackets, hyphens, characters without a shape, or other digits of Unicode; in
what a spreadsheet adds; in the scheme of a link. Digits without a plus are international, as in
callbacks. What may have lost digits, names two numbers or an extension, is none.
"""

import re
import unicodedata
from functools import lru_cache

_CHANNELS = frozenset({"SMS", "MMS", "RCS", "VIBERBM", "WHATSAPP"})
# Source: ITU-T E.164; the list of libphonenumber 9.0.43.
_CODE = (
    r"1|7|2(?:0|7|1[1-368]|[2-4][0-9]|5[0-8]|6[0-9]|9[01789])|3(?:[0-469]|5[0-9]|7[0-8]|8[0-35-79])"
    r"|4(?:[013-9]|2[013])|5(?:[1-8]|0[0-9]|9[0-9])|6(?:[0-6]|7[02-9]|8[0-35-9]|9[0-2])"
    r"|8(?:[1246]|0[08]|5[02356]|7[08]|8[0-368])|9(?:[0-58]|6[0-8]|7[0-79]|9[2-68])"
)
_PLAIN = re.compile(rf"\+?((?=[0-9]{{7,15}}\Z)(?:{_CODE})[0-9]+)")
_WRITTEN = re.compile(rf"(?:\+?00|\+)?((?=[0-9]{{7,15}}\Z)(?:{_CODE})[0-9]+)")
_SCHEME = re.compile(
    r"(?:tel|sms|smsto|mms|callto|whatsapp|mobile|phone)\s*:\s*(?://)?([^;?]*)(?:[;?](?!ext|phone)[a-z-]+=.*)?"
)
_GUARDED = re.compile(r"""=\s*"([^"]*)"|=\s*(\+.*)|"([^"]*)"|'(.*?)'?""")
_TAIL = re.compile(r"(\+?[0-9() -]{7,})[.,]([0-9]+)")
_DATE = re.compile(r"[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2[0-9]{4}")
# In these countries a 0 after the code is a part of the number.
_TRUNK_ZERO = re.compile(
    rf"((?:\+|00)?[\s(.-]*(?!39|225|229|241|242|378)(?:{_CODE})[\s).-]*)\(\s*0\s*\)"
)
_OTHER_END = re.compile(r"[0-9]{3}\s*/\s*[0-9]{1,3}\Z")
_LONGEST = 200
_SIGNS = {
    **dict.fromkeys("\u2212\u30fc\u2043\u2027\u00b7", "-"),
    **dict.fromkeys("\ufe62\u2795\u207a", "+"),
    **dict.fromkeys("\u2018\u2019\u201b\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    **dict.fromkeys("\u2024\u2022\u30fb", "."),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0", ""),
    **dict.fromkeys("\t\n\r\v\f\x85", " "),
    "\u207d": "(",
    "\u207e": ")",
}
_KINDS = {"Cf": "", "Mn": "", "Zs": " ", "Zl": " ", "Zp": " ", "Pd": "-"}


def is_phone_channel(channel: str) -> bool:
    """Say whether identities of *channel* are phone numbers."""
    return channel in _CHANNELS


def digits_of(text: str) -> str:
    """Return the number that *text* writes, as digits; empty when it is not one."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return _read(text) if len(text) <= _LONGEST else ""
    return found[1]


def plain_identity(text: str) -> str:
    """Return *text* as the API writes it where no channel is named: a number without its plus."""
    return digits_of(text) or text


def same_address(channel: str, identity: str) -> str:
    """Return what all notations of *identity* on *channel* have in common."""
    return plain_identity(identity) if is_phone_channel(channel) else identity


@lru_cache(maxsize=1024)
def _read(text: str) -> str:
    plain = "".join(map(_shown, text)).strip().lower()
    if guarded := _GUARDED.fullmatch(plain):
        plain = next(each for each in guarded.groups() if each is not None).strip()
    if linked := _SCHEME.fullmatch(plain):
        plain = linked[1].strip()
    if tail := _TAIL.fullmatch(plain):
        plain = "" if tail[2].strip("0") else tail[1]
    if plain.startswith("-") or _DATE.match(plain) or _OTHER_END.search(plain):
        return ""
    plain = _TRUNK_ZERO.sub(r"\1", plain, count=1)
    found = _WRITTEN.fullmatch(re.sub(r"[\s().\[\]/-]", "", plain))
    return found[1] if found else ""


def _shown(character: str) -> str:
    """Return *character* as ASCII writes it."""
    if "\uff01" <= character <= "\uff5e":
        return chr(ord(character) - 0xFEE0)
    known = _SIGNS.get(character, _KINDS.get(unicodedata.category(character)))
    return str(unicodedata.decimal(character, character)) if known is None else known
