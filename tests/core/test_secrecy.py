"""Planted secrets, phone numbers and text reach no log, repr, exception or pickle."""

import logging
import pickle
from datetime import datetime
from typing import Any

import pytest

from sinch_wrapper import (
    AsyncSinch,
    ConfigurationError,
    Endpoints,
    Recipient,
    RetryPolicy,
    Sinch,
    SinchError,
    text,
)
from sinch_wrapper._http import httpx
from tests.helpers.core import (
    CONNECTED,
    KEY_ID,
    KEY_SECRET,
    Flavour,
    Operation,
    Server,
    token_response,
)
from tests.helpers.fault_server import response, serving
from tests.helpers.planted import PHONE, TEXT, TOKEN, leaks, printed

ECHO = {
    "error": {
        "code": 400,
        "message": f"{PHONE}: {TEXT}",
        "status": TEXT,
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "field_violations": [{"field": f"a[{PHONE}]", "description": TEXT}],
            },
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": PHONE, "domain": TEXT},
            {"@type": TEXT, "a": PHONE},
        ],
    }
}
HEADERS = {"X-Request-Id": PHONE, "Set-Cookie": "planted=1"}

FAULTS: list[tuple[str, object]] = [
    *((str(status), httpx.Response(status, json=ECHO, headers=HEADERS))
      for status in (302, 400, 401, 403, 404, 409, 418, 429, 500, 503, 520)),
    ("html", httpx.Response(200, text=f"<html>{PHONE} {TEXT}")),
    ("shape", httpx.Response(200, json=[PHONE, TEXT])),
    ("half", httpx.Response(200, content=b'{"message_id": "' + TEXT.encode())),
    ("binary", httpx.Response(200, content=TEXT.encode() + b"\xff")),
    ("protocol", httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'")),
    ("connect", httpx.ConnectError("refused")),
    ("read", httpx.ReadTimeout("late")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
def test_no_fault_leaks(
    flavour: Flavour, caplog: pytest.LogCaptureFixture, name: str, fault: object
) -> None:
    """After any fault, the exception, its representation and the log contain no secret."""
    del name
    caplog.set_level(logging.DEBUG)
    server = Server(fault, tokens=[token_response(TOKEN)])
    client = flavour.client(server, retry=RetryPolicy(attempts=1))
    with pytest.raises(SinchError) as caught:
        flavour.run(client.send(app_id="A", to=Recipient.sms(PHONE), message=text(TEXT)))
    error: Any = caught.value
    details = repr(getattr(error, "details", "")) + repr(getattr(error, "field_violations", ""))
    shown = [printed(error), details, repr(client), repr(getattr(error, "response", ""))]
    shown += [record.getMessage() for record in caplog.records]
    assert leaks("\n".join(shown)) == []
    assert TOKEN.encode() not in pickle.dumps(error)


@pytest.mark.parametrize("status", [200, 400, 401, 503])
def test_token_endpoint_leaks_nothing(
    flavour: Flavour, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """A token endpoint that echoes the key does not put it into an exception or a log."""
    caplog.set_level(logging.DEBUG)
    body = {"error": KEY_SECRET, "error_description": f"{KEY_ID}:{KEY_SECRET}"}
    server = Server(tokens=[httpx.Response(status, json=body)])
    client = flavour.client(server, retry=RetryPolicy(attempts=1))
    with pytest.raises(SinchError) as caught:
        flavour.run(client.conversation.app.list_apps())
    shown = [printed(caught.value), *(record.getMessage() for record in caplog.records)]
    assert leaks("\n".join(shown)) == []


def test_success_is_logged_without_secrets(
    flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    """Even at DEBUG, the log has only operations, statuses and times."""
    caplog.set_level(logging.DEBUG)
    server = Server(httpx.Response(200, json={}), tokens=[token_response(TOKEN)])
    client = flavour.client(server)
    flavour.run(client.conversation.contact.list_contacts(identity=PHONE, channel="SMS"))
    flavour.run(client.conversation.consent.get_consents_audit_records("A", PHONE))
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "Contact_ListContacts: 200" in logged
    assert leaks(logged) == []


def wrong_calls(kind: Any) -> list[Any]:
    """Collect constructor calls that fail with every secret in their arguments."""
    secret = {"project_id": "p", "key_id": KEY_ID, "key_secret": KEY_SECRET}
    proxy = f"http://{KEY_ID}:{KEY_SECRET}@proxy.example"
    right = {**secret, "region": "eu", "proxy": proxy}
    changes: list[dict[str, object]] = [
        {"region": "mars"}, {"project_id": ""}, {"key_id": " "}, {"key_secret": f"{KEY_SECRET} x"},
        {"timeout": 0}, {"auth": "digest"}, {"auth": lambda: "t"}, {"limits": 5},
        {"transport": object()}, {"endpoints": object()},
    ]  # fmt: skip
    return [lambda change=change: kind(**{**right, **change}) for change in changes]


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("kind", [Sinch, AsyncSinch])
def test_constructor_leaks_nothing(
    clean_environment: pytest.MonkeyPatch, kind: Any, number: int
) -> None:
    """The locals of a failed constructor show neither arguments nor environment."""
    clean_environment.setenv("SINCH_KEY_SECRET", KEY_SECRET)
    with pytest.raises(ConfigurationError) as caught:
        wrong_calls(kind)[number]()
    assert leaks(printed(caught.value)) == []


@CONNECTED
def test_unusable_proxy_leaks_nothing(flavour: Flavour) -> None:
    """The URL of a proxy, which may contain a password, does not show."""
    proxy = f"nonsense://{KEY_ID}:{KEY_SECRET}@proxy.example"
    client = flavour.client(Server(), proxy=proxy, transport=None)
    with pytest.raises(ConfigurationError, match="proxy=") as caught:
        flavour.run(client.conversation.app.list_apps())
    assert leaks(printed(caught.value)) == []


@pytest.mark.parametrize(
    "spoilt",
    [{"a": {1}}, {"a": "\ud800"}, {"a": datetime(2026, 1, 1)}, {"a": object()}],  # noqa: DTZ001
)
def test_body_that_cannot_be_written_leaks_nothing(flavour: Flavour, spoilt: Any) -> None:
    """A body that cannot be written is reported by the kind of mistake, without its content."""
    session = flavour.session(Server())
    operation = Operation(method="POST", json={"to": PHONE, "text": TEXT, **spoilt})
    with pytest.raises((TypeError, ValueError), match="Things_GetThing was not sent") as caught:
        flavour.run(session.request(operation))
    assert leaks(printed(caught.value)) == []


def test_debug_log_of_the_http_library_shows_events_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It logs response headers at DEBUG: ours are cut, those of other users are not."""
    caplog.set_level(logging.DEBUG)
    with serving(response(X_Echo=PHONE, Set_Cookie="planted=1")) as server:
        endpoints = Endpoints.sandbox(server.url)
        with Sinch(
            project_id="p", key_id=KEY_ID, key_secret=KEY_SECRET, endpoints=endpoints, proxy=""
        ) as sinch:
            sinch.conversation.app.list_apps()
        ours = [record.getMessage() for record in caplog.records]
        caplog.clear()
        with httpx.Client(trust_env=False) as other:
            other.get(server.url)
        theirs = [record.getMessage() for record in caplog.records]
    assert "receive_response_headers.complete" in ours
    assert leaks("\n".join(ours)) == []
    assert any("X-Echo" in line for line in theirs)
