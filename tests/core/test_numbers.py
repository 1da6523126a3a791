"""Phone numbers: one form for all spellings, and what is refused because it is not a number."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from sinch_wrapper import Recipient
from sinch_wrapper._numbers import (
    FAULTS,
    NotNumberError,
    NumberRules,
    digits_of,
    identity_key,
    number_plans,
    single,
)
from sinch_wrapper._send_body import send_body
from tests.helpers.numbers import FAULTY, SPELLINGS

PLANS = number_plans()
PLAIN, NUMBER = NumberRules("msisdn", plans=PLANS), "+46701234567"
needs_plans = pytest.mark.skipif(PLANS is None, reason="the extra phone is not installed")


def read(text: str, rules: NumberRules = PLAIN) -> str:
    """The canonical form of *text*, or the kind of fault."""
    try:
        return rules.canonical(text)
    except NotNumberError as error:
        return error.kind if str(error) == FAULTS[error.kind] else str(error)


@pytest.mark.parametrize("text", SPELLINGS)
def test_spellings_of_one_number_are_one(text: str) -> None:
    """Blanks, hyphens, brackets, guards, prefixes and digits of any script do not matter."""
    assert NUMBER == read(text)
    assert NUMBER[1:] == digits_of(text)
    assert "46701234567" == identity_key("RCS", text) == identity_key("SMS", text)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in FAULTY.items() for text in texts]
)
def test_what_is_not_a_number_is_refused(kind: str, text: str) -> None:
    """Nothing is repaired where a digit may be lost or guessed; the kind of fault is known."""
    assert kind == read(text)
    assert "" == digits_of(text)


def test_every_kind_of_fault_has_a_case() -> None:
    """Only digits without + are refused in lists alone, unless these are told what they mean."""
    assert {*FAULTS} == {*FAULTY, "no-country"}
    for text in ("46701234567", "46 70 123 45 67", "701234567", "2125550123"):
        assert "no-country" == read(text, NumberRules(plans=PLANS))


@needs_plans
@pytest.mark.parametrize(
    ("country", "text", "found"),
    [
        ("SE", "070-123 45 67", "+46701234567"),
        ("SE", "701234567", "+46701234567"),
        ("SE", "46701234567", "+46701234567"),
        ("SE", "+4712345678", "+4712345678"),
        ("SE", "070-1234567, 08-1234567", "two-numbers"),
        ("US", "(212) 555-0123", "+12125550123"),
        ("US", "1 212 555 0123", "+12125550123"),
        ("US", "011 46 70 123 45 67", "+46701234567"),
        ("US", "1-800-FLOWERS", "letters"),
        ("GB", "07700 900123", "+447700900123"),
        ("FR", "06 12 34 56 78", "+33612345678"),
        ("IT", "06 69821234", "+390669821234"),
        ("RU", "8 (495) 123-45-67", "+74951234567"),
        ("DE", "49 30 12345678", "+493012345678"),
        ("US", "555-0123", "too-short"),
    ],
)
def test_a_country_decides_about_numbers_without_a_code(
    country: str, text: str, found: str
) -> None:
    """The national form comes first, then the international one without its plus."""
    assert found == read(text, NumberRules(country=country, plans=PLANS))


@needs_plans
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+460701234567", "+46701234567"),
        ("+4407700900123", "+447700900123"),
        ("+390669821234", "+390669821234"),
        ("+39 (0)6 69821234", "+390669821234"),
        ("+2250707070707", "+2250707070707"),
        ("+54 9 11 2345 6789", "+5491123456789"),
        ("+800 1234 5678", "+80012345678"),
        ("2125550123", "too-short"),
        ("+1 212 555 012", "too-short"),
        ("+1212555012", "too-short"),
        ("+121255501234", "too-long"),
    ],
)
def test_lengths_and_the_zero_that_is_not_dialled_from_abroad(text: str, found: str) -> None:
    """With the library, each country has its lengths, and loses the 0 that only it dials."""
    assert found == read(text)
    assert (text == found) == PLAIN.are_clean([text])


@pytest.mark.parametrize("plans", [PLANS, None])
def test_blocks_are_clean_exactly_when_each_number_is(plans: object) -> None:
    """The fast check of many numbers says yes only to numbers that stay as they are."""
    rules = NumberRules(plans=plans)  # type: ignore[arg-type]  # parametrised
    clean = ["+46701234567", "+390669821234", "+12125550123", "+80012345678"]
    assert rules.are_clean(clean)
    assert rules.are_clean(clean * 300)
    others = [*SPELLINGS[1:], *(text for texts in FAULTY.values() for text in texts)]
    for other in (*others, "+46701234567\n", "\n+46701234567", "+460701234567"):
        assert not rules.are_clean([*clean, other]), other
        assert not rules.are_clean([other, *clean]), other


def test_without_the_library_a_zero_too_much_stays() -> None:
    """Nothing is guessed about a country whose numbers are not known."""
    program = (
        "import sys; sys.modules['phonenumbers'] = None\n"
        "from sinch_wrapper._numbers import digits_of, number_plans\n"
        "assert number_plans() is None; print(digits_of('+460701234567'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "460701234567\n" == done.stdout


def test_as_given_changes_nothing_but_blanks_around() -> None:
    """Short codes and other identities of their own kind are sent as the caller has them."""
    rules = NumberRules("as-given")
    given = (" 72345", "Ada\n", "+46 70")
    assert ["72345", "Ada", "+46 70"] == list(map(rules.canonical, given))
    assert identity_key("SMS", "72345") != identity_key("RCS", "72345")


@pytest.mark.parametrize("channel", ["sms", "MMS", "RCS", "viberbm", "WHATSAPP"])
def test_recipients_hold_the_canonical_form(channel: str) -> None:
    """A single number without + stays as the API writes it; a spelling is cleaned."""
    for given, sent in (
        ("+46 70-123 45 67", NUMBER),
        ("46701234567", "46701234567"),
        ("0046701234567", NUMBER),
        ("46 70 123 45 67", NUMBER),
    ):
        recipient = Recipient.on(channel, given)
        assert shape(channel.upper(), sent) == recipient
        body = send_body("A", shape(channel.upper(), given), {"text_message": {}}, {})
        assert recipient == body["recipient"]


def shape(channel: str, identity: str) -> dict[str, object]:
    """A recipient as the API takes it."""
    return {"identified_by": {"channel_identities": [{"channel": channel, "identity": identity}]}}


@pytest.mark.parametrize("text", ["Ada", "4.67E+10", "070-123 45 67", "72345"])
def test_recipients_refuse_what_is_not_a_number(text: str) -> None:
    """The error says why, and never quotes the number."""
    makers: list[Callable[[], object]] = [
        lambda: Recipient.sms(text),
        lambda: Recipient.identities([("LINE", "U1"), ("SMS", text)]),
        lambda: send_body("A", shape("SMS", text), {"text_message": {}}, {}),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="phone number") as caught:
            make()
        assert text not in str(caught.value)


def test_other_channels_keep_their_identities() -> None:
    """Ids of other channels are opaque, so only blanks around them go."""
    recipient = Recipient.identities([("line", " U-4567 "), ("MESSENGER", "123"), ("NEW", "a b")])
    by = {
        "channel_identities": [
            {"channel": "LINE", "identity": "U-4567"},
            {"channel": "MESSENGER", "identity": "123"},
            {"channel": "NEW", "identity": "a b"},
        ]
    }
    assert {"identified_by": by} == recipient
    assert single("46701234567") == "46701234567"
