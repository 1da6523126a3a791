"""Events that an app sends."""

from sinch_wrapper.sandbox._errors import Json
from sinch_wrapper.sandbox._outbox import Outbound
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import app_of
from sinch_wrapper.sandbox._resources.recipients import find_addressee
from sinch_wrapper.sandbox._store import Kept, Order, get, next_page, page

_MAX_PAGE = 20


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
    order = Order("Events_SendEvent", world.region, app["id"], world.clock())
    [entry] = world.ledger.accept(order, [request["recipient"]])
    entry.message_id = event["id"]
    world.outbox.put(
        Outbound(
            entry,
            event["id"],
            "",
            request.get("callback_url", ""),
            addressee.identities,
            request.get("event_metadata", ""),
            addressee.contact_id,
            addressee.conversation_id,
            addressee.processing_mode,
            is_event=True,
            since=world.clock(),
        )
    )
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
    events, token = page(rows, query, at_most=_MAX_PAGE)
    return {"events": events} | next_page(token)


HANDLERS: dict[str, Handler] = {
    "Events_SendEvent": _send,
    "Events_GetEvent": _get,
    "Events_DeleteEvents": _delete,
    "Events_ListEvents": _list,
}
