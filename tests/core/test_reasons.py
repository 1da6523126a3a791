"""The reasons of field violations are in the text of the error, without what was sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import APIStatusError, Recipient, RetryPolicy, text
from sinch_wrapper._http import httpx
from sinch_wrapper.errors import FieldViolation
from sinch_wrapper.errors._reasons import safe_violations
from tests.helpers.core import Flavour, Server
from tests.helpers.planted import PHONE

WORDS = "Hi Anna, your code is 1234"
SENT = json.dumps(
    {
        "message": {"text_message": {"text": WORDS}},
        "recipient": {
            "identified_by": {"channel_identities": [{"channel": "SMS", "identity": PHONE}]}
        },
    }
).encode()
# What the API may say, and what may be shown of it.
REASONS = [
    ("Must be a ULID of 26 characters.", "Must be a ULID of 26 characters."),
    ("'app_id' is a required property", "'app_id' is a required property"),
    ("must be between 1 and 1024", "must be between 1 and 1024"),
    ("it's too long, and doesn't fit", "it's too long, and doesn't fit"),
    ('"Grace" is not of type "object"', '<hidden> is not of type "object"'),
    ("'Grace is not closed", "<hidden>"),
    (f"text {WORDS} has no meaning", "text <hidden> is <hidden> has no meaning"),
    ("text Hi Ann... is too long", "text <hidden>... is too long"),
    ("no such number: +46 70-000 00 02", "no such number: <hidden>"),
    ("(46) 700 000 002 is unknown", "<hidden> is unknown"),
    ("ask ada@example.com or https://example.com/ada", "ask <hidden> or <hidden>"),
    ("Authorization was Bearer abc.def", "Authorization was <hidden>"),
    ("the name Åsa is taken", "the name <hidden> is taken"),
    ("first\nsecond\x1b[31m\u202e", "first second [31m"),
]


@pytest.mark.parametrize(("description", "expected"), REASONS)
def test_a_reason_is_shown_without_what_was_sent(description: str, expected: str) -> None:
    """Words of the request, what is quoted, addresses and long numbers are hidden."""
    [found] = safe_violations([FieldViolation("message", description)], [SENT])
    assert expected == found.description


def test_words_of_the_query_are_hidden_too() -> None:
    """What was sent as a query is not shown either."""
    violation = FieldViolation("identity", "ada has no contact")
    [found] = safe_violations([violation], (), b"identity=ada")
    assert "<hidden> has no contact" == found.description


@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_no_reason_holds_a_word_that_was_sent(sent: str, around: str) -> None:
    """Whatever was sent and however it is echoed, no word of it that says anything is shown."""
    body = json.dumps({"text": f"{sent} Grace1815"}).encode()
    echo = f"{around} {sent} Grace1815 x"
    [found] = safe_violations([FieldViolation("text", echo)], [body])
    assert "grace1815" not in found.description.lower()
    assert found.description.isprintable()
    assert len(found.description) <= 300


def test_the_text_of_an_error_has_the_reasons(flavour: Flavour) -> None:
    """A refused call says which fields are wrong, and why; from the sixth on they are counted."""
    violations = [{"field": f"f{n}", "description": f"must be empty {n}."} for n in "abcdefg"]
    violations[0]["description"] = f"must not be {WORDS}"
    detail = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "field_violations": [*violations, violations[0]],
    }
    fault = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [detail]}}
    client = flavour.client(Server(httpx.Response(400, json=fault)), retry=RetryPolicy(attempts=1))
    with pytest.raises(APIStatusError) as caught:
        flavour.run(client.send(app_id="A", to=Recipient.sms(PHONE), message=text(WORDS)))
    assert str(caught.value).endswith(
        "400 INVALID_ARGUMENT: invalid fields: fa: must not be <hidden> is <hidden>; "
        "fb: must be empty b; fc: must be empty c; fd: must be empty d; fe: must be empty e; "
        "and 2 more"
    )
    assert WORDS in caught.value.field_violations[0].description
    assert "must not be <hidden> is <hidden>" == caught.value.safe_violations[0].description
