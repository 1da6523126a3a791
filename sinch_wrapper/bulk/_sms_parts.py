"""How many parts an SMS takes, and in which encoding; pure.

Source: 3GPP TS 23.038 (the GSM alphabet and its extension), as Sinch documentation has them: SMS
API, character support. 160 GSM units or 70 UCS-2 units fit one part, 153 or 67 each of several.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from sinch_wrapper._forget import forgetting
from sinch_wrapper._validate import instance

SmsEncoding: TypeAlias = Literal["GSM", "UCS-2"]

# In the order of their codes, without the escape at 0x1B.
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# After the escape, so two units each.
_EXTENSION: Final = "\f^{}\\[~]|€"

_NOT_BASIC: Final = re.compile(f"[^{re.escape(_BASIC)}]")
_NOT_GSM: Final = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]")
_EXTENDED: Final = re.compile(f"[{re.escape(_EXTENSION)}]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

# Units of one part: of an SMS that fits one, and of one that does not.
_ROOM: Final = {"GSM": (160, 153), "UCS-2": (70, 67)}


class SmsParts(NamedTuple):
    """The *encoding* of an SMS, its length in units of that encoding, and its parts."""

    encoding: SmsEncoding
    units: int
    parts: int


@forgetting
def sms_parts(text: str) -> SmsParts:
    r"""Count the parts of *text* as SMS.

    Where each character is in the GSM alphabet, the text takes one unit per character, and two for
    each of `^{}\[~]|`, the euro sign and form feed. Any other character makes the whole text
    UCS-2, with one unit per character, and two above U+FFFF, such as an emoji. A character is never
    split over two parts. The text is counted as it is written, without Unicode normalisation.

    Where the network uses a longer header, 152 or 66 units fit each of several parts; where it
    keeps emoji of several characters together, a part may hold fewer. So the bill may have a part
    more for one that ends close to a limit; auto encoding of an account may save parts.

    Raises: TypeError for what is not a string; ValueError for an empty one, or for half of a
    surrogate pair, which cannot be sent.
    """
    if not instance("text", text, str, "a string"):
        raise ValueError("text= must not be empty")
    if _SURROGATE.search(text):
        raise ValueError("text= holds half of a surrogate pair, which cannot be sent")
    return count_parts(text)


def count_parts(text: str) -> SmsParts:
    """Count as sms_parts() does, for what is known to be text."""
    odd = _NOT_BASIC.search(text)
    if odd is None:
        return _even("GSM", len(text))
    if not _NOT_GSM.search(text, odd.start()):
        units = len(text) + len(_EXTENDED.findall(text))
        return _filled("GSM", units, (1 + (each in _EXTENSION) for each in text))
    units = len(text.encode("utf-16-le")) // 2
    if units == len(text):
        return _even("UCS-2", units)
    return _filled("UCS-2", units, (1 + (each > "\uffff") for each in text))


def is_basic(texts: Iterable[str]) -> bool:
    """Whether each character of *texts* takes one unit of GSM."""
    return not _NOT_BASIC.search("".join(texts))


def basic_parts(lengths: Sequence[int]) -> list[int]:
    """The parts of texts of these *lengths*, of which is_basic() is true."""
    known = {units: _even("GSM", units).parts for units in set(lengths)}
    return list(map(known.__getitem__, lengths))


def not_gsm(text: str) -> str:
    """The characters of *text* that make it UCS-2, each once."""
    return "".join(dict.fromkeys(_NOT_GSM.findall(text)))


def _even(encoding: SmsEncoding, units: int) -> SmsParts:
    """The parts of characters that take one unit each."""
    most, room = _ROOM[encoding]
    return SmsParts(encoding, units, 1 if units <= most else -(-units // room))


def _filled(encoding: SmsEncoding, units: int, widths: Iterable[int]) -> SmsParts:
    """The parts of characters of one or two units: one that does not fit opens the next part."""
    most, room = _ROOM[encoding]
    if units <= most:
        return SmsParts(encoding, units, 1)
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return SmsParts(encoding, units, parts)
