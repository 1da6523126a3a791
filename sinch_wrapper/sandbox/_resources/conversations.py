"""Conversations between an app and a contact: opened, listed, changed, stopped."""

from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.complete import CONVERSATION, complete
from sinch_wrapper.sandbox._resources.fields import app_of, patched
from sinch_wrapper.sandbox._store import get, next_page, page
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MAX_PAGE = 20
_MAX_RECENT = 50


def open_conversation(region: RegionState, fields: Json) -> Json:
    """Store an active conversation and notify the webhooks."""
    conversation = complete(fields | {"id": region.new_id()}, CONVERSATION)
    region.store.put_conversation(conversation)
    _emit(region, "CONVERSATION_START", "conversation_start_notification", conversation)
    return conversation


def _emit(region: RegionState, trigger: str, key: str, conversation: Json) -> None:
    app_id = conversation["app_id"]
    payload = {"conversation": conversation}
    region.callbacks.emit(Callback(trigger, key, payload, app_id=app_id, dated=False))


def _create(region: RegionState, call: OperationCall) -> Json:
    app_of(region.store, call.body["app_id"])
    get(region.store.contacts, call.body["contact_id"], "Contact")
    return open_conversation(region, call.body)


def _get(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.conversations, call.path["conversation_id"], "Conversation")


def _matching(region: RegionState, query: Json) -> list[tuple[str, Json]]:
    filters = {
        name: query[name] for name in ("app_id", "contact_id", "active_channel") if name in query
    }
    return [
        (key, each)
        for key, each in region.store.conversations.items()
        if all(each.get(name) == value for name, value in filters.items())
        and (each.get("active", False) or not query.get("only_active", False))
    ]


def _list(region: RegionState, call: OperationCall) -> Json:
    rows = _matching(region, call.query)
    if call.query.get("only_active") is False:
        rows = [row for row in rows if not row[1].get("active", False)]
    conversations, token = page(rows, call.query, at_most=_MAX_PAGE)
    return {"conversations": conversations, "total_size": len(rows)} | next_page(token)


def _recent(region: RegionState, call: OperationCall) -> Json:
    last = _last_messages(region)
    rows = [(_age(last.get(key), key), each) for key, each in _matching(region, call.query)]
    newest_first = call.query.get("order", "DESC") == "DESC"
    found, token = page(rows, call.query, newest_first=newest_first, at_most=_MAX_RECENT)
    recent = [
        {"conversation": each} | ({"last_message": last[each["id"]]} if each["id"] in last else {})
        for each in found
    ]
    return {"conversations": recent, "total_size": len(rows)} | next_page(token)


def _last_messages(region: RegionState) -> dict[str, Json]:
    last: dict[str, Json] = {}
    for kept in region.store.messages.values():
        key, known = kept.value["conversation_id"], last.get(kept.value["conversation_id"])
        if known is None or known["accept_time"] <= kept.value["accept_time"]:
            last[key] = kept.value
    return last


def _age(message: Json | None, conversation_id: str) -> str:
    """Return what sorts by the time of *message*; a conversation without one is the oldest."""
    return f"{message['accept_time'] if message else ''} {conversation_id}"


def _update(region: RegionState, call: OperationCall) -> Json:
    old = _get(region, call)
    mask = call.query.get("update_mask")
    patch = patched(old, call.body, mask, fixed=("id", "last_received"))
    conversation = complete(patch, CONVERSATION)
    app_of(region.store, conversation.get("app_id", ""))
    if call.query.get("metadata_update_strategy") == "MERGE_PATCH":
        merged = old["metadata_json"] | call.body.get("metadata_json", {})
        conversation["metadata_json"] = merged
    region.store.put_conversation(conversation)
    return conversation


def _delete(region: RegionState, call: OperationCall) -> Json:
    conversation = region.store.conversations.pop(_get(region, call)["id"])
    _emit(region, "CONVERSATION_DELETE", "conversation_delete_notification", conversation)
    return {}


def _stop(region: RegionState, call: OperationCall) -> Json:
    conversation = _get(region, call)
    if conversation.get("active", False):
        conversation["active"] = False
        _emit(region, "CONVERSATION_STOP", "conversation_stop_notification", conversation)
    return {}


HANDLERS: dict[str, OperationHandler] = {
    "Conversation_CreateConversation": _create,
    "Conversation_ListConversations": _list,
    "Conversation_ListRecentConversations": _recent,
    "Conversation_GetConversation": _get,
    "Conversation_UpdateConversation": _update,
    "Conversation_DeleteConversation": _delete,
    "Conversation_StopActiveConversation": _stop,
}
