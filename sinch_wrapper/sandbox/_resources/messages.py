"""Messages: sending one, and reading what was sent."""

from sinch_wrapper.sandbox._errors import Json, not_found
from sinch_wrapper.sandbox._outbox import Outbound
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import app_of, moment
from sinch_wrapper.sandbox._resources.recipients import Addressee, find_addressee
from sinch_wrapper.sandbox._store import Entry, Kept, Order, get, next_page, page
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MODES = {"CONVERSATION_SOURCE": "CONVERSATION", "DISPATCH_SOURCE": "DISPATCH"}


def submit(  # noqa: PLR0913, PLR0917 (a message is that much)
    world: World,
    request: Json,
    addressee: Addressee,
    message: Json,
    metadata: str,
    entry: Entry,
    since: float | None = None,
) -> str:
    """Store a message, queue it as of *since* (now), tell the webhooks; returns its id."""
    app_id, correlation_id = request["app_id"], request.get("correlation_id", "")
    message_id = entry.message_id = world.new_id()
    first = addressee.identities[0]
    entry.channel, entry.identity = first["channel"], first["identity"]
    entry.contact_id = addressee.contact_id
    common = addressee.fields() | {"metadata": metadata}
    kept = {"id": message_id, "direction": "TO_CONTACT", "app_message": message}
    _keep(world, app_id, kept | common | {"accept_time": world.now(), "injected": False})
    submitted = {"message_id": message_id, "submitted_message": message} | common
    world.notifier.emit(
        Callback(
            "MESSAGE_SUBMIT",
            "message_submit_notification",
            submitted,
            app_id=app_id,
            correlation_id=correlation_id,
        )
    )
    world.outbox.put(_outbound(world, request, addressee, metadata, entry, since))
    return message_id


def _outbound(  # noqa: PLR0913, PLR0917 (as above)
    world: World,
    request: Json,
    addressee: Addressee,
    metadata: str,
    entry: Entry,
    since: float | None,
) -> Outbound:
    ttl = float(request["ttl"].removesuffix("s")) if "ttl" in request else float("inf")
    since = world.clock() if since is None else since
    return Outbound(
        entry,
        entry.message_id,
        request.get("correlation_id", ""),
        request.get("callback_url", ""),
        addressee.identities,
        metadata,
        addressee.contact_id,
        addressee.conversation_id,
        addressee.processing_mode,
        is_event=False,
        since=since,
        expires=since + ttl,
    )


def _keep(world: World, app_id: str, message: Json) -> None:
    messages = world.store.messages
    messages[message["id"]] = Kept(app_id, message)
    while len(messages) > world.settings.message_limit:
        del messages[next(iter(messages))]


def _send(world: World, call: Call) -> Json:
    request = call.body
    app = app_of(world.store, request["app_id"])
    world.outbox.require_room(app["id"], 1)
    addressee = find_addressee(world, app, request, request["recipient"])
    metadata = request.get("message_metadata", "")
    order = Order("Messages_SendMessage", world.region, app["id"], world.clock())
    [entry] = world.ledger.accept(order, [request["recipient"]])
    message_id = submit(world, request, addressee, request["message"], metadata, entry)
    return {"message_id": message_id, "accepted_time": world.now()}


def _mode(query: Json) -> str:
    return _MODES[query.get("messages_source", "CONVERSATION_SOURCE")]


def _get(world: World, call: Call) -> Json:
    message = get(world.store.messages, call.path["message_id"], "Message").value
    if message["processing_mode"] != _mode(call.query):
        raise not_found("Message")
    return message


def _update(world: World, call: Call) -> Json:
    message = _get(world, call)
    message["metadata"] = call.body["metadata"]
    return message


def _delete(world: World, call: Call) -> Json:
    del world.store.messages[_get(world, call)["id"]]
    return {}


def _list(world: World, call: Call) -> Json:
    return _page(world, call.query, call.query.get("channel_identity"))


def _page(world: World, query: Json, identity: str | None) -> Json:
    rows = [
        (key, kept.value)
        for key, kept in world.store.messages.items()
        if _wanted(kept, query) and identity in (None, kept.value["channel_identity"]["identity"])
    ]
    messages, token = page(rows, query, newest_first=True)
    if query.get("view") == "WITHOUT_METADATA":
        messages = [{k: v for k, v in each.items() if k != "metadata"} for each in messages]
    return {"messages": messages} | next_page(token)


def _wanted(kept: Kept, query: Json) -> bool:
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


def _last_of_each(world: World, call: Call) -> Json:
    query = call.body
    identities = set(query.get("channel_identities", []))
    contacts = set(query.get("contact_ids", []))
    latest: dict[str, Json] = {}
    for kept in world.store.messages.values():
        identity = kept.value["channel_identity"]["identity"]
        if _wanted(kept, query) and (
            identity in identities or kept.value["contact_id"] in contacts
        ):
            latest[identity] = kept.value
    rows = [(each["id"], each) for each in latest.values()]
    messages, token = page(rows, query, newest_first=True)
    return {"messages": messages} | next_page(token)


HANDLERS: dict[str, Handler] = {
    "Messages_SendMessage": _send,
    "Messages_GetMessage": _get,
    "Messages_UpdateMessageMetadata": _update,
    "Messages_DeleteMessage": _delete,
    "Messages_ListMessages": _list,
    "Messages_ListMessagesByChannelIdentity": _last_of_each,
}
