"""Behaviour of the sandbox in rare cases."""

# ruff: noqa: S311 (repeatable)

import json
import random
from typing import Any

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import Clock, Server, Settings, create_app
from sinch_wrapper.sandbox._auth import Authority
from sinch_wrapper.sandbox._errors import Refusal
from sinch_wrapper.sandbox._json import decode
from sinch_wrapper.sandbox._rendering import placeholders, substitute
from tests.helpers.sandbox import START, Api, StartSandbox, eventually, row, sms, text

C = "/conversation/v1/~"
T = "/template/v2/~"
BATCH = "/batch/v1/~/messages"
SMS = {"channel": "SMS", "identity": "+46700000001"}


def test_documented_rates_are_slow() -> None:
    """The documented settings drain 20 messages and post 25 callbacks per second."""
    settings = Settings(seed=3).documented()

    assert (20, 25, 3) == (settings.drain_rate, settings.callback_rate, settings.seed)


def test_app_shows_its_rates(start_sandbox: StartSandbox) -> None:
    """The limits of an app are those of the settings."""
    api = start_sandbox(drain_rate=20, callback_rate=25)
    app = api.ok("GET", f"{C}/apps/{api.settings.app_id}")

    assert {"inbound": 25, "outbound": 20, "webhooks": 25} == app["rate_limits"]


@pytest.mark.parametrize("recipient", [{"contact_id": "nobody"}, {"contact_id": "01J0"}])
def test_unknown_contact_fails_its_message(
    start_sandbox: StartSandbox, recipient: dict[str, str]
) -> None:
    """A recipient that cannot be found fails when the batch runs, and the others are sent."""
    api = start_sandbox()
    app_id = api.app(processing_mode="CONVERSATION")
    api.batch(app_id, [{"recipient": recipient}, row("+46700000001")], message=text("Hi"))
    ledger = api.server.ledger

    eventually(lambda: ["FAILED", "DELIVERED"] == [each["outcome"] for each in ledger.entries()])


def test_contact_recipient_of_a_batch_in_dispatch_mode_fails(start_sandbox: StartSandbox) -> None:
    """An app in DISPATCH mode has no contacts: the recipient fails when the batch runs."""
    api = start_sandbox()
    api.batch(api.settings.app_id, [{"recipient": {"contact_id": "x"}}], message=text("Hi"))
    ledger = api.server.ledger

    eventually(lambda: "BAD_REQUEST" == next(ledger.entries())["reason"])


def test_conversation_metadata_is_merged_when_asked(api: Api) -> None:
    """MERGE_PATCH adds to what the conversation has, the default replaces it."""
    app_id = api.app(processing_mode="CONVERSATION")
    for fields in (
        {"conversation_metadata": {"a": 1}},
        {
            "conversation_metadata": {"b": 2},
            "conversation_metadata_update_strategy": "MERGE_PATCH",
            "correlation_id": "c-9",
        },
    ):
        api.send(app_id, "+46701239999", **fields)

    [found] = api.ok("GET", f"{C}/conversations", params={"app_id": app_id})["conversations"]
    assert ({"a": 1, "b": 2}, "c-9") == (found["metadata_json"], found["correlation_id"])


def test_recipient_is_tried_on_the_wanted_channel(api: Api) -> None:
    """The priority order picks among the identities; a channel nobody has is refused."""
    app_id = api.app()
    both = [SMS, {"channel": "WHATSAPP", "identity": "46700000001"}]
    recipient = {"identified_by": {"channel_identities": both}}
    message_id = api.send(app_id, recipient=recipient, channel_priority_order=["WHATSAPP", "SMS"])

    params = {"messages_source": "DISPATCH_SOURCE"}
    found = api.ok("GET", f"{C}/messages/{message_id}", params=params)
    assert "WHATSAPP" == found["channel_identity"]["channel"]


def test_contact_without_identities_cannot_be_written_to(api: Api) -> None:
    """Sending to a contact without identities is 400."""
    app_id = api.app(processing_mode="CONVERSATION")
    contact = api.ok("POST", f"{C}/contacts", json={"channel_identities": [SMS], "language": "EN"})
    path = f"{C}/contacts/{contact['id']}"
    api.ok("PATCH", path, json={"channel_identities": []})
    body = {"app_id": app_id, "message": text("Hi"), "recipient": {"contact_id": contact["id"]}}

    assert 400 == api("POST", f"{C}/messages:send", json=body).status_code


