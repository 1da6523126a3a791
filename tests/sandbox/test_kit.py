"""The test kit: what was sent, what a person does, where callbacks go, and the environment."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sinch_wrapper import AsyncSinch, Recipient, choice, text
from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import Event, parse, receiver
from sinch_wrapper.sandbox import BackgroundServer, Server, Settings
from sinch_wrapper.testing import AsyncSandbox, Sandbox
from sinch_wrapper.testing.plugin import _direct
from tests.helpers.sandbox import Api, StartSandbox, eventually

TO = Recipient.sms("+46700000001")


class Inbox:
    """An app that takes callbacks, or refuses them with *statuses* first."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.came: list[tuple[bytes, dict[str, str]]] = []
        self.app = Starlette(routes=[Route("/hooks", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.came.append((await request.body(), dict(request.headers)))
        return Response(status_code=self._statuses.pop(0) if self._statuses else 200)

    def events(self, secret: str) -> list[Event]:
        """The callbacks, with their signatures checked."""
        return [parse(body, headers, [secret]) for body, headers in self.came]


def _payload(event: Event) -> Any:
    return event.payload


def test_received_shows_what_was_sent(sinch_sandbox: Sandbox) -> None:
    """The message with its parameters, its text, channel and metadata, of single and batch."""
    client = sinch_sandbox.client()
    client.send(app_id=sinch_sandbox.app_id, to=TO, message=text("Code 4711"), message_metadata="m")
    batch = {
        "app_id": sinch_sandbox.app_id,
        "message": text("Hi ${name}"),
        "recipient_and_params": [
            {"recipient": Recipient.whatsapp("46700000002"), "parameters": {"name": "Ada"}}
        ],
        "message_metadata": {"k": "v"},
    }
    client.batch.messages.send_batch(body=batch)
    sinch_sandbox.eventually(lambda: all(each.message_id for each in sinch_sandbox.received()))
    single, batched = sinch_sandbox.received()

    assert ("Code 4711", "SMS", "+46700000001", "m") == (
        single.text,
        single.channel,
        single.identity,
        single.metadata,
    )
    assert {"text_message": {"text": "Code 4711"}} == single.message
    assert ("Hi Ada", "WHATSAPP", "+46700000002") == (
        batched.text,
        batched.channel,
        batched.identity,
    )
    assert '"k":"v"' in batched.metadata
    assert "Ada" not in repr(batched)
    assert "Code" not in repr(single)


def test_text_of_other_messages(sinch_sandbox: Sandbox) -> None:
    """Titles and descriptions by lines; of a template the translation with its parameters."""
    api = Api(sinch_sandbox.server)
    translations = [
        {"language_code": "en", **text("Hi ${name}")},
        {"language_code": "sv", **text("Hej ${name}")},
    ]
    template = {"id": "welcome", "default_translation": "en", "translations": translations}
    api.ok("POST", "/template/v2/~/templates", json=template)
    used = {"template_id": "welcome", "version": "latest", "parameters": {"name": "Ada"}}
    card = {"title": "Offer", "description": "Half price"}
    messages: list[Any] = [
        {"template_message": {"omni_template": used}},
        {"template_message": {"omni_template": used | {"language_code": "sv"}}},
        {"template_message": {"omni_template": used | {"template_id": "nobody"}}},
        {"card_message": card},
        {"carousel_message": {"cards": [card, {"title": "More"}]}},
        choice("Well?", ["Yes", "No"]),
        {"media_message": {"url": "https://a.example/b.png"}},
    ]
    for message in messages:
        api.send(sinch_sandbox.app_id, message=message)
    api.http.close()

    expected = [
        "Hi Ada",
        "Hej Ada",
        "",
        "Offer\nHalf price",
        "Offer\nHalf price\nMore",
        "Well?",
        "",
    ]
    assert expected == [each.text for each in sinch_sandbox.received()]


def test_content_is_forgotten_with_the_message(start_sandbox: StartSandbox) -> None:
    """Beyond the messages that are remembered, the ledger keeps recipients and no content."""
    api = start_sandbox(message_limit=2)
    for number in range(3):
        api.send(api.settings.app_id, message=text(f"No. {number}"))

    assert ["", "No. 1", "No. 2"] == [each.text for each in Sandbox(api.server).received()]


@pytest.mark.parametrize("mode", ["DISPATCH", "CONVERSATION"])
def test_say_is_an_inbound_message(sinch_sandbox: Sandbox, mode: str) -> None:
    """In CONVERSATION mode with contact and conversation, in DISPATCH mode without."""
    api, inbox = Api(sinch_sandbox.server), Inbox()
    app_id = api.app(processing_mode=mode)
    sinch_sandbox.webhook_to(
        inbox.app, "MESSAGE_INBOUND", secret="s3cret", path="/hooks", app_id=app_id
    )
    said = sinch_sandbox.say(from_="+46 70-000 00 05", text="STOP", to="12345", app_id=app_id)
    again = sinch_sandbox.say(from_="46700000005", text="Hello?", app_id=app_id)
    sinch_sandbox.eventually(lambda: len(inbox.came) == 2)

    first, second = (_payload(event) for event in inbox.events("s3cret"))
    stored = api.ok(
        "GET", f"/conversation/v1/~/messages/{said}", params={"messages_source": f"{mode}_SOURCE"}
    )
    api.http.close()
    assert ([said, again], stored) == ([first["id"], second["id"]], first)
    assert ("STOP", "46700000005", "12345", mode, False) == (
        first["contact_message"]["text_message"]["text"],
        first["channel_identity"]["identity"],
        first["sender_id"],
        first["processing_mode"],
        first["injected"],
    )
    assert (mode == "CONVERSATION") == bool(first["conversation_id"]) == bool(first["contact_id"])
    assert first["conversation_id"] == second["conversation_id"]


def test_say_takes_any_message_and_channel(sinch_sandbox: Sandbox) -> None:
    """The answer to a choice, say; the app's own answer goes to the channel that was used."""
    api = Api(sinch_sandbox.server)
    app_id = api.app(processing_mode="CONVERSATION")
    reply = {"choice_response_message": {"message_id": "m", "postback_data": "yes"}}
    said = sinch_sandbox.say(from_="46700000006", message=reply, channel="WHATSAPP", app_id=app_id)
    stored = api.ok("GET", f"/conversation/v1/~/messages/{said}")
    api.ok(
        "PATCH",
        f"/conversation/v1/~/contacts/{stored['contact_id']}",
        json={
            "channel_identities": [
                {"channel": "SMS", "identity": "+46700000006"},
                stored["channel_identity"],
            ]
        },
    )
    answer = api.send(app_id, recipient={"contact_id": stored["contact_id"]})
    found = api.ok("GET", f"/conversation/v1/~/messages/{answer}")
    api.http.close()

    assert (reply, "WHATSAPP") == (stored["contact_message"], found["channel_identity"]["channel"])


def test_person_opts_out_and_in_again(sinch_sandbox: Sandbox) -> None:
    """Both have their callback; between them messages fail, and the audit says who it was."""
    inbox = Inbox()
    sinch_sandbox.webhook_to(inbox.app, "OPT_OUT", "OPT_IN", path="/hooks")
    client = sinch_sandbox.client()

    def outcome() -> str:
        client.send(app_id=sinch_sandbox.app_id, to=TO, message=text("Hi"))
        last = sinch_sandbox.eventually(
            lambda: [
                each
                for each in sinch_sandbox.received()[-1:]
                if each.outcome in {"FAILED", "DELIVERED"}
            ]
        )
        return last[0].reason

    seen = [outcome()]
    sinch_sandbox.opt_out("+46700000001")
    seen.append(outcome())
    sinch_sandbox.opt_in("46700000001")
    seen.append(outcome())
    sinch_sandbox.eventually(lambda: len(inbox.came) == 2)
    audit = client.conversation.consent.get_consents_audit_records(
        app_id=sinch_sandbox.app_id, identity="46700000001"
    )

    assert ["", "RECIPIENT_NOT_OPTED_IN", ""] == seen
    assert ["OPT_OUT", "OPT_IN"] == [
        each.trigger for each in inbox.events("sandbox-webhook-secret")
    ]
    assert [("ORIGIN_MO", "OPERATION_INSERT"), ("ORIGIN_MO", "OPERATION_DELETE")] == [
        (str(each.origin), str(each.operation)) for each in audit.audit_records or []
    ]


def test_webhook_to_gets_all_triggers(sinch_sandbox: Sandbox) -> None:
    """Without triggers all; an app of this package takes them as in production."""
    kinds: list[str] = []
    app = receiver("s3cret", store=":memory:")

    @app.on()
    async def note(event: Event) -> None:
        kinds.append(event.trigger or "")

    sinch_sandbox.webhook_to(app, secret="s3cret")
    sinch_sandbox.client().send(app_id=sinch_sandbox.app_id, to=TO, message=text("Hi"))
    sinch_sandbox.say(from_="+46700000001", text="Hello")

    wanted = {"MESSAGE_SUBMIT", "MESSAGE_DELIVERY", "MESSAGE_INBOUND"}
    sinch_sandbox.eventually(lambda: wanted <= set(kinds))


def test_webhook_to_takes_a_url(sinch_sandbox: Sandbox) -> None:
    """For an app that is served already, in any language."""
    inbox = Inbox()
    with BackgroundServer(inbox.app) as server:
        url = sinch_sandbox.webhook_to(f"{server.url}/hooks", "MESSAGE_INBOUND")
        sinch_sandbox.say(from_="+46700000001", text="Hello")
        sinch_sandbox.eventually(lambda: inbox.came)

    assert f"{server.url}/hooks" == url


def test_app_of_the_kit_is_closed_with_it() -> None:
    """Nothing serves the app after the test."""
    with Server() as server:
        sandbox = Sandbox(server)
        url = sandbox.webhook_to(Inbox().app)
        sandbox.close()
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


def test_app_without_lifespan_is_served(sinch_sandbox: Sandbox) -> None:
    """As an app of Django, which refuses the lifespan protocol."""
    came: list[str] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        came.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sinch_sandbox.webhook_to(app, path="/any")
    sinch_sandbox.say(from_="+46700000001", text="Hello")
    sinch_sandbox.eventually(lambda: came)

    assert "/any" == came[0]


def test_async_kit_does_the_same() -> None:
    """A coroutine may say, and wait for its own app."""

    async def use(sandbox: AsyncSandbox) -> str:
        inbox = Inbox()
        sandbox.webhook_to(inbox.app, "MESSAGE_INBOUND", path="/hooks")
        sandbox.say(from_="+46700000001", text="Hello")
        await sandbox.eventually(lambda: inbox.came)
        async with sandbox.client() as sinch:
            assert isinstance(sinch, AsyncSinch)
            await sinch.send(app_id=sandbox.app_id, to=TO, message=text("Hi"))
        sandbox.close()
        return sandbox.received()[0].text

    with Server() as server:
        assert "Hi" == asyncio.run(use(AsyncSandbox(server)))


@pytest.mark.parametrize(
    ("path", "fields", "named"),
    [
        ("/inbound", {"from": "+46700000001"}, "text: Must"),
        ("/inbound", {"from": " ", "text": "x"}, "from: Must"),
        ("/inbound", {"from": "1", "text": "x", "message": {}}, "message: Give text, or"),
        ("/inbound", {"from": "1", "text": "x", "colour": "red"}, "colour: Unknown"),
        ("/inbound", {"from": "1", "text": "x", "channel": "SMOKE"}, "channel: Must be one of"),
        ("/inbound", {"from": "1", "text": "x", "app_id": "?"}, "App not found"),
        ("/opt-out", {"from": "1", "list_type": "ALL"}, "list_type: Must be one of"),
        ("/webhooks", {"target": "nonsense"}, "target: Must be an HTTP URL"),
        ("/webhooks", {"target": 7}, "target"),
        ("/reset", {}, "path= must be one of"),
    ],
)
def test_what_cannot_be_played_is_named(
    sinch_sandbox: Sandbox, path: str, fields: dict[str, object], named: str
) -> None:
    """A ValueError in the process, a 400 or 404 over HTTP."""
    with pytest.raises(ValueError, match=named):
        sinch_sandbox.server.play(path, fields)
    if path != "/reset":
        response = httpx.post(f"{sinch_sandbox.url}/_sandbox{path}", json=fields)
        assert response.status_code in {400, 404}


def test_playing_works_over_http(sinch_sandbox: Sandbox) -> None:
    """A test in any language posts the same fields."""
    inbox = Inbox()
    with BackgroundServer(inbox.app) as server:
        hook = {"target": f"{server.url}/hooks", "secret": "s"}
        httpx.post(f"{sinch_sandbox.url}/_sandbox/webhooks", json=hook).raise_for_status()
        said = {"from": "+46700000001", "text": "STOP"}
        httpx.post(f"{sinch_sandbox.url}/_sandbox/inbound", json=said).raise_for_status()
        httpx.post(f"{sinch_sandbox.url}/_sandbox/opt-out", json={"from": "+46700000001"})
        sinch_sandbox.eventually(lambda: len(inbox.came) == 2)

    assert {"MESSAGE_INBOUND", "OPT_OUT"} == {each.trigger for each in inbox.events("s")}


def test_a_stopped_sandbox_plays_nothing() -> None:
    """The error says why."""
    with Server() as server:
        pass
    with pytest.raises(RuntimeError, match="not running"):
        server.play("/opt-out", {"from": "+46700000001"})


@pytest.mark.parametrize(("signature", "signatures"), [("new", 3), ("first", 1)])
def test_repeated_callback_has_a_new_or_the_first_signature(
    start_sandbox: StartSandbox, signature: str, signatures: int
) -> None:
    """By option, because it is not documented what Sinch does."""
    inbox = Inbox(500, 500)
    api = start_sandbox(callback_signature=signature, callback_backoff=0.001)
    with BackgroundServer(inbox.app) as server:
        sandbox = Sandbox(api.server)
        sandbox.webhook_to(f"{server.url}/hooks", "MESSAGE_INBOUND")
        sandbox.say(from_="+46700000001", text="Hello")
        eventually(lambda: len(inbox.came) == 3)

    assert signatures == len({headers["x-sinch-webhook-signature"] for _, headers in inbox.came})
    assert 3 == len(inbox.events("sandbox-webhook-secret"))


# --- The environment of the test ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "a.example", "no_proxy": "b"}, "b,127.0.0.1,localhost,::1"),
    ],
)
def test_loopback_is_reached_directly(environment: dict[str, str], expected: str) -> None:
    """What was reached directly stays so; the small name counts where both are set."""
    assert expected == _direct(environment)


BEHIND_A_PROXY = """
import httpx, os, urllib.request
from sinch_wrapper import Recipient, Sinch, text

def test_nothing_goes_to_the_proxy(sinch_sandbox):
    with Sinch() as sinch:
        to = Recipient.sms("+46700000001")
        sinch.send(app_id=sinch_sandbox.app_id, to=to, message=text("Hi"))
    assert httpx.get(sinch_sandbox.url + "/_sandbox").status_code == 200
    assert urllib.request.urlopen(sinch_sandbox.url + "/_sandbox").status == 200
    assert len(sinch_sandbox.received()) == 1
"""
WITHOUT_THE_KIT = """
import sys
from sinch_wrapper import Recipient, Sinch, text
with Sinch() as sinch:
    sinch.send(app_id=sys.argv[1], to=Recipient.sms("+46700000001"), message=text("Hi"))
"""
PROXIES = dict.fromkeys(
    ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9"
)


def test_proxies_of_the_environment_do_not_catch_the_sandbox(tmp_path: Path) -> None:
    """With HTTP_PROXY set and no NO_PROXY, a user's tests reach the sandbox by any library."""
    file = tmp_path / "test_users.py"
    file.write_text(BEHIND_A_PROXY, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, "-p", "sinch_wrapper.testing.plugin", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | PROXIES | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )

    assert "1 passed" in result.stdout, result.stdout


def test_proxies_do_not_catch_a_sandbox_of_the_shell() -> None:
    """The client alone, pointed at a sandbox by SINCH_SANDBOX_URL, asks no proxy."""
    with Server() as server:
        environment = (
            os.environ
            | PROXIES
            | {
                "SINCH_SANDBOX_URL": server.url,
                "SINCH_PROJECT_ID": server.settings.project_id,
                "SINCH_KEY_ID": server.settings.key_id,
                "SINCH_KEY_SECRET": server.settings.key_secret,
            }
        )
        command = [sys.executable, "-c", WITHOUT_THE_KIT, server.settings.app_id]
        subprocess.run(command, check=True, env=environment)

        assert 1 == server.ledger.accepted


def test_sandbox_with_a_frozen_clock_is_used_to_its_end() -> None:
    """Everything that waits on the clock moves with it."""
    with Server(Settings(frozen=True)) as server:
        sandbox = Sandbox(server)
        inbox = Inbox()
        sandbox.webhook_to(inbox.app, "MESSAGE_INBOUND", path="/hooks")
        sandbox.say(from_="+46700000001", text="Hello")
        sandbox.client().send(app_id=sandbox.app_id, to=TO, message=text("Hi"))
        sandbox.eventually(lambda: inbox.came)
        sandbox.advance(1)
        sandbox.eventually(lambda: "DELIVERED" == sandbox.received()[0].outcome)
        sandbox.close()
