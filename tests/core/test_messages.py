"""Builders of messages and recipients."""

import copy
import json
import pickle
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import pytest
import sinch_conversation_api
from sinch_conversation_api.models import AppMessage, RecipientRequest

from sinch_wrapper import (
    Recipient,
    card,
    carousel,
    choice,
    contact_info,
    list_message,
    location,
    media,
    template,
    template_reference,
    text,
)
from sinch_wrapper._json import encode
from sinch_wrapper._send_body import send_body
from sinch_wrapper.messages import CHANNELS
from sinch_wrapper.messages._values import Value

PHONE = "+46700000001"
TEXT = "planted text"

MESSAGES: list[tuple[Mapping[str, object], dict[str, object]]] = [
    (text(TEXT), {"text_message": {"text": TEXT}}),
    (
        media("https://x/a.pdf", thumbnail_url="https://x/t", filename_override="b.pdf"),
        {
            "media_message": {
                "url": "https://x/a.pdf",
                "thumbnail_url": "https://x/t",
                "filename_override": "b.pdf",
            }
        },
    ),
    (
        template("t1", version="2", language_code="en", parameters={"name": "A"}),
        {
            "template_message": {
                "omni_template": {
                    "template_id": "t1",
                    "version": "2",
                    "language_code": "en",
                    "parameters": {"name": "A"},
                }
            }
        },
    ),
    (
        template(channel={"WHATSAPP": template_reference("t2", language_code="en")}),
        {
            "template_message": {
                "channel_template": {"WHATSAPP": {"template_id": "t2", "language_code": "en"}}
            }
        },
    ),
    (
        location("Here", 55.6, 13, label="HQ"),
        {
            "location_message": {
                "title": "Here",
                "coordinates": {"latitude": 55.6, "longitude": 13},
                "label": "HQ",
            }
        },
    ),
    (
        choice("Which?", ["A", {"url_message": {"title": "B", "url": "https://b"}}], footer="f"),
        {
            "choice_message": {
                "text_message": {"text": "Which?"},
                "choices": [
                    {"text_message": {"text": "A"}},
                    {"url_message": {"title": "B", "url": "https://b"}},
                ],
                "message_properties": {"whatsapp_footer": "f"},
            }
        },
    ),
    (
        card("T", description="D", media="https://m", choices=["A"], height="TALL", header="h"),
        {
            "card_message": {
                "title": "T",
                "description": "D",
                "media_message": {"url": "https://m"},
                "choices": [{"text_message": {"text": "A"}}],
                "height": "TALL",
                "message_properties": {"whatsapp_header": "h"},
            }
        },
    ),
    (
        carousel([card("T", media=media("https://m")), {"title": "U"}], choices=["A"]),
        {
            "carousel_message": {
                "cards": [{"title": "T", "media_message": {"url": "https://m"}}, {"title": "U"}],
                "choices": [{"text_message": {"text": "A"}}],
            }
        },
    ),
    (
        list_message(
            "T",
            [{"title": "S", "items": ["A", {"product": {"id": "1", "marketplace": "F"}}]}],
            description="D",
            menu="M",
        ),
        {
            "list_message": {
                "title": "T",
                "description": "D",
                "sections": [
                    {
                        "title": "S",
                        "items": [
                            {"choice": {"title": "A"}},
                            {"product": {"id": "1", "marketplace": "F"}},
                        ],
                    }
                ],
                "message_properties": {"menu": "M"},
            }
        },
    ),
    (
        contact_info(
            "Ann Ek",
            [{"phone_number": PHONE, "type": "Home"}],
            email_addresses=["a@b"],
            urls=["https://u"],
            addresses=[{"city": "Malmö"}],
            organization={"company": "C"},
            birthday="2000-01-31",
        ),
        {
            "contact_info_message": {
                "name": {"full_name": "Ann Ek"},
                "phone_numbers": [{"phone_number": PHONE, "type": "Home"}],
                "addresses": [{"city": "Malmö"}],
                "email_addresses": [{"email_address": "a@b"}],
                "organization": {"company": "C"},
                "urls": [{"url": "https://u"}],
                "birthday": "2000-01-31",
            }
        },
    ),
    (
        text("Hi", agent={"type": "BOT"}, reply_to="m1", explicit_channel_message={"SMS": "{}"}),
        {
            "text_message": {"text": "Hi"},
            "agent": {"type": "BOT"},
            "reply_to": {"message_id": "m1"},
            "explicit_channel_message": {"SMS": "{}"},
        },
    ),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES, ids=lambda value: repr(value)[:24])
def test_message_has_the_shape_of_the_api(
    message: Mapping[str, object], expected: dict[str, object]
) -> None:
    """Each builder writes what the document describes, and the generated model reads it."""
    assert expected == json.loads(encode(message))
    assert json.loads(encode(expected)) == json.loads(
        encode(AppMessage.from_dict(expected).to_dict())
    )
    assert not _unknown(AppMessage.from_dict(expected))


