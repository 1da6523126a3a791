"""Who opts out and in, by callbacks and by the words of messages."""

import json
from typing import Any

import pytest

from sinch_wrapper.callbacks import (
    STOP_WORDS,
    ConsentKind,
    Event,
    OptOutWords,
    consent_change,
    read_event,
)
from sinch_wrapper.errors import ConfigurationError

pytestmark = pytest.mark.once

OUT = [
    "STOP", "stop", " STOP \n", "Stop.", "STOP!", '"STOP"',
    "\u201cSTOP\u201d", "\uff33\uff34\uff2f\uff30", "STOP \U0001f6d1",
    "ST\u200bOP", "Opt-Out", "OPT OUT", "optout", "STOP ALL", "StopAll",
    "ARR\u00caT", "arre\u0302t", "PARAR", "STOPP", "quit!!!", "revoke", "(stop)", "s\u0323top",
    "Cancel.", "end", "Unsubscribe", "D\u00c9TENER", "salir", "cancelar", "st\u00adop",
    "STOP\u00a0ALL",
]  # fmt: skip
IN = [
    "START",
    "start!",
    "Unstop",
    "subscribe",
    "volver",
    "VOLTAR",
    "recibir",
    "Nonarr\u00eat",
]
DOUBTFUL = [
    "STOP PLEASE", "please stop", "Don't stop", "Unsubscribe me", "DETENER MARKETING", "stop!! now",
    "please, UNSUBSCRIBE me now", "opt out of this list", "Remove me from your list", "stop stop",
    "why do you not stop?",
]  # fmt: skip
NOTHING = [
    "Nonstop", "STOPS", "The end", "cancel my appointment", "S T O P", "YES", "No", "", "   ",
    "\u0421\u0422\u041e\u041f", "start now please", "\U0001f600", "end of story", "ok",
    "unsubscribed", "weekend",
]  # fmt: skip


def inbound(text: str, **more: Any) -> Event:
    """A message of a person."""
    message = {
        "id": "M1",
        "direction": "TO_APP",
        "contact_message": {"text_message": {"text": text}},
        "channel_identity": {"channel": "SMS", "identity": "46700000001"},
        "contact_id": "",
        **more,
    }
    envelope = {"app_id": "A1", "event_time": "2026-12-01T08:00:00Z", "message": message}
    return read_event(json.dumps(envelope).encode())


def opted(name: str, status: str, **more: Any) -> Event:
    """A callback about a consent."""
    found = {
        "request_id": "R1", "contact_id": "C1", "channel": "WHATSAPP", "identity": "46700000001",
        "status": status, **more,
    }  # fmt: skip
    return read_event(json.dumps({"app_id": "A1", f"{name}_notification": found}).encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, ConsentKind.OUT) for text in OUT),
        *((text, ConsentKind.IN) for text in IN),
        *((text, ConsentKind.DOUBTFUL) for text in DOUBTFUL),
        *((text, None) for text in NOTHING),
    ],
)
def test_words(text: str, expected: ConsentKind | None) -> None:
    """A whole message that is a word counts; what only contains one is for a person."""
    found = consent_change(inbound(text))
    assert expected == (found.kind if found else None)


def test_a_message_says_who_and_when() -> None:
    """The change has the identity, the app, the word, the time and the id of the message."""
    found = consent_change(inbound("Stop!"))
    assert found is not None
    facts = (found.reason, found.channel, found.identity, found.app_id, found.word, found.text)
    assert ("word", "SMS", "46700000001", "A1", "stop", "") == facts
    assert (1796112000.0, "M1") == (found.at, found.source_id)
    assert "46700000001" not in repr(found)


def test_the_text_that_is_doubtful_is_kept_for_a_person() -> None:
    """It is in the change, and not in its repr; with doubtful="suppress" it counts."""
    found = consent_change(inbound("please stop"))
    assert found is not None
    assert ("please stop", "") == (found.text, found.word)
    assert "please" not in repr(found)
    strict = consent_change(inbound("please stop"), OptOutWords(doubtful="suppress"))
    assert strict is not None
    assert ConsentKind.OUT == strict.kind


def test_a_button_counts_and_a_caption_does_not() -> None:
    """What is pressed is said; a caption of a picture, and our own message, are not."""
    button = {"choice_response_message": {"message_id": "M0", "postback_data": "STOP"}}
    picture = {"media_message": {"url": "https://a.example/1", "text": "STOP"}}
    found = [
        consent_change(inbound("", contact_message=button)),
        consent_change(inbound("", contact_message=picture)),
        consent_change(inbound("STOP", direction="TO_CONTACT")),
        consent_change(inbound("", contact_message="STOP")),
        consent_change(inbound("", contact_message={"text_message": {"text": ["STOP"]}})),
    ]
    assert [ConsentKind.OUT, None, None, None, None] == [
        each.kind if each else None for each in found
    ]


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("opt_out", "OPT_OUT_SUCCEEDED", ConsentKind.OUT),
        ("opt_in", "OPT_IN_SUCCEEDED", ConsentKind.IN),
        ("opt_out", "OPT_OUT_FAILED", None),
        ("opt_in", "OPT_IN_FAILED", None),
        ("opt_out", "OPT_OUT_STATUS_UNSPECIFIED", None),
        ("opt_out", "OPT_IN_SUCCEEDED", None),
        ("opt_out", "", None),
    ],
)
def test_callbacks(name: str, status: str, expected: ConsentKind | None) -> None:
    """OPT_OUT and OPT_IN count when they have succeeded."""
    found = consent_change(opted(name, status))
    assert expected == (found.kind if found else None)


def test_own_words_take_the_place_of_the_usual_ones() -> None:
    """Who asks for CANCEL takes it out; the spelling of a word does not matter."""
    words = OptOutWords(stop=[word for word in STOP_WORDS if word != "CANCEL"] + ["Avbryt!"])
    found = [consent_change(inbound(text), words) for text in ("cancel", "avbryt", "stop")]
    assert [None, "avbryt", "stop"] == [each.word if each else None for each in found]


@pytest.mark.parametrize(
    "options",
    [{"stop": "STOP"}, {"stop": [""]}, {"start": [5]}, {"start": None}, {"doubtful": "maybe"}],
)
def test_wrong_words_are_refused(options: dict[str, Any]) -> None:
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=f"^{next(iter(options))}="):
        OptOutWords(**options)


@pytest.mark.parametrize("body", [b"{}", b'{"message": 5}', b'{"message_delivery_report": {}}'])
def test_other_events_say_nothing(body: bytes) -> None:
    """An event of another kind, or without a payload, is about no consent."""
    assert consent_change(read_event(body)) is None
