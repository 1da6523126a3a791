"""How numbers are spelt: what is left of a cell when separators and guards are gone; pure.

A number is repaired only where nothing can be lost by it: a letter that looks like a digit, or what
a spreadsheet has rounded, is refused.
Source: ITU-T E.164; the list of country codes is that of libphonenumber 9.0.43.
"""

import re
import unicodedata
from functools import cache
from typing import Final

_RANGES: Final = (
    "1 7 20 27 30-34 36 39-41 43-49 51-58 60-66 81-82 84 86 90-95 98 211-213 216 218 220-258 "
    "260-269 290-291 297-299 350-359 370-378 380-383 385-387 389 420-421 423 500-509 590-599 670 "
    "672-683 685-692 800 808 850 852-853 855-856 870 878 880-883 886 888 960-968 970-977 979 "
    "992-996 998"
)
# Countries whose national numbers may begin with 0. In all others a 0 after the country code is
# the one that is dialled within the country, written by mistake.
WITH_ZERO: Final = frozenset({"39", "225", "229", "241", "242", "378"})

FAULTS: Final = {
    "empty": "is empty",
    "no-country": "has no + before a country code",
    "national-form": "begins with 0, so the country is missing",
    "excel-rounded": "was rounded by a spreadsheet, so that digits are lost",
    "excel-error": "is an error value of a spreadsheet",
    "formula": "is a formula",
    "date": "is a date",
    "letters": "holds letters, so it is not a phone number",
    "characters": "holds characters that are not part of a phone number",
    "two-numbers": "holds two numbers",
    "extension": "holds an extension",
    "plus-inside": "has a + that is not at its beginning",
    "country-code": "begins with a country code that does not exist",
    "too-short": "is too short for a phone number",
    "too-long": "is too long for a phone number",
}
"""What can be wrong with a number, by kind; no number is quoted."""


class NotNumberError(ValueError):
    """What was given is not a phone number; *kind* is one of FAULTS."""

    def __init__(self, kind: str) -> None:
        super().__init__(FAULTS[kind])
        self.kind = kind


# Country codes


@cache
def country_codes() -> frozenset[str]:
    found: set[str] = set()
    for part in _RANGES.split():
        first, _, last = part.partition("-")
        found.update(map(str, range(int(first), int(last or first) + 1)))
    return frozenset(found)


def country_code(digits: str) -> str:
    """The country code that *digits* begin with; empty for none."""
    return next((digits[:size] for size in (1, 2, 3) if digits[:size] in country_codes()), "")


def check_length(digits: str) -> None:
    """Raise NotNumberError unless E.164 has numbers of as many digits."""
    if len(digits) < 7:  # noqa: PLR2004 (the shortest mobile numbers, Niue's and Tokelau's)
        raise NotNumberError("too-short")
    if len(digits) > 15:  # noqa: PLR2004 (E.164)
        raise NotNumberError("too-long")


# Spellings

