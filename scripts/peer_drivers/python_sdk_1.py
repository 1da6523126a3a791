"""Drives the old official Python SDK (1.x), which reads the fields of responses without asking.

Run by scripts/peers.py, in an environment that has nothing of this project.
"""

# ruff: noqa: ANN401 (the types are the SDK's own)

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from sinch import SinchClient  # type: ignore[import-not-found]  # it is elsewhere

URL = os.environ["SANDBOX_URL"]
SMS = [{"channel": "SMS", "identity": "+46700000001"}]
BEARER = [{"channel": "SMS", "static_bearer": {"claimed_identity": "me", "token": "t"}}]
TEXT = {"text_message": {"text": "Hi"}}
calls: list[tuple[str, str]] = []


def call(name: str, action: Callable[..., Any], **fields: Any) -> Any:
    """Do *action* and note how it went."""
    try:
        result = action(**fields)
    except Exception as error:  # noqa: BLE001 (what failed is the result)
        calls.append((name, f"{type(error).__name__}: {error}"[:300]))
        return SimpleNamespace(id="missing", message_id="missing")
    calls.append((name, ""))
    return result


def drive_apps(app: Any) -> str:
    """Apps; returns the id of one that stays."""
    made = call(
        "app.create",
        app.create,
        display_name="a",
        channel_credentials=BEARER,
        processing_mode="CONVERSATION",
    )
    call("app.get", app.get, app_id=made.id)
    call("app.list", app.list)
    call("app.update", app.update, app_id=made.id, display_name="b")
    spare = call("app.create", app.create, display_name="a", channel_credentials=BEARER)
    call("app.delete", app.delete, app_id=spare.id)
    return str(made.id)


def drive_contacts(contact: Any) -> str:
    """Contacts; returns the id of one that stays."""
    made, other, spare = (
        call("contact.create", contact.create, channel_identities=SMS, language="EN")
        for _ in range(3)
    )
    call("contact.get", contact.get, contact_id=made.id)
    call("contact.list", contact.list, page_size=2)
    call("contact.update", contact.update, contact_id=made.id, display_name="Ada")
    call("contact.merge", contact.merge, source_id=other.id, destination_id=made.id)
    call("contact.delete", contact.delete, contact_id=spare.id)
    return str(made.id)


def drive_rest(parts: Any, app_id: str, contact_id: str) -> None:
    """Messages, events, conversations, webhooks and the look-ups."""
    to = {"app_id": app_id, "recipient": {"contact_id": contact_id}}
    message, conversation, webhook = parts.message, parts.conversation, parts.webhook
    sent = call("message.send", message.send, **to, message=TEXT)
    call("message.get", message.get, message_id=sent.message_id)
    call("message.list", message.list, app_id=app_id, page_size=5)
    event: dict[str, Any] = {"composing_event": {}}
    call("event.send", parts.event.send, **to, event=event)
    call("capability.query", parts.capability.query, **to)
    transcode = parts.transcoding.transcode_message
    call("transcoding", transcode, app_id=app_id, app_message=TEXT, channels=["SMS"])
    link = {"app_id": app_id, "contact_id": contact_id, "active_channel": "SMS"}
    made = call("conversation.create", conversation.create, **link, active=True)
    call("conversation.get", conversation.get, conversation_id=made.id)
    call("conversation.list", conversation.list, app_id=app_id, only_active=True)
    call("conversation.update", conversation.update, conversation_id=made.id, active=True)
    call("conversation.stop", conversation.stop, conversation_id=made.id)
    call("conversation.delete", conversation.delete, conversation_id=made.id)
    target = {"app_id": app_id, "target": "http://127.0.0.1:9/a", "triggers": ["CAPABILITY"]}
    hook = call("webhook.create", webhook.create, **target)
    call("webhook.get", webhook.get, webhook_id=hook.id)
    call("webhook.list", webhook.list, app_id=app_id)
    call("webhook.update", webhook.update, webhook_id=hook.id, **target)
    call("webhook.delete", webhook.delete, webhook_id=hook.id)
    call("message.delete", message.delete, message_id=sent.message_id)


def main() -> None:
    """Drive what this SDK shares with the documents, and print the calls."""
    client = SinchClient(
        key_id="sandbox-key",
        key_secret="sandbox-secret",  # noqa: S106 (of the sandbox)
        project_id="sandbox-project",
    )
    client.configuration.disable_https = True
    client.configuration.auth_origin = f"{URL.removeprefix('http://')}/auth"
    client.configuration.conversation_origin = f"{URL.removeprefix('http://')}/conversation"
    parts = client.conversation
    drive_rest(parts, drive_apps(parts.app), drive_contacts(parts.contact))
    json.dump({"version": version("sinch"), "calls": calls, "left_out": []}, sys.stdout)


main()