def test_contact_is_not_merged_with_itself(api: Api) -> None:
    """Source and destination of a merge differ."""
    contact = api.ok("POST", f"{C}/contacts", json={"channel_identities": [SMS], "language": "EN"})
    path = f"{C}/contacts/{contact['id']}:merge"

    assert 400 == api("POST", path, json={"source_id": contact["id"]}).status_code


def test_template_id_is_taken_once(api: Api) -> None:
    """A second template with an id is a conflict."""
    translations = [{"language_code": "en"} | text("Hi")]
    body = {"id": "once", "default_translation": "en", "translations": translations}
    statuses = [api("POST", f"{T}/templates", json=body).status_code for _ in range(2)]

    assert [200, 409] == statuses


def test_consent_needs_a_type_and_its_audit_an_identity(api: Api) -> None:
    """A record without type is named with its place; an unknown identity is 404."""
    app_id = api.app()
    records = [{"identification": "4670"}]
    body = {"app_id": app_id, "consent_records": records}
    response = api("POST", "/batch/v1/~/consents", json=body)
    [detail] = response.json()["error"]["details"]

    assert "consent_records[0].consent_type" == detail["field_violations"][0]["field"]
    assert 404 == api("GET", f"{C}/apps/{app_id}/consents/identities/nobody").status_code


def test_event_of_a_contact_comes_as_inbound(api: Api) -> None:
    """An injected event of the contact is directed to the app, one of the app is not."""
    app_id = api.app(processing_mode="CONVERSATION")
    contact = api.ok("POST", f"{C}/contacts", json={"channel_identities": [SMS], "language": "EN"})
    link = {"app_id": app_id, "contact_id": contact["id"]}
    conversation = api.ok("POST", f"{C}/conversations", json=link)["id"]
    path = f"{C}/conversations/{conversation}:inject-event"
    found = []
    for kind in ("contact_event", "app_event"):
        body: dict[str, Any] = {kind: {"composing_event": {}}, "accept_time": _moment_ago(api)}
        found.append(api.ok("POST", path, json=body)["event_id"])

    directions = [api.ok("GET", f"{C}/events/{each}")["direction"] for each in found]
    assert ["TO_APP", "TO_CONTACT"] == directions


def _moment_ago(api: Api) -> str:
    from sinch_wrapper.sandbox._json import timestamp

    return timestamp(api.server.clock() - 5)


def test_oldest_messages_are_forgotten(start_sandbox: StartSandbox) -> None:
    """The memory for messages is bounded."""
    api = start_sandbox(message_limit=2)
    sent = [api.send(api.settings.app_id) for _ in range(3)]
    params = {"messages_source": "DISPATCH_SOURCE"}

    statuses = [api("GET", f"{C}/messages/{each}", params=params).status_code for each in sent]
    assert [404, 200, 200] == statuses


def test_tokens_are_forgotten_oldest_first() -> None:
    """A caller who never keeps a token cannot fill the memory."""
    settings = Settings()
    authority = Authority(settings, Clock(START, frozen=True), random.Random(1))
    key = "Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ="
    tokens = [
        authority.issue(key, b"grant_type=client_credentials")["access_token"] for _ in range(1001)
    ]
    authority.check(f"Bearer {tokens[-1]}")
    authority.revoke("Bearer unknown")

    with pytest.raises(Refusal):
        authority.check(f"Bearer {tokens[0]}")


def test_template_must_come_from_somewhere_in_lists_too() -> None:
    """Placeholders are found and filled in lists, and values that are not strings stay."""
    value = {"cards": [{"title": "${a}", "height": 3}, "${b}${a}"], "none": None}

    assert {"a", "b"} == placeholders(value)
    assert {"cards": [{"title": "1", "height": 3}, "21"], "none": None} == substitute(
        value, {"a": "1", "b": "2"}
    )


