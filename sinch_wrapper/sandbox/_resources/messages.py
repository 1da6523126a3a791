"""Messages: sending one, and reading what was sent."""

from sinch_wrapper.sandbox._errors import not_found
from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._ledger import LedgerEntry, LedgerRequest
from sinch_wrapper.sandbox._numbers import plain_identity
from sinch_wrapper.sandbox._outbox import Outbound
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._rendering import text_of
from sinch_wrapper.sandbox._resources.fields import app_of, moment
from sinch_wrapper.sandbox._resources.recipients import Addressee, find_addressee
from sinch_wrapper.sandbox._store import AppResource, get, next_page, page
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MODES = {"CONVERSATION_SOURCE": "CONVERSATION", "DISPATCH_SOURCE": "DISPATCH"}


def submit(  # noqa: PLR0913, PLR0917 (all of it makes the message)
    region: RegionState,
    request: Json,
    addressee: Addressee,
    message: Json,
    metadata: str,
    entry: LedgerEntry,
    since: float | None = None,
) -> str:
    """Store a message, queue it as of *since* (now), notify the webhooks; return its id."""
    app_id, correlation_id = request["app_id"], request.get("correlation_id", "")
    message_id = entry.message_id = region.new_id()
    entry.carries(message, text_of(message, region.store.templates), metadata)
    entry.goes_to(addressee.identities[0], addressee.contact_id)
    common = addressee.fields() | {"metadata": metadata}
    kept = {"id": message_id, "direction": "TO_CONTACT", "app_message": message, "sender_id": ""}
    whole = kept | common | {"accept_time": region.now(), "injected": False}
    _keep(region, AppResource(app_id, whole, entry))
    submitted = {"message_id": message_id, "submitted_message": message} | common
    region.callbacks.emit(
        Callback(
            "MESSAGE_SUBMIT",
            "message_submit_notification",
            submitted,
            app_id=app_id,
            correlation_id=correlation_id,
        )
    )
    region.outbox.put(_outbound(region, request, addressee, metadata, entry, since))
    return message_id


def _outbound(  # noqa: PLR0913, PLR0917 (as above)
    region: RegionState,
    request: Json,
    addressee: Addressee,
    metadata: str,
    entry: LedgerEntry,
    since: float | None,
) -> Outbound:
    ttl = float(request["ttl"].removesuffix("s")) if "ttl" in request else float("inf")
    since = region.clock() if since is None else since
    return Outbound(
        entry=entry,
        id=entry.message_id,
        correlation_id=request.get("correlation_id", ""),
        callback_url=request.get("callback_url", ""),
        identities=addressee.identities,
        metadata=metadata,
        contact_id=addressee.contact_id,
        conversation_id=addressee.conversation_id,
        processing_mode=addressee.processing_mode,
        since=since,
        expires=since + ttl,
    )


def _keep(region: RegionState, message: AppResource) -> None:
    messages = region.store.messages
    messages[message.value["id"]] = message
    while len(messages) > region.settings.message_limit:
        forgotten = messages.pop(next(iter(messages)))
        if forgotten.entry is not None:
            forgotten.entry.forget()


def _send(region: RegionState, call: OperationCall) -> Json:
    request = call.body
    app = app_of(region.store, request["app_id"])
    region.outbox.require_room(app["id"], 1)
    addressee = find_addressee(region, app, request, request["recipient"])
    metadata = request.get("message_metadata", "")
    accepted = LedgerRequest("Messages_SendMessage", region.name, app["id"], region.clock())
    [entry] = region.ledger.accept(accepted, [request["recipient"]])
    message_id = submit(region, request, addressee, request["message"], metadata, entry)
    return {"message_id": message_id, "accepted_time": region.now()}


def _mode(query: Json) -> str:
    return _MODES[query.get("messages_source", "CONVERSATION_SOURCE")]


def _get(region: RegionState, call: OperationCall) -> Json:
    message = get(region.store.messages, call.path["message_id"], "Message").value
    if message["processing_mode"] != _mode(call.query):
        raise not_found("Message")
    return message


def _update(region: RegionState, call: OperationCall) -> Json:
    message = _get(region, call)
    message["metadata"] = call.body["metadata"]
    return message


def _delete(region: RegionState, call: OperationCall) -> Json:
    del region.store.messages[_get(region, call)["id"]]
    return {}


def _list(region: RegionState, call: OperationCall) -> Json:
    return _page(region, call.query, call.query.get("channel_identity"))


def _page(region: RegionState, query: Json, identity: str | None) -> Json:
    wanted = plain_identity(identity or "")
    rows = [
        (key, kept.value)
        for key, kept in region.store.messages.items()
        if _wanted(kept, query) and wanted in {"", kept.value["channel_identity"]["identity"]}
    ]
    messages, token = page(rows, query, newest_first=True)
    if query.get("view") == "WITHOUT_METADATA":
        messages = [{k: v for k, v in each.items() if k != "metadata"} for each in messages]
    return {"messages": messages} | next_page(token)


def _wanted(kept: AppResource, query: Json) -> bool:
    message = kept.value
    accepted = moment(message, "accept_time") or 0
    start, end = moment(query, "start_time"), moment(query, "end_time")
    channel = message["channel_identity"]["channel"]
    return (
        message["processing_mode"] == _mode(query)
        and query.get("app_id") in (None, kept.app_id)
        and query.get("contact_id") in (None, message["contact_id"])
        and query.get("conversation_id") in (None, message["conversation_id"])
        and query.get("direction") in (None, message["direction"])
        and query.get("channel") in (None, channel)
        and not (query.get("only_recipient_originated") and message["direction"] != "TO_APP")
        and (start is None or accepted >= start)
        and (end is None or accepted < end)
    )


def _last_of_each(region: RegionState, call: OperationCall) -> Json:
    query = call.body
    identities = set(map(plain_identity, query.get("channel_identities", [])))
    contacts = set(query.get("contact_ids", []))
    latest: dict[str, Json] = {}
    for kept in region.store.messages.values():
        identity = kept.value["channel_identity"]["identity"]
        if _wanted(kept, query) and (
            identity in identities or kept.value["contact_id"] in contacts
        ):
            latest[identity] = kept.value
    rows = [(each["id"], each) for each in latest.values()]
    messages, token = page(rows, query, newest_first=True)
    return {"messages": messages} | next_page(token)


HANDLERS: dict[str, OperationHandler] = {
    "Messages_SendMessage": _send,
    "Messages_GetMessage": _get,
    "Messages_UpdateMessageMetadata": _update,
    "Messages_DeleteMessage": _delete,
    "Messages_ListMessages": _list,
    "Messages_ListMessagesByChannelIdentity": _last_of_each,
}
