"""Where a message goes: the address that was asked for, the order of channels, the fallback."""

from typing import Any

import pytest

from sinch_wrapper._numbers import digits_of as client_digits
from sinch_wrapper.sandbox._numbers import digits_of
from tests.helpers.numbers import FAULTY, SPELLINGS
from tests.helpers.sandbox import Api, Inbox, StartSandbox, eventually, sms, text

C = "/conversation/v1/~"
WHATSAPP = {"channel": "WHATSAPP", "identity": "46700000077"}
SMS = {"channel": "SMS", "identity": "+46700099000"}
NO_FIELDS: dict[str, Any] = {}
MMS = {"channel": "MMS", "identity": "+46700000078"}


def _contact(api: Api, *identities: dict[str, str], **fields: Any) -> str:
    body = {"channel_identities": identities, "language": "EN"} | fields
    contact_id: str = api.ok("POST", f"{C}/contacts", json=body)["id"]
    return contact_id


def _with_channels(api: Api, *channels: str, **fields: Any) -> str:
    bearer = {"claimed_identity": "me", "token": "t"}
    credentials = [{"channel": each, "static_bearer": bearer} for each in channels]
    return api.app(processing_mode="CONVERSATION", channel_credentials=credentials, **fields)


def _to(contact_id: str) -> dict[str, Any]:
    return {"recipient": {"contact_id": contact_id}}


def _channel(api: Api, message_id: str) -> str:
    channel: str = api.ok("GET", f"{C}/messages/{message_id}")["channel_identity"]["channel"]
    return channel


def _ended(api: Api, message_id: str) -> tuple[str, str, str, str]:
    """Return channel, identity, outcome and reason of a message, as the ledger has them."""
    ledger = api.server.ledger

    def entry() -> Any:
        return next(ledger.entries({"message_id": message_id}))

    eventually(lambda: entry()["outcome"] in {"DELIVERED", "FAILED"})
    found = entry()
    return found["channel"], found["identity"], found["outcome"], found["reason"]


@pytest.mark.parametrize("how", ["single", "batch", "event"])
def test_message_goes_to_the_address_that_was_asked_for(api: Api, how: str) -> None:
    """Another channel of the same contact is not used, though the contact has it first."""
    app_id = api.app(processing_mode="CONVERSATION")
    _contact(api, WHATSAPP, SMS)
    recipient = sms(SMS["identity"])
    if how == "single":
        api.send(app_id, recipient=recipient)
    elif how == "batch":
        api.batch(app_id, [{"recipient": recipient}], message=text("Hi"))
    else:
        event = {"app_id": app_id, "recipient": recipient, "event": {"composing_event": {}}}
        api.ok("POST", f"{C}/events:send", json=event)

    def entry() -> Any:
        return next(api.server.ledger.entries({"app_id": app_id}))

    eventually(lambda: bool("FAILED" == entry()["outcome"]))
    assert ("SMS", SMS["identity"], "RECIPIENT_NOT_REACHABLE") == (
        entry()["channel"],
        entry()["identity"],
        entry()["reason"],
    )


def test_identities_of_the_recipient_are_tried_in_their_order(api: Api) -> None:
    """Without channel_priority_order the recipient's own order counts, with it the order named."""
    app_id = api.app(processing_mode="CONVERSATION")
    _contact(api, WHATSAPP, MMS, channel_priority=["WHATSAPP"])
    recipient = {"identified_by": {"channel_identities": [MMS, WHATSAPP]}}
    ordered: dict[str, Any] = {"channel_priority_order": ["WHATSAPP", "MMS"]}
    sent = [api.send(app_id, recipient=recipient, **fields) for fields in (NO_FIELDS, ordered)]

    assert ["MMS", "WHATSAPP"] == [_channel(api, each) for each in sent]


def test_contact_prefers_its_own_channels_over_those_of_the_app(api: Api) -> None:
    """For a contact id the contact's preferences come first, then the order of the app."""
    app_id = _with_channels(api, "SMS", "MMS", "WHATSAPP")
    plain = _contact(api, WHATSAPP, MMS)
    choosy = _contact(api, MMS, WHATSAPP, channel_priority=["WHATSAPP"])
    sent = [api.send(app_id, **_to(each)) for each in (plain, choosy)]

    assert ["MMS", "WHATSAPP"] == [_channel(api, each) for each in sent]