@pytest.mark.parametrize("raw", [b"NaN", b"Infinity", b'{"a": -Infinity}', b"", b"\xff"])
def test_json_is_read_strictly(raw: bytes) -> None:
    """What RFC 8259 does not define is refused."""
    with pytest.raises(ValueError, match=r"char|valid|JSON|decode|value"):
        decode(raw)


def test_unknown_names_of_the_packages_are_attribute_errors() -> None:
    """Lazy exports fail as plain ones do."""
    import sinch_wrapper.sandbox
    import sinch_wrapper.testing

    for module in (sinch_wrapper.sandbox, sinch_wrapper.testing):
        with pytest.raises(AttributeError, match="nothing"):
            _ = module.nothing


def test_reset_before_the_start_is_quiet() -> None:
    """A server that does not serve yet can be given other settings."""
    server = Server()
    server.reset(Settings(seed=9))
    server.close()

    assert 9 == server.settings.seed


def test_server_that_cannot_start_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """An app whose lifespan fails raises instead of hanging."""
    from starlette.applications import Starlette

    from sinch_wrapper.sandbox import BackgroundServer

    def fail(_app: Any) -> Any:
        raise ValueError("no")

    with pytest.raises(RuntimeError, match="could not start"):
        BackgroundServer(Starlette(lifespan=fail)).start()
    assert caplog.records


def test_sandbox_serves_under_any_asgi_server() -> None:
    """On another server it responds as usual, but it cannot break a connection."""
    import asyncio

    app = create_app(Settings(faults=()))

    async def ask() -> int:
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client,
        ):
            response = await client.get("/_sandbox")
            app.state.sandbox.state.faults.add(_drop())
            with pytest.raises(ConnectionAbortedError):
                await client.post("/auth/oauth2/token", data={"grant_type": "client_credentials"})
            return response.status_code

    assert 200 == asyncio.run(ask())


def _drop() -> Any:
    from sinch_wrapper.sandbox import parse_fault

    return parse_fault("Auth_Token:drop")


def test_update_mask_through_a_text_is_refused(api: Api) -> None:
    """A path through a field that is not an object is refused by name."""
    path = f"{C}/apps/{api.app()}"
    params = {"update_mask": "display_name.first"}

    assert 400 == api("PATCH", path, json={"display_name": "x"}, params=params).status_code


def test_bad_times_are_refused(api: Api) -> None:
    """send_after must be a time with a date."""
    body = {
        "app_id": api.settings.app_id,
        "message": text("Hi"),
        "recipient_and_params": [row("1")],
    }
    statuses = [
        api("POST", BATCH, json=body | {"send_after": moment}).status_code
        for moment in ("tomorrow", "9999-12-31T23:59:59-12:00")
    ]

    assert [400, 400] == statuses


def test_batch_of_a_deleted_app_does_not_run(start_sandbox: StartSandbox) -> None:
    """A scheduled batch whose app is gone sends nothing."""
    api = start_sandbox(now=START, frozen=True)
    app_id = api.app()
    batch_id = api.batch(app_id, [row("+4670", name="A")], send_after="2027-01-15T09:00:00Z")
    api.ok("DELETE", f"{C}/apps/{app_id}")
    api.server.clock.advance(7200)

    assert "SCHEDULED" == api.ok("GET", f"{BATCH}/{batch_id}")["status"]
    assert ["ACCEPTED"] == [each["outcome"] for each in api.server.ledger.entries()]


def test_json_of_the_ledger_is_json(start_sandbox: StartSandbox) -> None:
    """Whatever characters a request has, the ledger shows them."""
    api = start_sandbox()
    api.batch(api.settings.app_id, [row("+467", name="A")], batch_metadata={"é": "✓"})
    body = api("GET", "/_sandbox/ledger").text

    assert {"é": "✓"} == json.loads(body)["recipients"][0]["batch_metadata"]
    assert 404 == api("POST", f"{C}/messages:send", json=_to_nobody()).status_code


def _to_nobody() -> dict[str, Any]:
    return {
        "app_id": "01J0SANDB0X0APP0000000N0NE",
        "recipient": sms("+467"),
        "message": text("Hi"),
    }
