"""What is there at the start: one app, nothing, or a sample of everything."""

from sinch_wrapper.sandbox._errors import Json, JsonValue
from sinch_wrapper.sandbox._region import Call, World
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


def furnish(world: World) -> None:
    """Create what the settings want to be there at the start."""
    settings = world.settings
    if settings.start == "empty":
        return
    app = {"id": settings.app_id, "display_name": "Sandbox app", "channel_credentials": []}
    world.store.apps[settings.app_id] = app | {"processing_mode": "DISPATCH"}
    if settings.start == "sample":
        _furnish_sample(world, settings.app_id)


def _furnish_sample(world: World, app_id: str) -> None:
    support = {"display_name": "Support", "channel_credentials": []}
    other = _call(world, "App_CreateApp", support | {"processing_mode": "CONVERSATION"})
    people = [
        {"display_name": "Ada", "language": "EN_GB", "channel_identities": [_SMS]},
        {"display_name": "Alan", "language": "EN_GB", "channel_identities": _BOTH},
    ]
    contacts = [_call(world, "Contact_CreateContact", each) for each in people]
    _call(world, "Templates_v2_CreateTemplate", _TEMPLATE)
    _call(world, "Batch_InsertConsents", {"app_id": app_id, "consent_records": [_OPT_OUT]})
    _call(world, "ProjectSettings_CreateSettings", {"contact_settings": {}})
    hook = {"app_id": app_id, "target": "http://127.0.0.1:9/dismissed"}
    _call(world, "Webhooks_CreateWebhook", hook | {"triggers": ["MESSAGE_DELIVERY"]})
    pair = {"app_id": other["id"], "contact_id": contacts[0]["id"], "active_channel": "SMS"}
    conversation = _call(world, "Conversation_CreateConversation", pair)
    question = {
        "contact_message": {"text_message": {"text": "Are you open today?"}},
        "contact_id": pair["contact_id"],
        "channel_identity": _SMS,
        "direction": "TO_APP",
        "accept_time": world.now(),
    }
    path = {"conversation_id": conversation["id"]}
    _call(world, "Conversation_InjectMessage", question, path)


def _call(world: World, operation_id: str, body: Json, path: Json | None = None) -> JsonValue:
    return HANDLERS[operation_id](world, Call(path or {}, {}, body))
