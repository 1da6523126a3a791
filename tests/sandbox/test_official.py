"""What the end-to-end steps and fixtures of the official SDKs assert of the API."""

from typing import Any

import pytest

from tests.helpers.sandbox import START, Api, StartSandbox, sms, text

C = "/conversation/v1/~"
T = "/template/v2/~/templates"
SMS = {"channel": "SMS", "identity": "+12015555555"}
BEARER = {"claimed_identity": "me", "token": "t"}
TEMPLATE = {
    "default_translation": "en-US",
    "translations": [
        {"language_code": "en-US", "version": "3"} | text("Hello ${name}"),
        {"language_code": "sv-SE"} | text("Hej ${name}"),
    ],
}


def _contact(api: Api, *channels: str, **fields: Any) -> dict[str, Any]:
    identities = [{"channel": each, "identity": f"4670555{len(each)}"} for each in channels]
    body = {"channel_identities": identities or [SMS], "language": "EN"} | fields
    made: dict[str, Any] = api.ok("POST", f"{C}/contacts", json=body)
    return made


def _template(api: Api, **fields: Any) -> Any:
    return api.ok("POST", T, json=TEMPLATE | fields)


# --- Null ---------------------------------------------------------------------------------------


def test_null_is_absent(api: Api) -> None:
    """What the Python SDK 2.3.0 and 1.1.4 and the Java fixtures send as null is not there."""
    app_id = api.app(retention_policy=None)
    identity = SMS | {"app_id": None}
    contact = _contact(api, channel_identities=[identity], email=None, display_name=None)
    fetch = {"channel_identities": ["1"], "contact_ids": None, "app_id": None, "page_size": None}
    api.ok("POST", f"{C}/messages:fetch-last-message", json=fetch)
    api.ok(
        "POST",
        f"{C}/contacts/{contact['id']}:merge",
        json={"source_id": _contact(api)["id"], "strategy": None},
    )
    api.send(app_id, message=text("Hi") | {"card_message": None})

    assert ("", "Unknown") == (contact["email"], contact["display_name"])


def test_null_without_mask_changes_nothing(api: Api) -> None:
    """As if the field were not in the body."""
    contact = _contact(api, email="ada@example.com")
    changed = api.ok("PATCH", f"{C}/contacts/{contact['id']}", json={"email": None})

    assert "ada@example.com" == changed["email"]


def test_null_of_a_masked_field_clears_it(api: Api) -> None:
    """The docstrings of the Python SDK 2.3.0 say so; the field is empty afterwards."""
    contact = _contact(api, email="ada@example.com", external_id="7")
    path, mask = f"{C}/contacts/{contact['id']}", {"update_mask": "email"}
    changed = api.ok("PATCH", path, json={"email": None, "external_id": "8"}, params=mask)

    assert ("", "7") == (changed["email"], changed["external_id"])


def test_required_field_that_is_null_is_missing(api: Api) -> None:
    """The violation is that of a body without the field."""
    response = api("POST", f"{C}/contacts", json={"channel_identities": [SMS], "language": None})

    [violation] = response.json()["error"]["details"][0]["field_violations"]
    assert {"field": "language", "description": "Field is mandatory."} == violation


@pytest.mark.parametrize("value", [[None], {"channel": "SMS", "identity": None}])
def test_null_is_no_item_and_no_identity(api: Api, value: Any) -> None:
    """Null in a list is refused, and so is an identity without its text."""
    body = {"channel_identities": value if isinstance(value, list) else [value], "language": "EN"}

    assert 400 == api("POST", f"{C}/contacts", json=body).status_code


def test_null_in_metadata_is_a_value(api: Api) -> None:
    """Objects of free form are kept as they are."""
    app_id = api.app(processing_mode="CONVERSATION")
    api.send(app_id, "+12015550001", conversation_metadata={"a": None, "b": {"c": None}})
    [found] = api.ok("GET", f"{C}/conversations", params={"app_id": app_id})["conversations"]

    assert {"a": None, "b": {"c": None}} == found["metadata_json"]


# --- Fields that are always there ---------------------------------------------------------------


