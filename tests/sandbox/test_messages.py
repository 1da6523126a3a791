"""Messages, conversations, consents and templates live as documented."""

import time

from sinch_wrapper.sandbox._json import timestamp
from tests.helpers.sandbox import Api, Inbox, sms, text

C = "/conversation/v1/~"
T = "/template/v2/~"
IDENTITY = {"channel": "SMS", "identity": "+46700000001"}


def test_message_is_read_from_its_own_source(api: Api) -> None:
    """A message of an app in DISPATCH mode is found in the dispatch source only."""
    message_id = api.send(api.app())
    path = f"{C}/messages/{message_id}"

    found = api.ok("GET", path, params={"messages_source": "DISPATCH_SOURCE"})

    assert (found["processing_mode"], found["conversation_id"]) == ("DISPATCH", "")
    assert api("GET", path).status_code == 404


def test_message_in_conversation_mode_makes_contact_and_conversation(api: Api) -> None:
    """The first message to an identity opens a conversation, the second goes into it."""
    app_id = api.app(processing_mode="CONVERSATION")
    sent = [api.send(app_id, "+46701112233", conversation_metadata={"n": n}) for n in (1, 2)]

    messages = [api.ok("GET", f"{C}/messages/{each}") for each in sent]
    conversations = api.ok("GET", f"{C}/conversations", params={"app_id": app_id})

    [conversation] = conversations["conversations"]
    assert {conversation["id"]} == {each["conversation_id"] for each in messages}
    assert conversation["metadata_json"] == {"n": 2}


def test_contact_recipient_is_refused_in_dispatch_mode(api: Api) -> None:
    """An app in DISPATCH mode knows no contact ids."""
    body = {"app_id": api.app(), "message": text("Hi"), "recipient": {"contact_id": "x"}}

    assert api("POST", f"{C}/messages:send", json=body).status_code == 400


def test_messages_are_listed_newest_first(api: Api) -> None:
    """The list of an app's messages begins with the last one."""
    app_id = api.app()
    sent = [api.send(app_id) for _ in range(3)]
    params = {"app_id": app_id, "messages_source": "DISPATCH_SOURCE"}

    listed = api.ok("GET", f"{C}/messages", params=params)["messages"]

    assert sent[::-1] == [each["id"] for each in listed]


def test_last_message_by_identity(api: Api) -> None:
    """fetch-last-message gives the latest message of each identity asked for."""
    app_id = api.app()
    api.send(app_id, "+46705550001")
    last = api.send(app_id, "+46705550001")
    body = {"channel_identities": ["+46705550001"], "messages_source": "DISPATCH_SOURCE"}

    found = api.ok("POST", f"{C}/messages:fetch-last-message", json=body)["messages"]

    assert [last] == [each["id"] for each in found]


def test_injected_message_reaches_webhook(api: Api, inbox: Inbox) -> None:
    """A message injected towards the app arrives as MESSAGE_INBOUND with conversation metadata."""
    app_id = api.app(processing_mode="CONVERSATION")
    api.webhook(app_id, inbox.url, "MESSAGE_INBOUND")
    message_id = api.send(app_id, "+46701112244", conversation_metadata={"ticket": "9"})
    sent = api.ok("GET", f"{C}/messages/{message_id}")
    body = {
        "contact_message": text("Yes"),
        "contact_id": sent["contact_id"],
        "channel_identity": sent["channel_identity"],
        "direction": "TO_APP",
        "accept_time": timestamp(time.time() - 60),
    }
    api.ok("POST", f"{C}/conversations/{sent['conversation_id']}:inject-message", json=body)

    [event] = inbox.wait(1)

    assert (event.kind, event.message_metadata) == ("message", '{"ticket":"9"}')


def test_stopped_conversation_is_not_active(api: Api) -> None:
    """Stopping ends a conversation, and only_active leaves it out."""
    app_id = api.app(processing_mode="CONVERSATION")
    known = [{"channel": "SMS", "identity": "+46700000001"}]
    body = {"channel_identities": known, "language": "EN"}
    contact = api.ok("POST", f"{C}/contacts", json=body)["id"]
    link = {"app_id": app_id, "contact_id": contact}
    conversation = api.ok("POST", f"{C}/conversations", json=link)["id"]
    api.ok("POST", f"{C}/conversations/{conversation}:stop")
    params = {"app_id": app_id, "only_active": "true"}

    assert api.ok("GET", f"{C}/conversations", params=params)["conversations"] == []


def test_consents_are_listed_and_audited(api: Api) -> None:
    """An opt-out appears in its list, and in the audit of its identity with origin API."""
    app_id = api.app()
    record = {"identification": "46700000077", "consent_type": "OPT_OUT_MARKETING"}
    api.ok("POST", "/batch/v1/~/consents", json={"app_id": app_id, "consent_records": [record]})

    listed = api.ok("GET", f"{C}/apps/{app_id}/consents/OPT_OUT_MARKETING")
    audit = api.ok("GET", f"{C}/apps/{app_id}/consents/identities/46700000077")

    assert listed["identities"] == [{"identity": "46700000077"}]
    assert [each["origin"] for each in audit["audit_records"]] == ["ORIGIN_API"]


def test_template_update_needs_current_version(api: Api) -> None:
    """A template counts its versions, and an update of an older one is a conflict."""
    translations = [{"language_code": "en"} | text("Hi")]
    body = {"default_translation": "en", "translations": translations}
    template = api.ok("POST", f"{T}/templates", json=body)
    change = body | {"id": template["id"], "version": 1}

    changed = api.ok("PUT", f"{T}/templates/{template['id']}", json=change)

    assert changed["version"] == 2
    assert api("PUT", f"{T}/templates/{template['id']}", json=change).status_code == 409


def test_template_needs_its_default_translation(api: Api) -> None:
    """A default translation that is not among the translations is 400."""
    translations = [{"language_code": "en"} | text("Hi")]
    body = {"default_translation": "sv", "translations": translations}

    assert api("POST", f"{T}/templates", json=body).status_code == 400


def test_event_in_the_documented_wrapper_is_taken_too(api: Api) -> None:
    """An event is stored under app_event however it was sent."""
    body = {"app_id": api.app(), "recipient": sms("+46700000001"), "event": {"composing_event": {}}}
    event_id = api.ok("POST", f"{C}/events:send", json=body)["event_id"]

    assert api.ok("GET", f"{C}/events/{event_id}")["app_event"] == {"composing_event": {}}
