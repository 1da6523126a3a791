"""What people do: they write to an app, opt out of it, and in again.

No operation of the API: a test or a person at the terminal plays the part of the phone.
"""

from functools import cache

from sinch_wrapper.sandbox._documents import document, operations
from sinch_wrapper.sandbox._errors import invalid
from sinch_wrapper.sandbox._json import Json, JsonValue, encode
from sinch_wrapper.sandbox._region import OperationCall, RegionState
from sinch_wrapper.sandbox._resources.complete import channel_identity
from sinch_wrapper.sandbox._resources.consents import record_consent
from sinch_wrapper.sandbox._resources.contacts import create_contact
from sinch_wrapper.sandbox._resources.conversations import open_conversation
from sinch_wrapper.sandbox._resources.injections import announce_inbound
from sinch_wrapper.sandbox._resources.webhooks import HANDLERS as WEBHOOKS
from sinch_wrapper.sandbox._resources.webhooks import all_triggers
from sinch_wrapper.sandbox._store import AppResource, serves
from sinch_wrapper.sandbox._validation import checks
from sinch_wrapper.sandbox._webhook_delivery import Callback

_CREATE = "Webhooks_CreateWebhook"
_LISTS = ("OPT_OUT_ALL", "OPT_OUT_MARKETING", "OPT_OUT_NOTIFICATION")


def say(region: RegionState, fields: Json) -> Json:
    """Take in a message of a person, as if a channel had brought it, and tell the webhooks.

    In CONVERSATION mode the person becomes a contact, and the message part of a conversation.

    Args:
        region: where the app is.
        fields: `from`, the address; `text`, or `message` in the form of the API; optionally
            `channel` (SMS), `app_id`, and `to`, the sender id that was written to.

    Returns: the id of the message.

    Raises: Refusal 400 or 404.
    """
    app, identity = _parties(region, fields, {"text", "message", "to"})
    message: Json = _people(region, app, identity) | {
        "id": region.new_id(),
        "direction": "TO_APP",
        "contact_message": _content(fields),
        "channel_identity": identity,
        "metadata": "",
        "accept_time": region.now(),
        "sender_id": _text(fields, "to", ""),
        "injected": False,
    }
    region.store.messages[message["id"]] = AppResource(app["id"], message)
    conversation = region.store.conversations.get(message["conversation_id"], {})
    if conversation:
        conversation |= {
            "active_channel": identity["channel"],
            "last_received": message["accept_time"],
        }
    announce_inbound(region, app["id"], conversation, "MESSAGE_INBOUND", {"message": message})
    return {"message_id": message["id"]}


def opt(region: RegionState, fields: Json, *, out: bool) -> Json:
    """Put a person on a list of opt-outs, or take them off, and tell the webhooks.

    Args:
        region: where the app is.
        fields: `from`, the address; optionally `channel` (SMS), `app_id`, `list_type`.
        out: whether the person opts out.

    Raises: Refusal 400 or 404.
    """
    app, identity = _parties(region, fields, {"list_type"})
    list_type = _text(fields, "list_type", _LISTS[0])
    if list_type not in _LISTS:
        raise invalid("list_type", f"Must be one of {', '.join(_LISTS)}.")
    record_consent(region, app["id"], identity["identity"], list_type, out=out, origin="MO")
    known = region.store.contacts_with(identity["channel"], identity["identity"])
    in_conversation = app.get("processing_mode") == "CONVERSATION"
    name = "OUT" if out else "IN"
    notification = {
        "request_id": region.new_id(),
        "contact_id": known[0]["id"] if known and in_conversation else "",
        "channel": identity["channel"],
        "identity": identity["identity"],
        "status": f"OPT_{name}_SUCCEEDED",
        "processing_mode": app.get("processing_mode", "DISPATCH"),
    }
    key = f"opt_{name.lower()}_notification"
    region.callbacks.emit(Callback(f"OPT_{name}", key, notification, app_id=app["id"]))
    return {}


def receive(region: RegionState, fields: JsonValue) -> Json:
    """Send the callbacks of an app to a target: a webhook with all triggers, if none is named.

    Args:
        region: where the app is.
        fields: `target`; optionally `triggers`, `secret`, `app_id` and all that a webhook has.

    Returns: the webhook.

    Raises: Refusal 400 or 404.
    """
    if not isinstance(fields, dict):
        raise invalid("body", "Must be an object.")
    every = {"app_id": region.settings.app_id, "target_type": "HTTP", "triggers": all_triggers()}
    [spec] = [each for each in operations("conversation") if each.id == _CREATE]
    body = checks(spec).body(encode(every | fields))
    webhook: JsonValue = WEBHOOKS[_CREATE](region, OperationCall({}, {}, body))
    return dict(webhook)


def _parties(region: RegionState, fields: JsonValue, more: set[str]) -> tuple[Json, Json]:
    """Return the app and the identity of the person."""
    if not isinstance(fields, dict):
        raise invalid("body", "Must be an object.")
    if unknown := fields.keys() - {"from", "channel", "app_id", *more}:
        raise invalid(min(unknown), "Unknown field.")
    app = region.store.app(_text(fields, "app_id", region.settings.app_id))
    channel = _text(fields, "channel", "SMS")
    if channel not in _channels():
        raise invalid("channel", f"Must be one of {', '.join(_channels())}.")
    if not serves(app, channel):
        raise invalid("channel", "The app is not configured for this channel.")
    return app, channel_identity({"channel": channel, "identity": _text(fields, "from")})


@cache
def _channels() -> tuple[str, ...]:
    return tuple(document("conversation")["components"]["schemas"]["ConversationChannel"]["enum"])


def _text(fields: Json, name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise invalid(name, "Must be a string.")
    return value


def _content(fields: Json) -> Json:
    message = fields.get("message")
    if message is None:
        return {"text_message": {"text": _text(fields, "text")}}
    if not isinstance(message, dict) or "text" in fields:
        raise invalid("message", "Give text, or message as an object.")
    return message


def _people(region: RegionState, app: Json, identity: Json) -> Json:
    mode = app.get("processing_mode", "DISPATCH")
    if mode == "DISPATCH":
        return {"processing_mode": mode, "contact_id": "", "conversation_id": ""}
    known = region.store.contacts_with(identity["channel"], identity["identity"])
    contact = (
        known[0]
        if known
        else create_contact(region, {"channel_identities": [identity], "language": "UNSPECIFIED"})
    )
    pair = {"app_id": app["id"], "contact_id": contact["id"]}
    conversation = region.store.active_conversation(app["id"], contact["id"]) or (
        open_conversation(region, pair | {"active_channel": identity["channel"]})
    )
    return {
        "processing_mode": mode,
        "contact_id": contact["id"],
        "conversation_id": conversation["id"],
    }