def test_app_has_all_its_settings(api: Api) -> None:
    """An app of which nothing was set shows the defaults."""
    credentials = [{"channel": "SMS", "static_bearer": BEARER}]
    app = api.ok("GET", f"{C}/apps/{api.app(channel_credentials=credentials)}")

    expected = {
        "conversation_metadata_report_view": "NONE",
        "retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 180},
        "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 0},
        "smart_conversation": {"enabled": False},
        "persist_message_status": {"enabled": False},
        "message_search": {"enabled": False},
        "callback_settings": {"secret_for_overridden_callback_urls": ""},
        "delivery_report_based_fallback": {"enabled": False, "delivery_report_waiting_time": 0},
        "message_retry_settings": {"retry_duration": 3600},
    }
    assert expected == {name: app[name] for name in expected}
    [channel] = app["channel_credentials"]
    assert ("", "", BEARER) == (
        channel["callback_secret"],
        channel["channel_known_id"],
        channel["static_bearer"],
    )


def test_part_of_a_setting_keeps_the_rest(api: Api) -> None:
    """A policy that was given without its days has the documented ones."""
    policy = {"retention_type": "CONVERSATION_EXPIRE_POLICY"}
    app = api.ok("GET", f"{C}/apps/{api.app(retention_policy=policy)}")

    assert policy | {"ttl_days": 180} == app["retention_policy"]


def test_app_can_be_written_back(api: Api) -> None:
    """What the API gave is accepted in an update."""
    app = api.ok("GET", f"{C}/apps/{api.app()}")

    assert app == api.ok("PATCH", f"{C}/apps/{app['id']}", json=app)


def test_credentials_become_active_by_the_clock(start_sandbox: StartSandbox) -> None:
    """They are pending at first and whenever they change, so that waiting can be tested."""
    api = start_sandbox(frozen=True, now=START)
    app_id = api.app(channel_credentials=[{"channel": "SMS", "static_bearer": BEARER}])
    path = f"{C}/apps/{app_id}"

    def status() -> str:
        found: str = api.ok("GET", path)["channel_credentials"][0]["state"]["status"]
        return found

    seen = [status()]
    api.server.clock.advance(1)
    seen.append(status())
    api.ok("PATCH", path, json={"display_name": "Same credentials"})
    seen.append(status())
    api.ok(
        "PATCH", path, json={"channel_credentials": [{"channel": "MMS", "static_bearer": BEARER}]}
    )
    seen.append(status())

    assert ["PENDING", "ACTIVE", "ACTIVE", "PENDING"] == seen


def test_contact_identity_and_message_have_their_empty_fields(api: Api) -> None:
    """Empty strings, not missing keys; a phone number has no plus."""
    app_id = api.app(processing_mode="CONVERSATION")
    contact = _contact(api)
    message = api.ok("GET", f"{C}/messages/{api.send(app_id, recipient=sms('+12015555555'))}")

    identity = {"channel": "SMS", "identity": "12015555555", "app_id": ""}
    assert ("", "", "", []) == (
        contact["email"],
        contact["external_id"],
        contact["metadata"],
        contact["channel_priority"],
    )
    assert [identity] == contact["channel_identities"]
    assert (identity, "", "") == (
        message["channel_identity"],
        message["sender_id"],
        message["metadata"],
    )


def test_conversation_and_webhook_have_their_empty_fields(api: Api) -> None:
    """Also a webhook without credentials has the key, with null."""
    app_id = api.app(processing_mode="CONVERSATION")
    api.send(app_id, "+12015550002")
    [found] = api.ok("GET", f"{C}/conversations", params={"app_id": app_id})["conversations"]
    body = {"app_id": app_id, "target": "http://127.0.0.1:9/a"}
    hook = api.ok("POST", f"{C}/webhooks", json=body)

    assert ("", "", {}) == (found["correlation_id"], found["metadata"], found["metadata_json"])
    assert ("", None) == (hook["secret"], hook["client_credentials"])


