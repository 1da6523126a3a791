"""Conversations."""

from sinch_wrapper.sandbox._errors import Json
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import app_of, patched
from sinch_wrapper.sandbox._store import get, next_page, page
from sinch_wrapper.sandbox._webhook_delivery import Callback

_NEVER = "1970-01-01T00:00:00Z"
_MAX_PAGE = 20
_MAX_RECENT = 50


def open_conversation(world: World, fields: Json) -> Json:
    """Store an active conversation and tell the webhooks."""
    conversation: Json = {"active": True, "last_received": _NEVER}
    conversation |= fields | {"id": world.new_id()}
    world.store.put_conversation(conversation)
    _emit(world, "CONVERSATION_START", "conversation_start_notification", conversation)
    return conversation


def _emit(world: World, trigger: str, key: str, conversation: Json) -> None:
    app_id = conversation["app_id"]
    payload = {"conversation": conversation}
    world.notifier.emit(Callback(trigger, key, payload, app_id=app_id, dated=False))


def _create(world: World, call: Call) -> Json:
    app_of(world.store, call.body["app_id"])
    get(world.store.contacts, call.body["contact_id"], "Contact")
    return open_conversation(world, call.body)


def _get(world: World, call: Call) -> Json:
    return get(world.store.conversations, call.path["conversation_id"], "Conversation")


def _matching(world: World, query: Json) -> list[tuple[str, Json]]:
    filters = {
        name: query[name] for name in ("app_id", "contact_id", "active_channel") if name in query
    }
    return [
        (key, each)
        for key, each in world.store.conversations.items()
        if all(each.get(name) == value for name, value in filters.items())
        and (each.get("active", False) or not query.get("only_active", False))
    ]


def _list(world: World, call: Call) -> Json:
    rows = _matching(world, call.query)
    if call.query.get("only_active") is False:
        rows = [row for row in rows if not row[1].get("active", False)]
    conversations, token = page(rows, call.query, at_most=_MAX_PAGE)
    return {"conversations": conversations, "total_size": len(rows)} | next_page(token)


def _recent(world: World, call: Call) -> Json:
    rows = _matching(world, call.query)
    newest_first = call.query.get("order", "DESC") == "DESC"
    found, token = page(rows, call.query, newest_first=newest_first, at_most=_MAX_RECENT)
    recent = [{"conversation": each} | _last_message(world, each["id"]) for each in found]
    return {"conversations": recent, "total_size": len(rows)} | next_page(token)


def _last_message(world: World, conversation_id: str) -> Json:
    for kept in reversed(world.store.messages.values()):
        if kept.value.get("conversation_id") == conversation_id:
            return {"last_message": kept.value}
    return {}


def _update(world: World, call: Call) -> Json:
    old = _get(world, call)
    mask = call.query.get("update_mask")
    conversation = patched(old, call.body, mask, fixed=("id", "app_id", "last_received"))
    if call.query.get("metadata_update_strategy") == "MERGE_PATCH":
        merged = old.get("metadata_json", {}) | call.body.get("metadata_json", {})
        conversation["metadata_json"] = merged
    world.store.put_conversation(conversation)
    return conversation


def _delete(world: World, call: Call) -> Json:
    conversation = world.store.conversations.pop(_get(world, call)["id"])
    _emit(world, "CONVERSATION_DELETE", "conversation_delete_notification", conversation)
    return {}


def _stop(world: World, call: Call) -> Json:
    conversation = _get(world, call)
    if conversation.get("active", False):
        conversation["active"] = False
        _emit(world, "CONVERSATION_STOP", "conversation_stop_notification", conversation)
    return {}


HANDLERS: dict[str, Handler] = {
    "Conversation_CreateConversation": _create,
    "Conversation_ListConversations": _list,
    "Conversation_ListRecentConversations": _recent,
    "Conversation_GetConversation": _get,
    "Conversation_UpdateConversation": _update,
    "Conversation_DeleteConversation": _delete,
    "Conversation_StopActiveConversation": _stop,
}