def test_active_channel_of_the_conversation_comes_first(api: Api) -> None:
    """The channel that was used last is tried before the contact's preferences."""
    app_id = api.app(processing_mode="CONVERSATION")
    contact_id = _contact(api, WHATSAPP, MMS, channel_priority=["WHATSAPP"])
    api.send(app_id, **_to(contact_id), channel_priority_order=["MMS"])

    assert "MMS" == _channel(api, api.send(app_id, **_to(contact_id)))


def test_channel_without_credentials_is_not_used(api: Api) -> None:
    """An app with credentials sends on its channels alone, and fails when there is none."""
    app_id = _with_channels(api, "MMS")
    both = {"identified_by": {"channel_identities": [WHATSAPP, MMS]}}
    alone = {"identified_by": {"channel_identities": [WHATSAPP]}}
    used, failed = (api.send(app_id, recipient=each) for each in (both, alone))

    assert ("MMS", MMS["identity"], "DELIVERED", "") == _ended(api, used)
    assert ("FAILED", "CHANNEL_CONFIGURATION_MISSING") == _ended(api, failed)[2:]


def test_identity_of_another_app_is_not_used(api: Api) -> None:
    """Where a channel knows a person per app, the identity for this app is taken."""
    app_id, other = (api.app(processing_mode="CONVERSATION") for _ in range(2))
    contact_id = _contact(
        api,
        {"channel": "MESSENGER", "identity": "a1", "app_id": other},
        {"channel": "INSTAGRAM", "identity": "b2", "app_id": app_id},
    )

    assert "INSTAGRAM" == _channel(api, api.send(app_id, **_to(contact_id)))


@pytest.mark.parametrize("how", ["single", "batch"])
@pytest.mark.parametrize("mode", ["CONVERSATION", "DISPATCH"])
def test_number_that_ends_in_777_is_reached_on_the_last_channel(
    start_sandbox: StartSandbox, inbox: Inbox, how: str, mode: str
) -> None:
    """Each channel before it says SWITCHING_CHANNEL, and the ledger names the one that arrived."""
    api = start_sandbox(callback_workers=1)
    app_id = api.app(processing_mode=mode)
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    identities = [{"channel": each, "identity": "+46700000777"} for each in ("RCS", "SMS")]
    recipient = {"identified_by": {"channel_identities": identities}}
    if how == "single":
        api.send(app_id, recipient=recipient)
    else:
        api.batch(app_id, [{"recipient": recipient}], message=text("Hi"))

    payloads: list[Any] = [each.payload for each in inbox.wait(4)]
    seen = [(each["channel_identity"]["channel"], str(each["status"])) for each in payloads]
    [entry] = api.server.ledger.entries()
    assert seen == [
        ("RCS", "QUEUED_ON_CHANNEL"),
        ("RCS", "SWITCHING_CHANNEL"),
        ("SMS", "QUEUED_ON_CHANNEL"),
        ("SMS", "DELIVERED"),
    ]
    assert ("SMS", "DELIVERED", "") == (entry["channel"], entry["outcome"], entry["reason"])


def test_number_that_ends_in_777_is_ordinary_on_one_channel(api: Api) -> None:
    """With nothing to fall back to it is reached."""
    message_id = api.send(api.app(), "+46700000777")

    assert "DELIVERED" == _ended(api, message_id)[2]


