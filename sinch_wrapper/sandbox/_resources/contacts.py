"""Contacts, and the contact operations of the Batch API."""

from collections import defaultdict

from sinch_wrapper.sandbox._errors import Json, invalid
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import patched
from sinch_wrapper.sandbox._store import get, next_page, page
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MAX_PAGE = 20
_DUPLICATION = "duplicated_contact_identities_notification"


def create_contact(world: World, fields: Json) -> Json:
    """Store a contact and tell the webhooks, also when another one has an identity of it."""
    contact: Json = {"channel_priority": []} | fields | {"id": world.new_id()}
    contact["display_name"] = contact.get("display_name") or "Unknown"
    world.store.put_contact(contact)
    payload = {"contact": contact}
    world.notifier.emit(Callback("CONTACT_CREATE", "contact_create_notification", payload))
    _report_duplicates(world, contact)
    return contact


def _report_duplicates(world: World, contact: Json) -> None:
    shared = [
        {"channel": each["channel"], "contact_ids": [holder["id"] for holder in holders]}
        for each in contact.get("channel_identities", [])
        if len(holders := world.store.holders(each["channel"], each["identity"])) > 1
    ]
    if shared:
        payload = {"duplicated_identities": shared}
        world.notifier.emit(Callback("CONTACT_IDENTITIES_DUPLICATION", _DUPLICATION, payload))


def has_identity(contact: Json, channel: str, identity: str) -> bool:
    """Say whether *contact* is known by *identity* on *channel*."""
    known = contact.get("channel_identities", [])
    return any(each["channel"] == channel and each["identity"] == identity for each in known)


def _delete_contact(world: World, contact_id: str) -> None:
    payload = {"contact": world.store.contacts[contact_id]}
    world.store.drop_contact(contact_id)
    world.notifier.emit(Callback("CONTACT_DELETE", "contact_delete_notification", payload))


def _create(world: World, call: Call) -> Json:
    return create_contact(world, call.body)


def _get(world: World, call: Call) -> Json:
    return get(world.store.contacts, call.path["contact_id"], "Contact")


def _list(world: World, call: Call) -> Json:
    query = call.query
    rows = [(key, each) for key, each in world.store.contacts.items() if _wanted(each, query)]
    contacts, token = page(rows, query, at_most=_MAX_PAGE)
    return {"contacts": contacts} | next_page(token)


def _wanted(contact: Json, query: Json) -> bool:
    if "external_id" in query:
        return bool(contact.get("external_id") == query["external_id"])
    return "channel" not in query or has_identity(contact, query["channel"], query["identity"])


def _update(world: World, call: Call) -> Json:
    mask = call.query.get("update_mask")
    contact = patched(_get(world, call), call.body, mask, fixed=("id",))
    world.store.put_contact(contact)
    payload = {"contact": contact}
    world.notifier.emit(Callback("CONTACT_UPDATE", "contact_update_notification", payload))
    return contact


def _delete(world: World, call: Call) -> Json:
    _delete_contact(world, _get(world, call)["id"])
    return {}


def _merge(world: World, call: Call) -> Json:
    contacts = world.store.contacts
    kept = get(contacts, call.path["destination_id"], "Contact")
    gone = get(contacts, call.body["source_id"], "Contact")
    if kept is gone:
        raise invalid("source_id", "A contact cannot be merged with itself.")
    known = kept.get("channel_identities", [])
    moved = [each for each in gone.get("channel_identities", []) if each not in known]
    merged = gone | kept | {"channel_identities": known + moved}
    world.store.drop_contact(gone["id"])
    world.store.put_contact(merged)
    for conversation in list(world.store.conversations.values()):
        if conversation.get("contact_id") == gone["id"]:
            world.store.put_conversation(conversation | {"contact_id": merged["id"]})
    payload = {"preserved_contact": merged, "deleted_contact": gone}
    world.notifier.emit(Callback("CONTACT_MERGE", "contact_merge_notification", payload))
    return merged


def _conflicts(world: World, call: Call) -> Json:
    holders: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for contact in world.store.contacts.values():
        for each in contact.get("channel_identities", []):
            holders[each["identity"]].append((contact["id"], each["channel"]))
    rows = [
        (identity, _conflict(identity, held))
        for identity, held in holders.items()
        if len({contact_id for contact_id, _ in held}) > 1
    ]
    conflicts, token = page(rows, call.query, at_most=_MAX_PAGE)
    return {"conflicts": conflicts} | next_page(token)


def _conflict(identity: str, held: list[tuple[str, str]]) -> Json:
    contact_ids = sorted({contact_id for contact_id, _ in held})
    channels = sorted({channel for _, channel in held})
    return {"identity": identity, "channels": channels, "contact_ids": contact_ids}


def _create_many(world: World, call: Call) -> Json:
    for fields in call.body["contacts"]:
        create_contact(world, fields)
    return {}


def _delete_many(world: World, call: Call) -> Json:
    for contact_id in call.body["contact_ids"]:
        if contact_id in world.store.contacts:
            _delete_contact(world, contact_id)
    return {}


HANDLERS: dict[str, Handler] = {
    "Contact_CreateContact": _create,
    "Contact_ListContacts": _list,
    "Contact_GetContact": _get,
    "Contact_UpdateContact": _update,
    "Contact_DeleteContact": _delete,
    "Contact_MergeContact": _merge,
    "Contact_ListIdentityConflicts": _conflicts,
    "Batch_CreateContacts": _create_many,
    "Batch_DeleteContacts": _delete_many,
}
