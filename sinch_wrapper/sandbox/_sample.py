"""What exists at the start: one app, nothing, or a sample of everything."""

from sinch_wrapper.sandbox._json import Json, JsonValue
from sinch_wrapper.sandbox._region import OperationCall, RegionState
from sinch_wrapper.sandbox._resources.table import HANDLERS

_SMS = {"channel": "SMS", "identity": "+46700000001"}
_BOTH = [{"channel": "WHATSAPP", "identity": "46700000002"}, _SMS | {"identity": "+46700000002"}]
_OPT_OUT = {"identification": "46700000003", "consent_type": "OPT_OUT_ALL"}
_TEMPLATE = {
    "id": "welcome",
    "description": "A greeting in two languages",
    "default_translation": "en-US",
    "translations": [
        {"language_code": "en-US", "text_message": {"text": "Hi ${name}"}},
        {"language_code": "sv-SE", "text_message": {"text": "Hej ${name}"}},
    ],
}


def furnish(region: RegionState) -> None:
    """Create the resources that the settings ask for."""
    settings = region.settings
    if settings.start == "empty":
        return
    app = {"id": settings.app_id, "display_name": "Sandbox app", "channel_credentials": []}
    region.store.apps[settings.app_id] = app | {"processing_mode": "DISPATCH"}
    if settings.start == "sample":
        _furnish_sample(region, settings.app_id)


def _furnish_sample(region: RegionState, app_id: str) -> None:
    support = {"display_name": "Support", "channel_credentials": []}
    other = _call(region, "App_CreateApp", support | {"processing_mode": "CONVERSATION"})
    people = [
        {"display_name": "Ada", "language": "EN_GB", "channel_identities": [_SMS]},
        {"display_name": "Alan", "language": "EN_GB", "channel_identities": _BOTH},
    ]
    contacts = [_call(region, "Contact_CreateContact", each) for each in people]
    _call(region, "Templates_v2_CreateTemplate", _TEMPLATE)
    _call(region, "Batch_InsertConsents", {"app_id": app_id, "consent_records": [_OPT_OUT]})
    _call(region, "ProjectSettings_CreateSettings", {"contact_settings": {}})
    hook = {"app_id": app_id, "target": "http://127.0.0.1:9/dismissed"}
    _call(region, "Webhooks_CreateWebhook", hook | {"triggers": ["MESSAGE_DELIVERY"]})
    pair = {"app_id": other["id"], "contact_id": contacts[0]["id"], "active_channel": "SMS"}
    conversation = _call(region, "Conversation_CreateConversation", pair)
    inbound = {
        "contact_message": {"text_message": {"text": "Are you open today?"}},
        "contact_id": pair["contact_id"],
        "channel_identity": _SMS,
        "direction": "TO_APP",
        "accept_time": region.now(),
    }
    path = {"conversation_id": conversation["id"]}
    _call(region, "Conversation_InjectMessage", inbound, path)


def _call(
    region: RegionState, operation_id: str, body: Json, path: Json | None = None
) -> JsonValue:
    return HANDLERS[operation_id](region, OperationCall(path or {}, {}, body))
