"""Messages and events that are put into a conversation from outside."""

from sinch_wrapper.sandbox._errors import Json, encode_text, invalid
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import moment
from sinch_wrapper.sandbox._store import Kept, get
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MONTH = 30 * 24 * 60 * 60


def _conversation(world: World, call: Call) -> Json:
    return get(world.store.conversations, call.path["conversation_id"], "Conversation")


def _check_time(world: World, call: Call) -> None:
    accepted = moment(call.body, "accept_time")
    if accepted is not None and not world.clock() - _MONTH < accepted <= world.clock():
        raise invalid("accept_time", "Must be in the past, less than 30 days ago.")


def _inject_message(world: World, call: Call) -> Json:
    conversation = _conversation(world, call)
    _check_time(world, call)
    message = {"processing_mode": "CONVERSATION"} | call.body
    message |= {"id": world.new_id(), "conversation_id": conversation["id"], "injected": True}
    world.store.messages[message["id"]] = Kept(conversation["app_id"], message)
    if message["direction"] == "TO_APP":
        conversation["last_received"] = message["accept_time"]
        _inbound(world, conversation, "MESSAGE_INBOUND", "message", message)
    return {}


def _inject_event(world: World, call: Call) -> Json:
    conversation = _conversation(world, call)
    _check_time(world, call)
    known = {"channel": conversation.get("active_channel", "SMS"), "identity": ""}
    event = {"channel_identity": known, "processing_mode": "CONVERSATION"} | call.body
    event |= {"id": world.new_id(), "conversation_id": conversation["id"]}
    from_app = "app_event" in event
    event["direction"] = "TO_CONTACT" if from_app else "TO_APP"
    world.store.events[event["id"]] = Kept(conversation["app_id"], event)
    if not from_app:
        _inbound(world, conversation, "EVENT_INBOUND", "event", event)
    return {"event_id": event["id"], "accepted_time": world.now()}


def _inbound(world: World, conversation: Json, trigger: str, key: str, payload: Json) -> None:
    # An answer carries the latest metadata of its conversation.
    metadata = conversation.get("metadata_json", {})
    callback = Callback(
        trigger,
        key,
        payload,
        app_id=conversation["app_id"],
        message_metadata=encode_text(metadata) if metadata else "",
        correlation_id=conversation.get("correlation_id", ""),
    )
    world.notifier.emit(callback)


HANDLERS: dict[str, Handler] = {
    "Conversation_InjectMessage": _inject_message,
    "Events_InjectEvent": _inject_event,
}
