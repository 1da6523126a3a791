"""Messages and events that are injected into a conversation."""

from sinch_wrapper.sandbox._errors import invalid
from sinch_wrapper.sandbox._json import Json, encode_text, timestamp
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.complete import channel_identity
from sinch_wrapper.sandbox._resources.fields import moment
from sinch_wrapper.sandbox._store import AppResource, get
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MONTH = 30 * 24 * 60 * 60


def _conversation(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.conversations, call.path["conversation_id"], "Conversation")


def _checked(region: RegionState, call: OperationCall) -> Json:
    """Return the body, with its time as the API writes times."""
    accepted = moment(call.body, "accept_time")
    if accepted is None:
        accepted = region.clock()
    elif not region.clock() - _MONTH < accepted <= region.clock():
        raise invalid("accept_time", "Must be in the past, less than 30 days ago.")
    body: Json = call.body | {"accept_time": timestamp(accepted)}
    return body


def _inject_message(region: RegionState, call: OperationCall) -> Json:
    conversation = _conversation(region, call)
    fields = _checked(region, call)
    message: Json = {"processing_mode": "CONVERSATION", "sender_id": "", "metadata": ""} | fields
    message["channel_identity"] = channel_identity(message["channel_identity"])
    message |= {"id": region.new_id(), "conversation_id": conversation["id"], "injected": True}
    app_id = conversation["app_id"]
    region.store.messages[message["id"]] = AppResource(app_id, message)
    if message["direction"] == "TO_APP":
        conversation["last_received"] = message["accept_time"]
        payload = {"message": message}
        announce_inbound(region, app_id, conversation, "MESSAGE_INBOUND", payload)
    return {}


def _inject_event(region: RegionState, call: OperationCall) -> Json:
    conversation = _conversation(region, call)
    fields = _checked(region, call)
    known = {"channel": conversation.get("active_channel", "SMS"), "identity": ""}
    event: Json = {"channel_identity": known, "processing_mode": "CONVERSATION"} | fields
    event |= {"id": region.new_id(), "conversation_id": conversation["id"]}
    from_app = "app_event" in event
    event["direction"] = "TO_CONTACT" if from_app else "TO_APP"
    app_id = conversation["app_id"]
    region.store.events[event["id"]] = AppResource(app_id, event)
    if not from_app:
        announce_inbound(region, app_id, conversation, "EVENT_INBOUND", {"event": event})
    return {"event_id": event["id"], "accepted_time": region.now()}


def announce_inbound(
    region: RegionState, app_id: str, conversation: Json, trigger: str, payload: Json
) -> None:
    """Tell the webhooks of a message or an event, with the latest metadata of its conversation."""
    [(key, value)] = payload.items()
    metadata = conversation.get("metadata_json", {})
    callback = Callback(
        trigger,
        key,
        value,
        app_id=app_id,
        message_metadata=encode_text(metadata) if metadata else "",
        correlation_id=conversation.get("correlation_id", ""),
    )
    region.callbacks.emit(callback)


HANDLERS: dict[str, OperationHandler] = {
    "Conversation_InjectMessage": _inject_message,
    "Events_InjectEvent": _inject_event,
}