_SIGNS: Final = {
    **dict.fromkeys("\n\v\f\r\x85\u2028\u2029", "\n"),
    "\t": " ",
    # Without a shape, besides those of the category Cf.
    **dict.fromkeys("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0", ""),
    **dict.fromkeys(map(chr, range(0xFE00, 0xFE10)), ""),
    **dict.fromkeys("\u2212\u30fc\u2043\u2027\u00b7", "-"),
    **dict.fromkeys("\ufe62\u2795\u207a", "+"),
    **dict.fromkeys("\u2024\u2022\u30fb\uff65", "."),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys("\u207d", "("),
    **dict.fromkeys("\u207e", ")"),
    **dict.fromkeys("\u2018\u2019\u201b\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
    "\u3001": ",",
}
# "\0" stands for what no number holds.
_BY_CATEGORY: Final = {"Cf": "", "Zs": " ", "Zl": " ", "Zp": " ", "Pd": "-", "Cc": "\0"}
# More than any spelling of a number needs.
_LONGEST: Final = 200
_EMPTY_WORDS: Final = (
    "|n/a|na|n.a.|n.a|none|null|nil|nan|<na>|<null>|<none>|(null)|(none)|(blank)|(empty)|\\n|unknown|"
    "undefined|missing|empty|blank|not available|no number|not known|-|--|---|?|??|???|.|..|...|/|"
    "x|xx|xxx"
)
_EMPTY: Final = frozenset(_EMPTY_WORDS.split("|"))
_PREFIX: Final = re.compile(r"(?:tel|sms|smsto|mms|callto|whatsapp|mobile|phone)\s*:\s*(?://)?")
_PARAMETERS: Final = re.compile(r"[;?][a-z-]+=")
_ROUNDED: Final = re.compile(r"\+?[0-9]+(?:[.,][0-9]*)?\s*e\s*[+-]?\s*[0-9]{1,3}")
_ERROR: Final = re.compile(r"#+|#[^\W\d].*", re.DOTALL)
_DATE: Final = re.compile(
    r"[0-9]{4}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])(?:[ t][0-9:.]+z?)?"
    r"|(?:0?[1-9]|[12][0-9]|3[01])([-/.])(?:0?[1-9]|[12][0-9]|3[01])\2(?:19|20)[0-9]{2}(?: .*)?"
)
_DECIMAL: Final = re.compile(r"(\+?[0-9 ()-]*[0-9][0-9 ()-]*)[.,]([0-9]+)")
_EXTENSION: Final = re.compile(r"[0-9)]\s*(?:[;,]?\s*ext(?:ension|n)?|[x#])[\s.:=]*[0-9]{1,7}")
_PARTS: Final = re.compile(r"[;,/|&\n]|(?<=[0-9])\s*\+|\b(?:or|and)\b")
_TRUNK: Final = re.compile(r"(\+?[0-9 ()\[\].-]*?)\(\s*0\s*\)")
_MARKS: Final = re.compile(r"[\s().\[\]/-]")


def spelt(text: str) -> str:
    """What is left of *text* without separators, guards and prefixes: digits and plus.

    Raises: NotNumberError.
    """
    if len(text) > _LONGEST:
        raise NotNumberError("too-long")
    is_plain = text.isascii() and text.isprintable()
    plain = _unguarded((text if is_plain else "".join(map(_plain, text))).strip().lower())
    if plain in _EMPTY:
        raise NotNumberError("empty")
    plain = _without_prefix(plain)
    if plain.startswith("-"):
        raise NotNumberError("characters")
    _refuse_spreadsheets(plain)
    plain = _without_zeros(plain)
    if _EXTENSION.search(plain):
        raise NotNumberError("extension")
    _refuse_several(plain)
    if any(map(str.isalpha, plain)):
        raise NotNumberError("letters")
    digits = _MARKS.sub("", _without_trunk_mark(plain))
    if not re.fullmatch(r"[+0-9]*", digits):
        raise NotNumberError("characters")
    if "+" in digits[1:]:
        raise NotNumberError("plus-inside")
    return digits


def without_shapes(text: str) -> str:
    """*text* without characters that cannot be seen, and without blanks at its ends."""
    if text.isascii():
        return text.strip()
    return "".join(each for each in text if unicodedata.category(each) != "Cf").strip()


def _plain(character: str) -> str:
    """*character* as ASCII writes it: blanks, hyphens and digits of all kinds; "" for no shape."""
    if character.isascii() and character.isprintable():
        return character
    if "\uff01" <= character <= "\uff5e":
        return chr(ord(character) - 0xFEE0)
    known = _SIGNS.get(character)
    if known is None:
        known = _BY_CATEGORY.get(unicodedata.category(character))
    if known == "\0":
        raise NotNumberError("characters")
    return str(unicodedata.decimal(character, character)) if known is None else known


def _unguarded(text: str) -> str:
    """*text* without what makes a spreadsheet keep it as it is."""
    if text.startswith("="):
        inner = text[1:].strip()
        if not (len(inner) > 1 and inner[0] == inner[-1] == '"') and not inner.startswith("+"):
            raise NotNumberError("formula")
        text = inner
    text = text.removeprefix("'").strip()
    while len(text) > 1 and text[0] in "\"'" and text[-1] in "\"'":
        text = text[1:-1].strip()
    return text.removeprefix("'").removesuffix("'").strip()


def _without_prefix(text: str) -> str:
    found = _PREFIX.match(text)
    if found is None:
        return text
    number = text[found.end() :]
    if "phone-context=" in number:
        raise NotNumberError("national-form")
    parameters = _PARAMETERS.search(number)
    if parameters is None or parameters[0] == ";ext=":
        return number
    return number[: parameters.start()]


def _refuse_spreadsheets(text: str) -> None:
    for form, kind in ((_ROUNDED, "excel-rounded"), (_ERROR, "excel-error"), (_DATE, "date")):
        if form.fullmatch(text):
            raise NotNumberError(kind)


def _without_zeros(text: str) -> str:
    """*text* without the `.0` of a number that a program took for a quantity."""
    found = _DECIMAL.fullmatch(text)
    if found is None or sum(map(str.isdigit, found[1])) < 7:  # noqa: PLR2004 (as check_length)
        return text
    if found[2].strip("0"):
        raise NotNumberError("excel-rounded")
    return found[1]


def _refuse_several(text: str) -> None:
    """Refuse two numbers; a slash or comma may also part the groups of one."""
    sizes = [sum(map(str.isdigit, part)) for part in _PARTS.split(text)]
    long = [size for size in sizes if size >= 7]  # noqa: PLR2004 (as check_length)
    # "1234567/68" is two numbers as well.
    has_other_end = "/" in text and len(sizes) > 1 and bool(long) and 0 < sizes[-1] < 4  # noqa: PLR2004 (digits of another end)
    if len(long) > 1 or has_other_end:
        raise NotNumberError("two-numbers")


def _without_trunk_mark(text: str) -> str:
    """*text* without the `(0)` between country code and number, which is not dialled abroad."""
    found = _TRUNK.match(text)
    if found is None:
        return text
    code = re.sub(r"^\+?00|^\+", "", _MARKS.sub("", found[1]))
    if code not in country_codes() or code in WITH_ZERO:
        return text
    return found[1] + text[found.end() :]