@pytest.mark.parametrize(
    ("ttl", "same", "expected"),
    [
        ("3600s", 1, ("SMS", "DELIVERED", "")),
        ("3600s", 2, ("SMS", "DELIVERED", "")),
        ("30s", 1, ("SMS", "FAILED", "DELIVERY_TIMED_OUT")),
    ],
)
def test_app_may_switch_when_no_receipt_comes(
    start_sandbox: StartSandbox, ttl: str, same: int, expected: tuple[str, str, str]
) -> None:
    """After the waiting time the next channel is tried, unless the ttl is over."""
    api = start_sandbox(frozen=True)
    clock = api.server.clock
    fallback = {"enabled": True, "delivery_report_waiting_time": 60}
    app_id = api.app(delivery_report_based_fallback=fallback)
    silent = {"channel": "RCS", "identity": "+46700000999"}
    identities = [*[silent] * same, {"channel": "SMS", "identity": "+46700000001"}]
    api.send(app_id, recipient={"identified_by": {"channel_identities": identities}}, ttl=ttl)

    def state() -> tuple[str, str, str]:
        entry = next(api.server.ledger.entries())
        return entry["channel"], entry["outcome"], entry["reason"]

    eventually(lambda: clock.waiting == 1)
    clock.advance(0.1)
    eventually(lambda: state() == ("RCS", "QUEUED_ON_CHANNEL", "") and clock.waiting == 1)
    clock.advance(59)
    assert ("RCS", "QUEUED_ON_CHANNEL", "") == state()
    clock.advance(2)
    if same > 1:
        eventually(lambda: clock.waiting == 1)
        clock.advance(61)
    eventually(lambda: state() == expected)


@pytest.mark.parametrize("identity", ["N/A", "4.67E+10", "Ada", "0701234567", "+46", "+", "x" * 30])
def test_what_is_no_number_is_never_delivered_on_a_phone_channel(api: Api, identity: str) -> None:
    """The message is accepted, and fails with the reason that the documents have for it."""
    ended = _ended(api, api.send(api.app(), identity))

    assert ("SMS", identity, "FAILED", "RECIPIENT_INVALID_CHANNEL_IDENTITY") == ended


def test_identity_of_another_channel_is_any_text(api: Api) -> None:
    """An app-scoped id is opaque."""
    identities = [{"channel": "TELEGRAM", "identity": "Ada"}]
    recipient = {"identified_by": {"channel_identities": identities}}

    assert "DELIVERED" == _ended(api, api.send(api.app(), recipient=recipient))[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+46701234567", "46701234567"),
        ("46701234567", "46701234567"),
        ("0046701234567", "46701234567"),
        ("+46 (0)70-123 45 67", "46701234567"),
        ("tel:+46-70-123-45-67", "46701234567"),
        ("\u202a+46701234567\u202c", "46701234567"),
        ("\ufeff46\u00a070\u200b1234567", "46701234567"),
        ("+46\u201170\u2013123\u221245\u201467", "46701234567"),
        ("\uff0b\uff14\uff1670\u0661\u0662\u0663 4567", "46701234567"),
        ("+46701234567 / +46709876543", ""),
        ("0+46701234567", ""),
        ("+46701234567 ext 12", ""),
        ("1-800-FLOWERS", ""),
        ("+1234567890123456", ""),
        ("+4670123456\uff4f", ""),
        ("", ""),
        ('="+46701234567"', "46701234567"),
        ("46701234567,00", "46701234567"),
        ("tel:+46701234567;ext=12", ""),
        ("4.67E+10", ""),
        ("46701234567.5", ""),
        ("2026-11-28", ""),
        ("+999123456789", ""),
        ("72345", ""),
        ("+390669821234", "390669821234"),
    ],
)
def test_notations_of_a_number(text: str, expected: str) -> None:
    """Format characters, blanks, brackets and hyphens do not count; letters are no digits."""
    assert expected == digits_of(text)


@pytest.mark.parametrize("text", [*SPELLINGS, *(each for some in FAULTY.values() for each in some)])
def test_client_and_sandbox_agree_about_numbers(text: str) -> None:
    """They share no code, and come to the same digits, or to none."""
    assert client_digits(text) == digits_of(text)


def test_notations_of_a_number_are_one_contact_and_one_opt_out(api: Api) -> None:
    """A contact is found, and an opt-out holds, however the number is written."""
    app_id = api.app(processing_mode="CONVERSATION")
    contact_id = _contact(api, {"channel": "SMS", "identity": "46705550199"})
    api.send(app_id, "+46 70-555 01 99")
    [message] = api.ok("GET", f"{C}/messages", params={"app_id": app_id})["messages"]
    record = {"identification": "+46705550199", "consent_type": "OPT_OUT_ALL"}
    api.ok("POST", "/batch/v1/~/consents", json={"app_id": app_id, "consent_records": [record]})

    assert contact_id == message["contact_id"]
    assert "RECIPIENT_NOT_OPTED_IN" == _ended(api, api.send(app_id, "46705550199"))[3]
