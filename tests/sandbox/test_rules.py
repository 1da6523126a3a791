"""The sandbox enforces what the documents state in prose, and what HTTP requires."""

from typing import Any

import pytest

from tests.helpers.sandbox import START, Api, StartSandbox, eventually, row, sms, text

C = "/conversation/v1/~"
SEND = f"{C}/messages:send"
BATCH = "/batch/v1/~/messages"
APPS = f"{C}/apps"
SMS = {"channel": "SMS", "identity": "+46700000001"}
APP = "01J0SANDB0X0APP00000000000"


def _fields(response: Any) -> list[str]:
    assert response.status_code == 400, response.text
    [detail] = response.json()["error"]["details"]
    return [each["field"] for each in detail["field_violations"]]


NOBODY: dict[str, Any] = {"identified_by": {"channel_identities": []}}
SENDING: list[tuple[dict[str, Any], str]] = [
    ({"correlation_id": "x" * 129}, "correlation_id"),
    ({"conversation_metadata": {"a": "x" * 2048}}, "conversation_metadata"),
    ({"channel_properties": {"K": "x" * 1025}}, "channel_properties.K"),
    ({"ttl": "2s"}, "ttl"),
    ({"ttl": "10"}, "ttl"),
    ({"ttl": "315576000001s"}, "ttl"),
    ({"message": {"template_message": {}}}, "message.template_message"),
]


@pytest.mark.parametrize(("fields", "named"), SENDING)
def test_limits_of_a_batch_are_those_of_the_prose(
    api: Api, fields: dict[str, Any], named: str
) -> None:
    """A field beyond its documented limit is named."""
    body = {"app_id": APP, "message": text("Hi"), "recipient_and_params": [row("+467")]}

    assert [named] == _fields(api("POST", BATCH, json=body | fields))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        *SENDING,
        ({"message_metadata": "x" * 1025}, "message_metadata"),
        ({"recipient": NOBODY}, "recipient.identified_by.channel_identities"),
        ({"channel_priority_order": ["LINE"]}, "channel_priority_order"),
    ],
)
def test_limits_of_a_message_are_those_of_the_prose(
    api: Api, fields: dict[str, Any], named: str
) -> None:
    """A field beyond its documented limit is named."""
    body = {"app_id": APP, "message": text("Hi"), "recipient": sms("+46700000001")}

    assert [named] == _fields(api("POST", SEND, json=body | fields))


def test_sound_extremes_pass(api: Api) -> None:
    """The limits themselves are allowed."""
    api.send(
        APP,
        correlation_id="x" * 128,
        message_metadata="x" * 1024,
        ttl="3s",
        channel_properties={"K": "x" * 1024},
        conversation_metadata={"a": "x" * 2040},
    )


def test_batch_names_the_recipient_without_identity(api: Api) -> None:
    """An empty list of identities is refused with its place."""
    rows: list[Any] = [row("+467"), {"recipient": NOBODY}]
    body = {"app_id": APP, "message": text("Hi"), "recipient_and_params": rows}

    path = "recipient_and_params[1].recipient.identified_by.channel_identities"
    assert [path] == _fields(api("POST", BATCH, json=body))


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("contacts", {"channel": "SMS"}, "identity"),
        ("contacts", {"identity": "1"}, "channel"),
        ("conversations", {}, "app_id"),
        ("events", {}, "conversation_id"),
        ("messages", {"messages_source": "DISPATCH_SOURCE", "contact_id": "1"}, "contact_id"),
        (
            "messages",
            {"start_time": "2026-02-01T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"},
            "start_time",
        ),
    ],
)
def test_queries_follow_the_prose(api: Api, path: str, params: dict[str, str], named: str) -> None:
    """Filters that exclude or need each other are refused when they do not fit."""
    assert [named] == _fields(api("GET", f"{C}/{path}", params=params))


def test_external_id_excludes_the_identity(api: Api) -> None:
    """A contact is looked up by external id or by identity."""
    params = {"external_id": "7", "channel": "SMS", "identity": "1"}

    assert ["external_id"] * 2 == _fields(api("GET", f"{C}/contacts", params=params))


