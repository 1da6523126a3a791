"""Contacts, and the contact operations of the Batch API."""

from collections import defaultdict

from sinch_wrapper.sandbox._errors import invalid
from sinch_wrapper.sandbox._json import Json, JsonValue
from sinch_wrapper.sandbox._numbers import same_address
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.complete import CONTACT, channel_identity, complete
from sinch_wrapper.sandbox._resources.fields import patched
from sinch_wrapper.sandbox._store import get, next_page, page
from sinch_wrapper.sandbox._webhook_delivery import Callback

_MAX_PAGE = 20
_NAMELESS = "Unknown"
_EMPTY: tuple[JsonValue, ...] = (None, "", [], {}, _NAMELESS, "UNSPECIFIED")
_DUPLICATION = "duplicated_contact_identities_notification"


def create_contact(region: RegionState, fields: Json) -> Json:
    """Store a contact and notify the webhooks, also of identities that another contact has."""
    contact = _whole(fields | {"id": region.new_id()})
    region.store.put_contact(contact)
    payload = {"contact": contact}
    region.callbacks.emit(Callback("CONTACT_CREATE", "contact_create_notification", payload))
    _report_duplicates(region, contact)
    return contact


def _whole(fields: Json) -> Json:
    contact = complete(fields, CONTACT)
    contact["display_name"] = contact.get("display_name") or _NAMELESS
    contact["channel_identities"] = [
        channel_identity(each) for each in contact.get("channel_identities", [])
    ]
    return contact


def _report_duplicates(region: RegionState, contact: Json) -> None:
    shared = [
        {"channel": each["channel"], "contact_ids": [contact["id"] for contact in found]}
        for each in contact.get("channel_identities", [])
        if len(found := region.store.contacts_with(each["channel"], each["identity"])) > 1
    ]
    if shared:
        payload = {"duplicated_identities": shared}
        region.callbacks.emit(Callback("CONTACT_IDENTITIES_DUPLICATION", _DUPLICATION, payload))


def has_identity(contact: Json, channel: str, identity: str) -> bool:
    """Say whether *contact* has *identity* on *channel*, in any notation."""
    known, wanted = contact.get("channel_identities", []), same_address(channel, identity)
    return any(
        each["channel"] == channel and same_address(channel, each["identity"]) == wanted
        for each in known
    )


def _delete_contact(region: RegionState, contact_id: str) -> None:
    payload = {"contact": region.store.contacts[contact_id]}
    region.store.drop_contact(contact_id)
    region.callbacks.emit(Callback("CONTACT_DELETE", "contact_delete_notification", payload))


def _create(region: RegionState, call: OperationCall) -> Json:
    return create_contact(region, call.body)


def _get(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.contacts, call.path["contact_id"], "Contact")


def _list(region: RegionState, call: OperationCall) -> Json:
    query = call.query
    rows = [(key, each) for key, each in region.store.contacts.items() if _wanted(each, query)]
    contacts, token = page(rows, query, at_most=_MAX_PAGE)
    return {"contacts": contacts} | next_page(token)


def _wanted(contact: Json, query: Json) -> bool:
    if "external_id" in query:
        return bool(contact.get("external_id") == query["external_id"])
    return "channel" not in query or has_identity(contact, query["channel"], query["identity"])


def _update(region: RegionState, call: OperationCall) -> Json:
    mask = call.query.get("update_mask")
    contact = _whole(patched(_get(region, call), call.body, mask, fixed=("id",)))
    region.store.put_contact(contact)
    payload = {"contact": contact}
    region.callbacks.emit(Callback("CONTACT_UPDATE", "contact_update_notification", payload))
    return contact


def _delete(region: RegionState, call: OperationCall) -> Json:
    _delete_contact(region, _get(region, call)["id"])
    return {}


def _merge(region: RegionState, call: OperationCall) -> Json:
    """Merge as documented: identities of channels that are new, fields that are empty, messages.

    Source: Node SDK 1.5.0 and Java SDK 2.1.1, mergeContact.
    """
    store = region.store
    kept = get(store.contacts, call.path["destination_id"], "Contact")
    gone = get(store.contacts, call.body["source_id"], "Contact")
    if kept is gone:
        raise invalid("source_id", "A contact cannot be merged with itself.")
    merged = _merged(kept, gone)
    store.drop_contact(gone["id"])
    store.put_contact(merged)
    store.move_conversations(gone["id"], merged["id"])
    payload = {"preserved_contact": merged, "deleted_contact": gone}
    region.callbacks.emit(Callback("CONTACT_MERGE", "contact_merge_notification", payload))
    return merged


def _merged(kept: Json, gone: Json) -> Json:
    known = {each["channel"] for each in kept["channel_identities"]}
    moved = [each for each in gone["channel_identities"] if each["channel"] not in known]
    filled = {name: value for name, value in gone.items() if kept.get(name) in _EMPTY and value}
    if priority := kept["channel_priority"]:
        # At the bottom; without a list of its own the order of the identities has them there.
        new = dict.fromkeys(each["channel"] for each in moved)
        priority = [*priority, *(each for each in new if each not in priority)]
    return (
        kept
        | filled
        | {
            "channel_identities": [*kept["channel_identities"], *moved],
            "channel_priority": priority,
        }
    )


def _conflicts(region: RegionState, call: OperationCall) -> Json:
    owners: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for contact in region.store.contacts.values():
        for each in contact.get("channel_identities", []):
            owners[each["identity"]].append((contact["id"], each["channel"]))
    rows = [
        (identity, _conflict(identity, held))
        for identity, held in owners.items()
        if len({contact_id for contact_id, _ in held}) > 1
    ]
    conflicts, token = page(rows, call.query, at_most=_MAX_PAGE)
    return {"conflicts": conflicts} | next_page(token)


def _conflict(identity: str, held: list[tuple[str, str]]) -> Json:
    contact_ids = sorted({contact_id for contact_id, _ in held})
    channels = sorted({channel for _, channel in held})
    return {"identity": identity, "channels": channels, "contact_ids": contact_ids}


def _create_many(region: RegionState, call: OperationCall) -> Json:
    for fields in call.body["contacts"]:
        create_contact(region, fields)
    return {}


def _delete_many(region: RegionState, call: OperationCall) -> Json:
    for contact_id in call.body["contact_ids"]:
        if contact_id in region.store.contacts:
            _delete_contact(region, contact_id)
    return {}


HANDLERS: dict[str, OperationHandler] = {
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
