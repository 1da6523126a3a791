"""Drives the official Python SDK (2.x) through all its operations; prints what failed, as JSON.

Run by scripts/peers.py, in an environment that has nothing of this project.
"""

# ruff: noqa: ANN401 (the types are the SDK's own)

import datetime
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from sinch import SinchClient  # type: ignore[import-not-found]  # it is elsewhere

URL, APP = os.environ["SANDBOX_URL"], os.environ["SANDBOX_APP"]
SMS = [{"channel": "SMS", "identity": "+46700000001"}]
LINE = [{"channel": "LINE", "identity": "U1"}]
BEARER = {"SMS": {"claimed_identity": "me", "token": "t"}}
CHOICE = {"text_message": {"text": "Yes"}, "postback_data": "y"}
LAST_YEAR = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=365)
MESSAGES: dict[str, dict[str, Any]] = {
    "send_text_message": {"text": "Hi"},
    "send_card_message": {"card_message": {"title": "Offer", "description": "Half price"}},
    "send_carousel_message": {"carousel_message": {"cards": [{"title": "One"}]}},
    "send_choice_message": {
        "choice_message": {"text_message": {"text": "Well?"}, "choices": [CHOICE]}
    },
    "send_contact_info_message": {
        "contact_info_message": {
            "name": {"full_name": "Ada"},
            "phone_numbers": [{"phone_number": "+46700000002"}],
        }
    },
    "send_list_message": {
        "list_message": {
            "title": "Menu",
            "sections": [
                {"title": "A", "items": [{"choice": {"title": "x", "postback_data": "x"}}]}
            ],
        }
    },
    "send_location_message": {
        "location_message": {
            "title": "Here",
            "coordinates": {"latitude": 59.3, "longitude": 18.0},
        }
    },
    "send_media_message": {"media_message": {"url": "https://a.example/b.png"}},
    "send_template_message": {
        "template_message": {
            "omni_template": {"template_id": "t", "version": "1", "language_code": "en"}
        }
    },
    "send": {"message": {"text_message": {"text": "Hi"}}},
}
calls: list[tuple[str, str]] = []


def call(name: str, action: Callable[..., Any], **fields: Any) -> Any:
    """Do *action* and note how it went."""
    try:
        result = action(**fields)
        # A page of a list is asked for when it is read.
        if hasattr(result, "iterator"):
            list(result.iterator())
    except Exception as error:  # noqa: BLE001 (what failed is the result)
        calls.append((name, f"{type(error).__name__}: {error}"[:300]))
        return SimpleNamespace(id="missing", message_id="missing")
    calls.append((name, ""))
    return result


def drive_apps(apps: Any) -> str:
    """Every operation on apps; returns the id of an app that stays."""
    call("apps.create", apps.create, channel_credentials=BEARER, display_name="plain")
    app = call(
        "apps.create",
        apps.create,
        channel_credentials=BEARER,
        display_name="all",
        processing_mode="CONVERSATION",
        conversation_metadata_report_view="FULL",
        retention_policy=None,
        smart_conversation={"enabled": False},
    )
    call("apps.get", apps.get, app_id=app.id)
    call("apps.get", apps.get, app_id=app.id, raw_response=True)
    call("apps.list", apps.list)
    call("apps.list", apps.list, raw_response=True)
    call("apps.update", apps.update, app_id=app.id, display_name="changed")
    call("apps.update", apps.update, app_id=app.id, smart_conversation=None, retention_policy=None)
    spare = call("apps.create", apps.create, channel_credentials=BEARER, display_name="spare")
    call("apps.delete", apps.delete, app_id=spare.id)
    return str(app.id)


def drive_contacts(contacts: Any, app_id: str) -> str:
    """Every operation on contacts; returns the id of a contact that stays."""
    made = call("contacts.create", contacts.create, channel_identities=SMS, language="EN")
    other = call(
        "contacts.create",
        contacts.create,
        channel_identities=LINE,
        language="SV",
        email=None,
        channel_priority=["LINE"],
        metadata="m",
    )
    call("contacts.get", contacts.get, contact_id=made.id)
    call("contacts.update", contacts.update, contact_id=made.id, display_name="Ada", email=None)
    call("contacts.list", contacts.list, page_size=1)
    call("contacts.list", contacts.list, channel="SMS", identity="+46700000001")
    call("contacts.list_identity_conflicts", contacts.list_identity_conflicts, page_size=1)
    known = {"app_id": app_id, "channel": "LINE"}
    name = "contacts.get_channel_profile"
    call(name, contacts.get_channel_profile, **known, recipient={"contact_id": other.id})
    by_identity = contacts.get_channel_profile_by_channel_identity
    call(f"{name}_by_channel_identity", by_identity, **known, recipient_identities=LINE)
    by_contact = contacts.get_channel_profile_by_contact_id
    call(f"{name}_by_contact_id", by_contact, **known, contact_id=other.id)
    merge = contacts.merge_contact
    call("contacts.merge_contact", merge, destination_id=made.id, source_id=other.id, strategy=None)
    spare = call("contacts.create", contacts.create, channel_identities=SMS, language="EN")
    call("contacts.delete", contacts.delete, contact_id=spare.id)
    return str(made.id)


def drive_messages(messages: Any, app_id: str, contact_id: str) -> None:
    """Every operation on messages, to a contact and to an identity."""
    sent: Any = None
    for name, fields in MESSAGES.items():
        action = getattr(messages, name)
        sent = call(f"messages.{name}", action, app_id=app_id, contact_id=contact_id, **fields)
        call(f"messages.{name}", action, app_id=app_id, recipient_identities=SMS, ttl=60, **fields)
    call("messages.get", messages.get, message_id=sent.message_id)
    call("messages.update", messages.update, message_id=sent.message_id, metadata="changed")
    call("messages.list", messages.list, page_size=5, app_id=app_id, start_time=LAST_YEAR)
    naive = LAST_YEAR.replace(tzinfo=None)
    call("messages.list", messages.list, contact_id=contact_id, start_time=naive)
    last = messages.list_last_messages_by_channel_identity
    name = "messages.list_last_messages_by_channel_identity"
    call(name, last, channel_identities=["+46700000001"])
    call(name, last, contact_ids=[contact_id], page_size=2)
    call("messages.delete", messages.delete, message_id=sent.message_id)


def main() -> None:
    """Drive everything, and print the calls and the methods that were not called."""
    client = SinchClient(
        key_id="sandbox-key",
        key_secret="sandbox-secret",  # noqa: S106 (of the sandbox)
        project_id="sandbox-project",
        conversation_region="us",
    )
    client.configuration.auth_origin = f"{URL}/auth"
    client.configuration.conversation_domain = f"{URL}/{{}}/conversation"
    parts = client.conversation
    app_id = drive_apps(parts.apps)
    drive_messages(parts.messages, app_id, drive_contacts(parts.contacts, app_id))
    known = {
        f"{part}.{name}"
        for part in ("apps", "contacts", "messages")
        for name in dir(getattr(parts, part))
        if not name.startswith("_") and callable(getattr(getattr(parts, part), name))
    }
    left_out = sorted(known - {name for name, _ in calls})
    json.dump({"version": version("sinch"), "calls": calls, "left_out": left_out}, sys.stdout)


main()