@pytest.mark.parametrize(
    ("path", "limit"), [("contacts", 20), ("contacts:identityConflicts", 20), ("apps/~APP/x", 50)]
)
def test_pages_are_not_larger_than_documented(api: Api, path: str, limit: int) -> None:
    """A page size above the maximum counts as the maximum."""
    if path.startswith("apps"):
        app_id = api.app()
        records = [
            {"identification": f"4670000{n:04}", "consent_type": "OPT_OUT_MARKETING"}
            for n in range(limit + 1)
        ]
        api.ok("POST", "/batch/v1/~/consents", json={"app_id": app_id, "consent_records": records})
        path = f"apps/{app_id}/consents/OPT_OUT_MARKETING"
    else:
        pairs = [
            {"channel_identities": [SMS | {"identity": f"+4671{n}"}]} for n in range(limit + 1)
        ]
        contacts = [each | {"language": "EN"} for each in pairs * 2]
        api.ok("POST", "/batch/v1/~/contacts", json={"contacts": contacts})

    found = api.ok("GET", f"{C}/{path}", params={"page_size": "1000"})

    [rows] = [value for value in found.values() if isinstance(value, list)]
    assert (limit, True) == (len(rows), bool(found["next_page_token"]))


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("ftp://127.0.0.1/", "target"),
        ("http://", "target"),
        ("http://[", "target"),
        ("https://conversation-api.us.sinch.com/x", "target"),
        ("http://127.0.0.1/" + "x" * 742, "target"),
    ],
)
def test_webhook_targets_are_checked(api: Api, target: str, named: str) -> None:
    """A target is a short HTTP URL, and not one of the API itself."""
    assert [named] == _fields(api("POST", f"{C}/webhooks", json={"app_id": APP, "target": target}))


def test_webhook_needs_real_triggers(api: Api) -> None:
    """UNSPECIFIED_TRIGGER is an error."""
    body = {"app_id": APP, "target": "http://127.0.0.1:9/t", "triggers": ["UNSPECIFIED_TRIGGER"]}

    assert ["triggers"] == _fields(api("POST", f"{C}/webhooks", json=body))


@pytest.mark.parametrize("field", ["conversation_metadata", "correlation_id"])
def test_dispatch_only_excludes_conversation_fields(api: Api, field: str) -> None:
    """An app in CONVERSATION mode takes neither of them with DISPATCH_ONLY."""
    value: Any = {"a": 1} if field == "conversation_metadata" else "c-1"
    extra = {"processing_strategy": "DISPATCH_ONLY", field: value}
    app_id = api.app(processing_mode="CONVERSATION")
    one = {"app_id": app_id, "message": text("Hi"), "recipient": sms("+467")}
    many = {"app_id": app_id, "message": text("Hi"), "recipient_and_params": [row("+467")]}

    assert [field] == _fields(api("POST", SEND, json=one | extra))
    assert [field] == _fields(api("POST", BATCH, json=many | extra))


def test_channel_must_be_configured_on_the_app(api: Api) -> None:
    """An app with credentials takes only its channels in the priority order."""
    bearer = {"claimed_identity": "me", "token": "t"}
    app_id = api.app(channel_credentials=[{"channel": "SMS", "static_bearer": bearer}])
    body = {"app_id": app_id, "message": text("Hi"), "recipient": sms("+467")}

    response = api("POST", SEND, json=body | {"channel_priority_order": ["RCS", "SMS"]})

    assert ["channel_priority_order"] == _fields(response)


@pytest.mark.parametrize("accept_time", ["2027-01-16T00:00:00Z", "2026-12-01T00:00:00Z"])
def test_injected_messages_are_from_the_last_month(
    start_sandbox: StartSandbox, accept_time: str
) -> None:
    """An accept_time in the future or 30 days ago is refused."""
    api = start_sandbox(start="sample", now=START, frozen=True)
    [contact, *_] = api.ok("GET", f"{C}/contacts")["contacts"]
    query = {"contact_id": contact["id"]}
    [conversation] = api.ok("GET", f"{C}/conversations", params=query)["conversations"]
    body = {
        "contact_message": text("Yes"),
        "contact_id": contact["id"],
        "channel_identity": SMS,
        "direction": "TO_APP",
        "accept_time": accept_time,
    }
    path = f"{C}/conversations/{conversation['id']}:inject-message"

    assert ["accept_time"] == _fields(api("POST", path, json=body))


def test_long_message_metadata_fails_its_recipient(start_sandbox: StartSandbox) -> None:
    """Metadata that only together with `_batch_id` is too long fails asynchronously."""
    api = start_sandbox()
    rows = [row("+46700000001", name="A") | {"message_metadata": {"a": "x" * 1000}}]
    api.batch(api.settings.app_id, rows)
    ledger = api.server.ledger

    eventually(lambda: "BAD_REQUEST" == next(ledger.entries())["reason"])