def test_contact_of_an_unknown_person_has_no_language(api: Api) -> None:
    """It is UNSPECIFIED, and a contact may be written back with it."""
    app_id = api.app(processing_mode="CONVERSATION")
    message = api.ok("GET", f"{C}/messages/{api.send(app_id, '+12015550003')}")
    path = f"{C}/contacts/{message['contact_id']}"
    contact = api.ok("GET", path)

    assert "UNSPECIFIED" == contact["language"]
    assert contact == api.ok("PATCH", path, json=contact)


# --- Merge --------------------------------------------------------------------------------------


def test_merge_moves_identities_of_new_channels_alone(api: Api) -> None:
    """The scenario of the end-to-end steps: MESSENGER and MMS with MESSENGER and SMS."""
    kept = _contact(api, "MESSENGER", "MMS", channel_priority=["MMS", "MESSENGER"])
    gone = _contact(
        api, "MESSENGER", "SMS", display_name="Pika", email="p@example.com", language="SV"
    )
    path = f"{C}/contacts/{kept['id']}:merge"
    merged = api.ok("POST", path, json={"source_id": gone["id"]})

    assert ["MESSENGER", "MMS", "SMS"] == [each["channel"] for each in merged["channel_identities"]]
    assert ["MMS", "MESSENGER", "SMS"] == merged["channel_priority"]
    assert ("Pika", "p@example.com", "EN") == (
        merged["display_name"],
        merged["email"],
        merged["language"],
    )


def test_merge_keeps_what_the_destination_has(api: Api) -> None:
    """Fields are copied where the destination's are empty, and only there."""
    kept = _contact(api, "SMS", display_name="Ada", email="a@example.com")
    gone = _contact(api, "MMS", display_name="Eve", email="e@example.com", external_id="7")
    merged = api.ok("POST", f"{C}/contacts/{kept['id']}:merge", json={"source_id": gone["id"]})

    assert ("Ada", "a@example.com", "7", []) == (
        merged["display_name"],
        merged["email"],
        merged["external_id"],
        merged["channel_priority"],
    )


