"""Contacts, and the contact operations of the Batch API."""

from collections import defaultdict

from sinch_wrapper.sandbox.errors import invalid
from sinch_wrapper.sandbox.notify import Callback
from sinch_wrapper.sandbox.resources._fields import next_page, patched
from sinch_wrapper.sandbox.shapes import Json
from sinch_wrapper.sandbox.store import get, page
from sinch_wrapper.sandbox.world import Call, Handler, World


def create_contact(world: World, fields: Json) -> Json:
    """Store a contact and tell the webhooks."""
    defaults = {"display_name": "Unknown", "channel_priority": []}
    contact: Json = defaults | fields | {"id": world.new_id()}
    world.store.contacts[contact["id"]] = contact
    payload = {"contact": contact}
    world.notifier.emit(Callback("CONTACT_CREATE", "contact_create_notification", payload))
    return contact


def has_identity(contact: Json, channel: str, identity: str) -> bool:
    """Say whether *contact* is known by *identity* on *channel*."""
    known = contact.get("channel_identities", [])
    return any(each["channel"] == channel and each["identity"] == identity for each in known)


def _delete_contact(world: World, contact_id: str) -> None:
    payload = {"contact": world.store.contacts.pop(contact_id)}
    world.notifier.emit(Callback("CONTACT_DELETE", "contact_delete_notification", payload))


def _create(world: World, call: Call) -> Json:
    return create_contact(world, call.body)


def _get(world: World, call: Call) -> Json:
    return get(world.store.contacts, call.path["contact_id"], "Contact")


def _list(world: World, call: Call) -> Json:
    query = call.query
    rows = [(key, each) for key, each in world.store.contacts.items() if _wanted(each, query)]
    contacts, token = page(rows, query)
    return {"contacts": contacts} | next_page(token)


def _wanted(contact: Json, query: Json) -> bool:
    if "external_id" in query and contact.get("external_id") != query["external_id"]:
        return False
    if "identity" in query and "channel" in query:
        return has_identity(contact, query["channel"], query["identity"])
    known = contact.get("channel_identities", [])
    return all(
        name not in query or any(each[name] == query[name] for each in known)
        for name in ("identity", "channel")
    )


def _update(world: World, call: Call) -> Json:
    mask = call.query.get("update_mask")
    contact = patched(_get(world, call), call.body, mask, fixed=("id",))
    world.store.contacts[contact["id"]] = contact
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
    contacts[kept["id"]] = merged
    del contacts[gone["id"]]
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
    conflicts, token = page(rows, call.query)
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