def _unknown(model: Any) -> list[str]:
    """Find fields that the generated models do not know."""
    found = list(model.additional_properties)
    for field in type(model).__attrs_attrs__:
        value = getattr(model, field.name)
        for item in value if isinstance(value, list) else [value]:
            if hasattr(item, "additional_properties"):
                # Maps by channel keep their entries as additional properties.
                inner = _unknown(item)
                found += [] if field.name in {"parameters", "channel_template"} else inner
    return [name for name in found if name not in {"SMS", "WHATSAPP"}]


def test_channels_are_those_of_the_document() -> None:
    """No channel is invented; `Recipient.on` reaches those that the document gains."""
    document = json.loads(files(sinch_conversation_api).joinpath("openapi.json").read_text("utf-8"))
    channels = document["components"]["schemas"]["ConversationChannel"]["enum"]
    assert set(CHANNELS) <= set(channels)


@pytest.mark.parametrize("channel", [channel.lower() for channel in CHANNELS])
def test_recipient_has_each_channel(channel: str) -> None:
    """Each channel of the document has a method."""
    recipient = getattr(Recipient, channel)(PHONE)
    expected = {
        "identified_by": {"channel_identities": [{"channel": channel.upper(), "identity": PHONE}]}
    }
    assert expected == json.loads(encode(recipient))
    assert expected == RecipientRequest.from_dict(expected).to_dict()
    assert f"<Recipient {channel.upper()}>" == repr(recipient)
    assert channel.upper() in getattr(Recipient, channel).__doc__


def test_recipient_knows_contacts_and_several_identities() -> None:
    """Contacts by id; several identities as pairs or objects; newer channels by name."""
    assert Recipient.contact("c") == {"contact_id": "c"}
    several = Recipient.identities([("sms", PHONE), {"channel": "RCS", "identity": PHONE}])
    assert repr(several) == "<Recipient SMS+RCS>"
    assert Recipient.identities([("sms", PHONE)]) == Recipient.sms(PHONE)
    assert repr(Recipient.on("hologram", "x")) == "<Recipient HOLOGRAM>"


VALUES = [text(TEXT), Recipient.sms(PHONE), template(channel={"SMS": {"template_id": TEXT}})]


@pytest.mark.parametrize("value", VALUES)
def test_value_cannot_be_changed(value: Any) -> None:
    """Neither the value nor what is in it can be changed."""
    inner = next(iter(value.values()))
    for target in (value, inner):
        for change in (
            lambda item: item.update(a=1),
            lambda item: item.clear(),
            lambda item: item.pop("a", None),
            lambda item: item.popitem(),
            lambda item: item.setdefault("a", 1),
            lambda item: item.__setitem__("a", 1),
            lambda item: item.__delitem__("a"),
            lambda item: item.__ior__({"a": 1}),
            lambda item: setattr(item, "kind", "x"),
        ):
            with pytest.raises(TypeError, match="cannot be changed"):
                change(target)


def test_lists_in_values_cannot_be_changed() -> None:
    """They are equal to plain lists, but fixed, and show their length only."""
    (items,) = Recipient.sms(PHONE)["identified_by"].values()  # type: ignore[attr-defined]
    assert items == [{"channel": "SMS", "identity": PHONE}]
    assert repr(items) == "<1 items>"
    assert copy.copy(items) is items
    assert pickle.loads(pickle.dumps(items)) == items  # noqa: S301
    for change in ("append", "extend", "remove", "__iadd__", "__imul__", "__delitem__"):
        with pytest.raises(TypeError, match="cannot be changed"):
            getattr(items, change)(0)
    for change in ("pop", "clear", "sort", "reverse"):
        with pytest.raises(TypeError, match="cannot be changed"):
            getattr(items, change)()


@pytest.mark.parametrize("value", VALUES)
def test_value_shows_its_kind_only(value: Mapping[str, object]) -> None:
    """The repr holds no phone number and no message text, at any depth."""
    shown = repr(value) + repr(list(value.values())) + f"{value}"
    assert PHONE not in shown
    assert TEXT not in shown


@pytest.mark.parametrize("value", VALUES)
def test_value_can_be_copied_and_pickled(value: Mapping[str, object]) -> None:
    """Copies are equal, and show as little."""
    twins = copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))  # noqa: S301
    for twin in twins:
        assert (value, type(value), repr(value)) == (twin, type(twin), repr(twin))


