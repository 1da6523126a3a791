"""A valid request of every operation that the sandbox serves."""

# ruff: noqa: ARG001, FBT001 (requests are built alike)

import time
from collections.abc import Callable
from typing import Any, TypeAlias

from sinch_wrapper.sandbox._documents import all_operations
from sinch_wrapper.sandbox._json import timestamp
from tests.helpers.sandbox import Api, row, sms, text

NOW = timestamp(time.time() - 60)
LINE = {"identified_by": {"channel_identities": [{"channel": "LINE", "identity": "U1"}]}}
IDENTITY = {"channel": "SMS", "identity": "+46700000001"}
CONTACT = {"channel_identities": [IDENTITY], "language": "EN"}
TEMPLATE = {
    "default_translation": "en-US",
    "translations": [{"language_code": "en-US"} | text("Hi ${name}")],
}
SPECS = {spec.id: spec for spec in all_operations()}

Made: TypeAlias = dict[str, str]
Request: TypeAlias = Callable[[Made], dict[str, Any]]


def _message(made: Made) -> dict[str, Any]:
    return {"app_id": made["app_id"], "recipient": sms("+46700000001")}


def _batch(made: Made) -> dict[str, Any]:
    rows = [row("+46700000001", name="Ada")]
    return {"app_id": made["app_id"], "message": text("Hi ${name}"), "recipient_and_params": rows}


def _json(body: Any) -> Request:
    return lambda made: {"json": body(made) if callable(body) else body}


def _query(**params: str) -> Request:
    return lambda made: {"params": {key: value.format(**made) for key, value in params.items()}}


def no_arguments(made: Made) -> dict[str, Any]:
    """Return the request of an operation that takes only path parameters."""
    return {}


def _with(body: Any, **params: str) -> Request:
    return lambda made: _json(body)(made) | _query(**params)(made)


REQUESTS: dict[str, Request] = {
    "App_CreateApp": _json({"display_name": "New", "channel_credentials": []}),
    "App_UpdateApp": _with({"display_name": "Renamed"}, update_mask="display_name"),
    "Batch_SendBatch": _json(_batch),
    "Batch_SendBatchV1Beta": _json(_batch),
    "Batch_CancelBatch": _json(lambda made: {"batch_id": made["batch_id"]}),
    "Batch_GetBatchStatusesByMetadata": _query(metadataKey="campaign", metadataValue="spring"),
    "Batch_CreateContacts": _json({"contacts": [CONTACT]}),
    "Batch_DeleteContacts": _json({"contact_ids": ["unknown"]}),
    "Batch_InsertConsents": _json(
        lambda made: {
            "app_id": made["app_id"],
            "consent_records": [{"identification": "46700000002", "consent_type": "OPT_OUT_ALL"}],
        }
    ),
    "Capability_QueryCapability": _json(_message),
    "Contact_CreateContact": _json(CONTACT),
    "Contact_GetChannelProfile": _json(
        lambda made: {"app_id": made["app_id"], "recipient": LINE, "channel": "LINE"}
    ),
    "Contact_ListContacts": _query(channel="SMS", identity="+46700000001", page_size="5"),
    "Contact_MergeContact": _json(lambda made: {"source_id": made["source_id"]}),
    "Contact_UpdateContact": _with({"display_name": "Ada"}, update_mask="display_name,email"),
    "Conversation_CreateConversation": _json(
        lambda made: {"app_id": made["app_id"], "contact_id": made["contact_id"]}
    ),
    "Conversation_InjectMessage": _json(
        lambda made: {
            "contact_message": text("Yes"),
            "contact_id": made["contact_id"],
            "channel_identity": IDENTITY,
            "direction": "TO_APP",
            "accept_time": NOW,
        }
    ),
    "Conversation_ListConversations": _query(app_id="{app_id}", only_active="false"),
    "Conversation_ListRecentConversations": _query(app_id="{app_id}", order="ASC"),
    "Conversation_UpdateConversation": _with(
        {"metadata_json": {"a": 1}}, metadata_update_strategy="MERGE_PATCH"
    ),
    "Events_InjectEvent": _json({"app_event": {"composing_event": {}}, "accept_time": NOW}),
    "Events_ListEvents": _query(contact_id="{contact_id}"),
    "Events_SendEvent": _json(lambda made: _message(made) | {"event": {"composing_event": {}}}),
    "Messages_SendMessage": _json(lambda made: _message(made) | {"message": text("Hi")}),
    "Messages_ListMessages": _query(view="WITHOUT_METADATA", direction="TO_CONTACT"),
    "Messages_ListMessagesByChannelIdentity": _json({"channel_identities": ["+46700000001"]}),
    "Messages_UpdateMessageMetadata": _json({"metadata": "changed"}),
    "ProjectSettings_CreateSettings": _json({"contact_settings": {}}),
    "ProjectSettings_UpdateSettings": _json(
        {"contact_settings": {"unified_contact_id_enabled": True}}
    ),
    "Templates_v2_CreateTemplate": _json(TEMPLATE),
    "Templates_v2_UpdateTemplate": _json(
        lambda made: TEMPLATE | {"id": made["template_id"], "version": 1}
    ),
    "Templates_v2_ListTranslations": _query(language_code="en-US", translation_version="latest"),
    "Transcoding_TranscodeMessage": _json(
        lambda made: {"app_id": made["app_id"], "app_message": text("Hi"), "channels": ["SMS"]}
    ),
    "Webhooks_CreateWebhook": _json(
        lambda made: {"app_id": made["app_id"], "target": "http://127.0.0.1:9/new"}
    ),
    "Webhooks_UpdateWebhook": _with(
        {"target": "http://127.0.0.1:9/changed", "triggers": ["MESSAGE_DELIVERY"]},
        update_mask="triggers",
    ),
}


def make(api: Api, needs_settings: bool) -> Made:
    """Create one of each resource and return the ids by path parameter."""
    app_id = api.app(processing_mode="CONVERSATION")
    conversation = "/conversation/v1/~"
    contact_id = api.ok("POST", f"{conversation}/contacts", json=CONTACT)["id"]
    source_id = api.ok("POST", f"{conversation}/contacts", json=CONTACT)["id"]
    link = {"app_id": app_id, "contact_id": contact_id}
    event = {"app_id": app_id, "recipient": {"contact_id": contact_id}}
    consent = {"identification": "46700000001", "consent_type": "OPT_OUT_ALL"}
    consents = {"app_id": app_id, "consent_records": [consent]}
    api.ok("POST", "/batch/v1/~/consents", json=consents)
    api("DELETE", f"{conversation}/settings")
    if needs_settings:
        api.ok("POST", f"{conversation}/settings", json={})
    made_conversation = api.ok("POST", f"{conversation}/conversations", json=link)["id"]
    return {
        "project_id": api.settings.project_id,
        "app_id": app_id,
        "contact_id": contact_id,
        "destination_id": contact_id,
        "source_id": source_id,
        "conversation_id": made_conversation,
        "webhook_id": api.webhook(app_id, "http://127.0.0.1:9/hook"),
        "message_id": api.send(app_id, recipient={"contact_id": contact_id}),
        "event_id": api.ok(
            "POST", f"{conversation}/events:send", json=event | {"event": {"composing_event": {}}}
        )["event_id"],
        "batch_id": api.batch(app_id, [row("+46700000001", name="Ada")]),
        "template_id": api.ok("POST", "/template/v2/~/templates", json=TEMPLATE)["id"],
        "list_type": "OPT_OUT_ALL",
        "identity": "46700000001",
    }
