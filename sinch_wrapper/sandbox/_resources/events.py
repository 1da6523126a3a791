"""Events that an app sends: sending one, and reading what was sent."""

from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._ledger import LedgerRequest
from sinch_wrapper.sandbox._outbox import Outbound
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.fields import app_of
from sinch_wrapper.sandbox._resources.recipients import Addressee, find_addressee
from sinch_wrapper.sandbox._store import AppResource, get, next_page, page

_MAX_PAGE = 20


def _send(region: RegionState, call: OperationCall) -> Json:
    request = call.body
    app = app_of(region.store, request["app_id"])
    region.outbox.require_room(app["id"], 1)
    addressee = find_addressee(region, app, request, request["recipient"])
    event = _keep(region, app["id"], addressee, request["event"])
    accepted = LedgerRequest("Events_SendEvent", region.name, app["id"], region.clock())
    [entry] = region.ledger.accept(accepted, [request["recipient"]])
    entry.message_id = event["id"]
    region.outbox.put(
        Outbound(
            entry=entry,
            id=event["id"],
            callback_url=request.get("callback_url", ""),
            identities=addressee.identities,
            metadata=request.get("event_metadata", ""),
            contact_id=addressee.contact_id,
            conversation_id=addressee.conversation_id,
            processing_mode=addressee.processing_mode,
            is_event=True,
            since=region.clock(),
        )
    )
    return {"event_id": event["id"], "accepted_time": event["accept_time"]}


def _keep(region: RegionState, app_id: str, addressee: Addressee, content: Json) -> Json:
    # A request may have the event itself; a stored event has it under `app_event`.
    content = content.get("app_event", content)
    event: Json = {"id": region.new_id(), "app_event": content, "direction": "TO_CONTACT"}
    event |= addressee.fields() | {"accept_time": region.now()}
    region.store.events[event["id"]] = AppResource(app_id, event)
    return event


def _get(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.events, call.path["event_id"], "Event").value


def _delete(region: RegionState, call: OperationCall) -> Json:
    del region.store.events[_get(region, call)["id"]]
    return {}


def _list(region: RegionState, call: OperationCall) -> Json:
    query = call.query
    rows = [
        (key, kept.value)
        for key, kept in region.store.events.items()
        if query.get("conversation_id") in (None, kept.value.get("conversation_id"))
        and query.get("contact_id") in (None, kept.value.get("contact_id"))
    ]
    events, token = page(rows, query, at_most=_MAX_PAGE)
    return {"events": events} | next_page(token)


HANDLERS: dict[str, OperationHandler] = {
    "Events_SendEvent": _send,
    "Events_GetEvent": _get,
    "Events_DeleteEvents": _delete,
    "Events_ListEvents": _list,
}