@pytest.mark.parametrize("shape", ["wrapped", "flat"])
def test_errors_come_in_both_shapes(start_sandbox: StartSandbox, shape: str) -> None:
    """The four fields are under `error`, or flat, for every kind of refusal."""
    api = start_sandbox(error_shape=shape)
    found = {}
    for method, path in (("GET", "/nowhere"), ("PUT", APPS), ("POST", SEND)):
        body = api(method, path, content=b"{").json()
        error = body["error"] if shape == "wrapped" else body
        assert {"code", "message", "status", "details"} == set(error)
        found[path] = error["code"]

    assert [404, 405, 400] == list(found.values())


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_other_media_types_are_415(api: Api, headers: dict[str, str]) -> None:
    """A body that is not plain JSON in UTF-8 is refused."""
    assert 415 == api("POST", SEND, content=b"{}", headers=headers).status_code


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_by_any_spelling_is_read(api: Api, kind: str) -> None:
    """Names of media types and charsets are case-insensitive."""
    body = b'{"display_name": "A", "channel_credentials": []}'

    assert 200 == api("POST", APPS, content=body, headers={"content-type": kind}).status_code


def test_too_large_body_is_413(start_sandbox: StartSandbox) -> None:
    """A body beyond the limit is refused, and the connection stays usable."""
    api = start_sandbox(body_limit=1000)
    body = {"display_name": "x" * 100_000, "channel_credentials": []}

    statuses = [api("POST", APPS, json=body).status_code, api("GET", APPS).status_code]
    assert [413, 200] == statuses


def test_deeply_nested_body_is_400(api: Api) -> None:
    """No depth of nesting breaks the sandbox."""
    content = b"[" * 100_000

    assert 400 == api("POST", SEND, content=content).status_code


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT", "TRACE", "PROPFIND"])
def test_foreign_methods_are_405(api: Api, method: str) -> None:
    """Whatever the method, the response lists the supported ones."""
    response = api(method, APPS)

    assert (405, "GET, POST") == (response.status_code, response.headers["allow"])


def test_token_endpoint_takes_post_alone(api: Api) -> None:
    """Another method is 405, another path 404."""
    statuses = [api("GET", path).status_code for path in ("/auth/oauth2/token", "/auth/x")]

    assert [405, 404] == statuses


def test_queue_counts_batches_that_are_accepted_and_not_yet_run(
    start_sandbox: StartSandbox,
) -> None:
    """Batches that come at the same moment cannot overflow the queue together."""
    api = start_sandbox(queue_limit=3, frozen=True)
    body = {
        "app_id": api.settings.app_id,
        "message": text("Hi"),
        "recipient_and_params": [row("+46700000001")] * 2,
    }

    assert [200, 429] == [api("POST", BATCH, json=body).status_code for _ in range(2)]


def test_merge_moves_conversations(api: Api) -> None:
    """The conversations of the merged contact go to the one that stays."""
    app_id = api.app(processing_mode="CONVERSATION")
    people = [
        api.ok("POST", f"{C}/contacts", json={"channel_identities": [SMS], "language": "EN"})["id"]
        for _ in range(2)
    ]
    link = {"app_id": app_id, "contact_id": people[1]}
    conversation = api.ok("POST", f"{C}/conversations", json=link)["id"]

    api.ok("POST", f"{C}/contacts/{people[0]}:merge", json={"source_id": people[1]})

    assert people[0] == api.ok("GET", f"{C}/conversations/{conversation}")["contact_id"]


def test_profile_is_the_name_of_the_contact(api: Api) -> None:
    """A known identity gives its contact's name, an unreachable one is 404."""
    line = {"channel": "LINE", "identity": "U-77"}
    contact = {"channel_identities": [line], "language": "EN", "display_name": "Grace"}
    api.ok("POST", f"{C}/contacts", json=contact)

    def ask(identity: str) -> Any:
        recipient = {"identified_by": {"channel_identities": [line | {"identity": identity}]}}
        body = {"app_id": APP, "recipient": recipient, "channel": "LINE"}
        return api("POST", f"{C}/contacts:getChannelProfile", json=body)

    assert ("Grace", 404) == (ask("U-77").json()["profile_name"], ask("U-000").status_code)