def test_value_does_not_follow_its_source() -> None:
    """Later changes of what was passed have no effect."""
    parameters = {"name": "A"}
    message = template("t", version="1", parameters=parameters)
    parameters["name"] = "B"
    assert b'"name":"A"' in encode(message)
    assert isinstance(message["template_message"], Value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: text(""), lambda: text("  \n"), lambda: text(5),  # type: ignore[arg-type]
        lambda: media(""), lambda: template(channel={}), lambda: template("t"),
        lambda: template("", version="1"),
        lambda: template("t", version=" "), lambda: location("", 1, 1),
        lambda: location("x", 91, 1),
        lambda: location("x", 1, -181), lambda: location("x", float("nan"), 1),
        lambda: choice("x", []), lambda: choice("x", "AB"), lambda: choice("", ["A"]),
        lambda: choice("x", [""]), lambda: choice("x", [7]), lambda: card(title=None),  # type: ignore[list-item]
        lambda: card("t", choices="AB"), lambda: carousel([]), lambda: carousel({"a": 1}),  # type: ignore[dict-item]
        lambda: list_message("", [{"items": ["a"]}]), lambda: list_message("t", []),
        lambda: list_message("t", [{"title": "s"}]), lambda: list_message("t", [{"items": []}]),
        lambda: contact_info("", [PHONE]), lambda: contact_info("n", []),
        lambda: contact_info("n", [""]),
        lambda: contact_info({"first_name": "x"}, [PHONE]), lambda: text("x", reply_to=""),
        lambda: Recipient.sms(""), lambda: Recipient.sms(" "), lambda: Recipient.sms(46),  # type: ignore[arg-type]
        lambda: Recipient.contact(""), lambda: Recipient.identities([]),
        lambda: Recipient.on("", "x"),
        lambda: Recipient.identities([PHONE]), lambda: Recipient.identities([("sms",)]),  # type: ignore[list-item]
        lambda: Recipient.identities([{"channel": "SMS"}]),
    ],
)  # fmt: skip
def test_obvious_mistakes_are_refused_without_quoting(build: Callable[[], object]) -> None:
    """Empty strings, numbers and lists are found before any request, and not quoted."""
    with pytest.raises((ValueError, TypeError)) as caught:
        build()
    assert str(caught.value)
    assert PHONE not in str(caught.value)


def body(**options: Any) -> dict[str, object]:
    """Build the body of a send."""
    return send_body("A", Recipient.sms(PHONE), text("Hi"), options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"ttl": 10}, {"ttl": "10s"}),
        ({"ttl": "86400s"}, {"ttl": "86400s"}),
        ({"ttl": None}, {}),
        ({"message_metadata": "x"}, {"message_metadata": "x"}),
        ({"message_metadata": {"a": 1}}, {"message_metadata": '{"a":1}'}),
        ({"correlation_id": "c", "queue": None}, {"correlation_id": "c"}),
        ({"channel_priority_order": ["RCS", "SMS"]}, {"channel_priority_order": ["RCS", "SMS"]}),
    ],
)
def test_send_options_become_fields(options: dict[str, object], fields: dict[str, object]) -> None:
    """What is given is sent, None is not."""
    expected = {"app_id": "A", "recipient": Recipient.sms(PHONE), "message": text("Hi")} | fields
    assert expected == body(**options)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("", Recipient.sms(PHONE), text("Hi")), "app_id"),
        (("A", PHONE, text("Hi")), "to= must be a Recipient"),
        (("A", Recipient.sms(PHONE), "Hi"), "message= must be a message"),
        (("A", {}, text("Hi")), "to= must not be empty"),
    ],
)
def test_send_refuses_obvious_mistakes(arguments: tuple[Any, Any, Any], name: str) -> None:
    """A phone number in place of a recipient gets a hint, and is not quoted."""
    with pytest.raises((ValueError, TypeError), match=name) as caught:
        send_body(*arguments, fields={})
    assert PHONE not in str(caught.value)


@pytest.mark.parametrize("app_id", [None, 5, b"A"])
def test_send_refuses_an_app_that_is_not_a_string(app_id: Any) -> None:
    """A variable that is not set, passed on as None, gets a hint."""
    with pytest.raises(TypeError, match="app_id= must be a string"):
        send_body(app_id, Recipient.sms(PHONE), text("Hi"), fields={})


def test_misspelt_options_are_refused() -> None:
    """An option that does not exist raises, because the API would ignore it silently."""
    with pytest.raises(TypeError, match=r"send\(\) has no option 'calback_url'"):
        body(calback_url="https://example.com")
    with pytest.raises(TypeError, match=r"text_message has no option 'repl_to'.*reply_to"):
        text("Hi", repl_to="m1")  # type: ignore[call-arg]  # the slip


@pytest.mark.parametrize("metadata", [["a"], 5, True])
def test_send_refuses_metadata_of_other_kinds(metadata: Any) -> None:
    """Metadata is a string or a mapping."""
    with pytest.raises(TypeError, match="message_metadata= must be a string or a mapping"):
        body(message_metadata=metadata)


def test_send_refuses_metadata_that_is_not_json() -> None:
    """NaN would make a string that nobody can read back."""
    with pytest.raises(ValueError, match="JSON"):
        body(message_metadata={"a": float("nan")})


@pytest.mark.parametrize("ttl", [True, [1], b"10s"])
def test_send_refuses_ttl_of_other_kinds(ttl: Any) -> None:
    """A time to live is seconds, a timedelta or a string."""
    with pytest.raises(TypeError, match="ttl= must be seconds"):
        body(ttl=ttl)


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), 10**400, "", "10", "soon"])
def test_send_refuses_a_ttl_out_of_range(ttl: Any) -> None:
    """A time to live below a second is a mistake."""
    with pytest.raises(ValueError, match="ttl"):
        body(ttl=ttl)
