"""Events that an app sends."""

from sinch_wrapper.sandbox.delivery import Outbound
from sinch_wrapper.sandbox.resources._fields import app_of, next_page
from sinch_wrapper.sandbox.resources._recipients import find_addressee
from sinch_wrapper.sandbox.shapes import Json
from sinch_wrapper.sandbox.store import Kept, get, page
from sinch_wrapper.sandbox.world import Call, Handler, World


def _send(world: World, call: Call) -> Json:
    request = call.body
    app = app_of(world.store, request["app_id"])
    world.outbox.require_room(app["id"], 1)
    addressee = find_addressee(world, app, request, request["recipient"])
    common = addressee.fields()
    # A sent event is the bare alternative, a stored one has it under `app_event`.
    content = request["event"].get("app_event", request["event"])
    event = {"id": world.new_id(), "app_event": content, "direction": "TO_CONTACT"}
    event |= common | {"accept_time": world.now()}
    world.store.events[event["id"]] = Kept(app["id"], event)
    common["metadata"] = request.get("event_metadata", "")
    callback_url = request.get("callback_url", "")
    world.outbox.put(Outbound(app["id"], event["id"], "", callback_url, is_event=True, **common))
    return {"event_id": event["id"], "accepted_time": event["accept_time"]}


def _get(world: World, call: Call) -> Json:
    return get(world.store.events, call.path["event_id"], "Event").value


def _delete(world: World, call: Call) -> Json:
    del world.store.events[_get(world, call)["id"]]
    return {}


def _list(world: World, call: Call) -> Json:
    query = call.query
    rows = [
        (key, kept.value)
        for key, kept in world.store.events.items()
        if query.get("conversation_id") in (None, kept.value.get("conversation_id"))
        and query.get("contact_id") in (None, kept.value.get("contact_id"))
    ]
    events, token = page(rows, query)
    return {"events": events} | next_page(token)


HANDLERS: dict[str, Handler] = {
    "Events_SendEvent": _send,
    "Events_GetEvent": _get,
    "Events_DeleteEvents": _delete,
    "Events_ListEvents": _list,
}