def test_merge_leaves_one_active_conversation_per_app(api: Api) -> None:
    """Messages of the removed contact go into the destination's; other apps' move with it."""
    app_id, other = (api.app(processing_mode="CONVERSATION") for _ in range(2))
    kept, gone = _contact(api, "SMS"), _contact(api, "MMS")
    mine = api.send(app_id, recipient={"contact_id": kept["id"]})
    theirs = api.send(app_id, recipient={"contact_id": gone["id"]})
    elsewhere = api.send(other, recipient={"contact_id": gone["id"]})
    api.ok("POST", f"{C}/contacts/{kept['id']}:merge", json={"source_id": gone["id"]})

    def messages(contact_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.ok(
            "GET", f"{C}/messages", params={"contact_id": contact_id}
        )["messages"]
        return found

    found = {each["id"]: each["conversation_id"] for each in messages(kept["id"])}
    listed = api.ok("GET", f"{C}/conversations", params={"contact_id": kept["id"]})
    assert {mine, theirs, elsewhere} == found.keys()
    assert found[mine] == found[theirs]
    assert {found[mine], found[elsewhere]} == {each["id"] for each in listed["conversations"]}
    assert [] == messages(gone["id"])
    assert (
        found[mine]
        == api.ok("GET", f"{C}/messages/{api.send(app_id, recipient={'contact_id': kept['id']})}")[
            "conversation_id"
        ]
    )


# --- Recent conversations, updates, templates ---------------------------------------------------


@pytest.mark.parametrize(("order", "expected"), [("DESC", [0, 1]), ("ASC", [1, 0])])
def test_recent_conversations_are_ordered_by_their_newest_message(
    api: Api, order: str, expected: list[int]
) -> None:
    """Not by the time at which they began; pages of one agree."""
    app_id = api.app(processing_mode="CONVERSATION")
    for number in ("001", "002", "001"):
        last = api.send(app_id, f"+12015551{number}")
    seen, token = [], ""
    for _ in range(2):
        params = {"app_id": app_id, "order": order, "page_size": "1", "page_token": token}
        page = api.ok("GET", f"{C}/conversations:recent", params=params)
        seen += page["conversations"]
        token = page.get("next_page_token", "")

    identities = [each["last_message"]["channel_identity"]["identity"] for each in seen]
    assert [["12015551001", "12015551002"][each] for each in expected] == identities
    assert last == seen[expected[0]]["last_message"]["id"]


def test_conversation_moves_to_another_app(api: Api) -> None:
    """The next message of the first app opens a new one; an unknown app is refused."""
    first, second = (api.app(processing_mode="CONVERSATION") for _ in range(2))
    message = api.ok("GET", f"{C}/messages/{api.send(first, '+12015550004')}")
    path = f"{C}/conversations/{message['conversation_id']}"
    moved = api.ok("PATCH", path, json={"app_id": second, "correlation_id": "my-correlator"})
    again = api.ok("GET", f"{C}/messages/{api.send(first, '+12015550004')}")
    there = api.ok("GET", f"{C}/messages/{api.send(second, '+12015550004')}")

    assert (second, "my-correlator") == (moved["app_id"], moved["correlation_id"])
    assert message["conversation_id"] != again["conversation_id"]
    assert message["conversation_id"] == there["conversation_id"]
    assert 404 == api("PATCH", path, json={"app_id": "01J0SANDB0X0APP00000000999"}).status_code


def test_webhook_moves_to_another_app(api: Api) -> None:
    """Its target may not be there already, and the app must exist."""
    first, second = api.app(), api.app()
    hook = api.webhook(first, "http://127.0.0.1:9/moving", "CAPABILITY")
    path = f"{C}/webhooks/{hook}"
    body = {"app_id": second, "target": "http://127.0.0.1:9/moving"}
    moved = api.ok("PATCH", path, json=body)
    listed = [api.ok("GET", f"{C}/apps/{each}/webhooks")["webhooks"] for each in (first, second)]
    third = api.webhook(first, "http://127.0.0.1:9/moving", "CAPABILITY")

    assert (second, ["CAPABILITY"]) == (moved["app_id"], moved["triggers"])
    assert [0, 1] == [len(each) for each in listed]
    assert 400 == api("PATCH", f"{C}/webhooks/{third}", json=body).status_code
    unknown = body | {"app_id": "01J0SANDB0X0APP00000000999"}
    assert 404 == api("PATCH", path, json=unknown).status_code


def test_template_shows_a_latest_version_of_each_translation(api: Api) -> None:
    """Reading and listing show it, creating, updating and listing translations do not."""
    made = _template(api)
    path = f"{T}/{made['id']}"
    read = api.ok("GET", path)
    [listed] = [each for each in api.ok("GET", T)["templates"] if each["id"] == made["id"]]
    translations = api.ok("GET", f"{path}/translations")["translations"]

    versions = ["3", "1", "latest", "latest"]
    assert versions == [each["version"] for each in read["translations"]]
    assert read == listed
    assert ["3", "1"] == [each["version"] for each in made["translations"]]
    assert ["3", "1"] == [each["version"] for each in translations]
    assert ({}, []) == (
        translations[0]["channel_template_overrides"],
        translations[0]["variables"],
    )


def test_template_is_updated_without_its_id(api: Api) -> None:
    """The id is in the path; the copies named latest must not come back."""
    made = _template(api)
    path = f"{T}/{made['id']}"
    changed = api.ok("PUT", path, json=TEMPLATE | {"version": 1, "description": "Changed"})
    back = api.ok("GET", path)

    assert (made["id"], 2, "Changed") == (changed["id"], changed["version"], changed["description"])
    assert 400 == api("PUT", path, json=back).status_code


# --- Times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("2020-01-01T00:00:00", 200),
        ("2020-01-01T00:00:00.123456789", 200),
        ("2020-01-01T00:00:00+02:00", 200),
        ("2020-01-01 00:00:00", 400),
        ("2020-13-01T00:00:00", 400),
        ("2020-01-01", 400),
        ("yesterday", 400),
    ],
)
def test_time_without_offset_means_utc(api: Api, start: str, status: int) -> None:
    """The Python SDK 2.3.0 sends a naive datetime so; anything else is RFC 3339 or refused."""
    assert status == api("GET", f"{C}/messages", params={"start_time": start}).status_code
