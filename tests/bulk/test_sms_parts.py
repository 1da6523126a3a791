"""The parts of an SMS: the published limits, on texts of every kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.bulk import SmsParts, sms_parts
from sinch_wrapper.bulk._sms_parts import SmsEncoding, count_parts, not_gsm

pytestmark = pytest.mark.once

EURO, ZHE, SMILE = "€", "ж", "\U0001f600"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
BASIC = [
    *(0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5),
    *(0xE5, 0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E),
    *(0xC6, 0xE6, 0xDF, 0xC9, *range(0x20, 0x24), 0xA4, *range(0x25, 0x40), 0xA1),
    *(*range(0x41, 0x5B), 0xC4, 0xD6, 0xD1, 0xDC, 0xA7, 0xBF, *range(0x61, 0x7B)),
    *(0xE4, 0xF6, 0xF1, 0xFC, 0xE0),
]
EXTENSION = [0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC]


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("a" * 160, "GSM", 160, 1),
        ("a" * 161, "GSM", 161, 2),
        ("a" * 306, "GSM", 306, 2),
        ("a" * 307, "GSM", 307, 3),
        ("a" * 1530, "GSM", 1530, 10),
        ("a" * 1531, "GSM", 1531, 11),
        ("".join(map(chr, EXTENSION)), "GSM", 20, 1),
        (EURO * 80, "GSM", 160, 1),
        (EURO * 81, "GSM", 162, 2),
        (EURO * 153, "GSM", 306, 3),
        ("a" * 152 + EURO + "a" * 152, "GSM", 306, 3),
        ("a" * 158 + EURO, "GSM", 160, 1),
        ("a" * 159 + EURO, "GSM", 161, 2),
        ("\r\n", "GSM", 2, 1),
        ("a\tb", "UCS-2", 3, 1),
        ("`", "UCS-2", 1, 1),
        ("Ç", "GSM", 1, 1),
        ("ç", "UCS-2", 1, 1),
        ("a" * 69 + "á", "UCS-2", 70, 1),
        ("a" * 70 + "á", "UCS-2", 71, 2),
        ("caf\u00e9", "GSM", 4, 1),
        ("cafe\u0301", "UCS-2", 5, 1),
        ("\u03a9", "GSM", 1, 1),
        ("\u2126", "UCS-2", 1, 1),
        ("\u0391", "UCS-2", 1, 1),
        ("It\u2019s", "UCS-2", 4, 1),
        ("a\u00a0b", "UCS-2", 3, 1),
        ("\ufeffHi", "UCS-2", 3, 1),
        ("\x1b", "UCS-2", 1, 1),
        ("\x00", "UCS-2", 1, 1),
        (SMILE * 35, "UCS-2", 70, 1),
        (SMILE * 36, "UCS-2", 72, 2),
        (SMILE * 67, "UCS-2", 134, 3),
        ("a" + SMILE * 35, "UCS-2", 71, 2),
        (ZHE * 66 + SMILE + ZHE * 66, "UCS-2", 134, 3),
        (ZHE * 70, "UCS-2", 70, 1),
        (ZHE * 71, "UCS-2", 71, 2),
        (ZHE * 134, "UCS-2", 134, 2),
        (ZHE * 135, "UCS-2", 135, 3),
        (FAMILY, "UCS-2", 11, 1),
        (EURO * 34 + ZHE, "UCS-2", 35, 1),
    ],
)
def test_published_limits(text: str, encoding: str, units: int, parts: int) -> None:
    """Encoding, units and parts are those that the calculators of the vendors agree on."""
    assert (encoding, units, parts) == sms_parts(text)


def test_the_alphabet_is_that_of_the_standard() -> None:
    """Each of its 127 characters takes one unit, each of the ten others two; no other is in it."""
    units = {
        code: found.units
        for code in range(0x3000)
        if (found := sms_parts(chr(code))).encoding == "GSM"
    }
    assert dict.fromkeys(BASIC, 1) | dict.fromkeys(EXTENSION, 2) == units


def _by_cutting(text: str) -> SmsParts:
    """The same by another way: the text is encoded whole, then cut, stepping back from pairs."""
    if all(ord(each) in {*BASIC, *EXTENSION} for each in text):
        units = [
            unit for each in text for unit in (("\x1b", each) if ord(each) in EXTENSION else each)
        ]
        pairs, most, room = {"\x1b"}, 160, 153
    else:
        octets = text.encode("utf-16-be")
        units = [
            octets[at : at + 2].decode("utf-16-be", "surrogatepass")
            for at in range(0, len(octets), 2)
        ]
        pairs, most, room = set(map(chr, range(0xD800, 0xDC00))), 70, 67
    encoding: SmsEncoding = "GSM" if room == 153 else "UCS-2"
    if len(units) <= most:
        return SmsParts(encoding, len(units), 1)
    parts, at = 0, 0
    while at < len(units):
        end = min(at + room, len(units))
        end -= end < len(units) and units[end - 1] in pairs
        parts, at = parts + 1, end
    return SmsParts(encoding, len(units), parts)


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(["a" * 76, EURO * 38, ZHE * 33, SMILE * 16, "é", "a", EURO, SMILE]),
        st.text(max_size=3),
    ),
    min_size=1,
    max_size=12,
).map("".join)


@given(text=TEXTS.filter(bool))
def test_two_ways_of_counting_agree(text: str) -> None:
    """Filling parts character by character gives what cutting the encoded text gives."""
    assert _by_cutting(text) == sms_parts(text) == count_parts(text)


def test_what_makes_a_text_ucs_2_is_named_once() -> None:
    """In the order in which the characters come."""
    assert "\u2019ж" == not_gsm("It\u2019s жж\u2019€")


@pytest.mark.parametrize("text", ["", "\ud83d", "a\ude00"])
def test_what_cannot_be_sent_is_not_counted(text: str) -> None:
    """An empty text and half of a surrogate pair are refused."""
    with pytest.raises(ValueError, match="text="):
        sms_parts(text)
    with pytest.raises(TypeError, match="a string, not int"):
        sms_parts(5)  # type: ignore[arg-type]  # that is the test
