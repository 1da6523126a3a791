"""Planted secrets, numbers and texts reach no log, repr, exception text or pickle."""

import logging
import pickle
import traceback
from typing import Any

import pytest
from core_fixtures import KEY_ID, KEY_SECRET, Flavour, Server, token_answer

from sinch_wrapper import Recipient, RetryPolicy, SinchError, text
from sinch_wrapper._http import httpx

PHONE = "+46700000001"
TEXT = "planted message text"
TOKEN = "planted-token"
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


def spoken(error: BaseException) -> str:
    """Collect all that *error* and what it is chained to would print."""
    printed = "".join(traceback.format_exception(error))
    # Source lines of this file hold the names of the secrets, not the secrets.
    return f"{printed} {error!r} {error.args!r}"


def leaks(spoken_text: str) -> list[str]:
    """Find what must not be there."""
    secrets = (PHONE, PHONE[1:], TEXT, TOKEN, KEY_ID, KEY_SECRET, "planted=1")
    return [secret for secret in secrets if secret in spoken_text]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
def test_no_fault_leaks(
    flavour: Flavour, caplog: pytest.LogCaptureFixture, name: str, fault: object
) -> None:
    """Whatever goes wrong, exception, representation and log stay clean."""
    del name
    caplog.set_level(logging.DEBUG)
    server = Server(fault, tokens=[token_answer(TOKEN)])
    client = flavour.client(server, retry=RetryPolicy(attempts=1))
    with pytest.raises(SinchError) as caught:
        flavour.run(client.send(app_id="A", to=Recipient.sms(PHONE), message=text(TEXT)))
    error: Any = caught.value
    details = repr(getattr(error, "details", "")) + repr(getattr(error, "field_violations", ""))
    shown = [spoken(error), details, repr(client), repr(getattr(error, "response", ""))]
    shown += [record.getMessage() for record in caplog.records]
    assert leaks(" ".join(shown)) == []
    assert TOKEN.encode() not in pickle.dumps(error)


@pytest.mark.parametrize("status", [200, 400, 401, 503])
def test_token_endpoint_leaks_nothing(
    flavour: Flavour, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """A token endpoint that echoes the key does not bring it into a text."""
    caplog.set_level(logging.DEBUG)
    body = {"error": KEY_SECRET, "error_description": f"{KEY_ID}:{KEY_SECRET}"}
    server = Server(tokens=[httpx.Response(status, json=body)])
    client = flavour.client(server, retry=RetryPolicy(attempts=1))
    with pytest.raises(SinchError) as caught:
        flavour.run(client.conversation.app.list_apps())
    shown = [spoken(caught.value), *(record.getMessage() for record in caplog.records)]
    assert leaks(" ".join(shown)) == []


def test_success_is_logged_without_secrets(
    flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG too there is nothing but operations, statuses and times."""
    caplog.set_level(logging.DEBUG)
    server = Server(httpx.Response(200, json={}), tokens=[token_answer(TOKEN)])
    client = flavour.client(server)
    flavour.run(client.conversation.contact.list_contacts(identity=PHONE, channel="SMS"))
    flavour.run(client.conversation.consent.get_consents_audit_records("A", PHONE))
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert "Contact_ListContacts: 200" in logged
    assert leaks(logged) == []
