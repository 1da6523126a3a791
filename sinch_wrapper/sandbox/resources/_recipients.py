"""Who a message goes to: from the recipient of a request to one identity on one channel."""

import json
from dataclasses import dataclass

from sinch_wrapper.sandbox.errors import invalid
from sinch_wrapper.sandbox.resources.contacts import create_contact, has_identity
from sinch_wrapper.sandbox.resources.conversations import open_conversation
from sinch_wrapper.sandbox.shapes import Json
from sinch_wrapper.sandbox.store import get
from sinch_wrapper.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Addressee:
    """The identity that is tried, and in CONVERSATION mode its contact and conversation."""

    channel_identity: Json
    processing_mode: str
    contact_id: str = ""
    conversation_id: str = ""

    def fields(self) -> Json:
        """Return the fields that messages, events and their callbacks have in common."""
        return {
            "channel_identity": self.channel_identity,
            "contact_id": self.contact_id,
            "conversation_id": self.conversation_id,
            "processing_mode": self.processing_mode,
        }


def find_addressee(world: World, app: Json, request: Json, recipient: Json) -> Addressee:
    """
    Return who *recipient* is for a request of *app*.

    In DISPATCH mode nothing is remembered and a contact id means nothing. In CONVERSATION mode an
    unknown identity becomes a contact, and the conversation is the active one or a new one.

    Raises: Refusal 400 or 404.
    """
    mode = app.get("processing_mode", "DISPATCH")
    if request.get("processing_strategy") == "DISPATCH_ONLY":
        mode = "DISPATCH"
    if mode == "DISPATCH":
        if "contact_id" in recipient:
            raise invalid("recipient.contact_id", "An app in DISPATCH mode knows no contacts.")
        return Addressee(_preferred(request, _identities(recipient)), mode)
    contact = _contact(world, recipient)
    identity = _preferred(request, contact.get("channel_identities", []))
    conversation = _conversation(world, app, contact, identity["channel"], request)
    return Addressee(identity, mode, contact["id"], conversation["id"])


def _identities(recipient: Json) -> list[Json]:
    identities: list[Json] = recipient["identified_by"]["channel_identities"]
    return identities


def _preferred(request: Json, identities: list[Json]) -> Json:
    if not identities:
        raise invalid("recipient", "The recipient has no channel identity.")
    order = request.get("channel_priority_order", [])
    ranked = [each for channel in order for each in identities if each["channel"] == channel]
    if order and not ranked:
        raise invalid("channel_priority_order", "The recipient is on none of these channels.")
    return (ranked or identities)[0]


def _contact(world: World, recipient: Json) -> Json:
    if "contact_id" in recipient:
        return get(world.store.contacts, recipient["contact_id"], "Contact")
    identities = _identities(recipient)
    for contact in world.store.contacts.values():
        if any(has_identity(contact, each["channel"], each["identity"]) for each in identities):
            return contact
    return create_contact(world, {"channel_identities": identities, "language": "EN"})


def _conversation(world: World, app: Json, contact: Json, channel: str, request: Json) -> Json:
    fields = {"app_id": app["id"], "contact_id": contact["id"], "active_channel": channel}
    carried: Json = {}
    if "conversation_metadata" in request:
        metadata = request["conversation_metadata"]
        carried |= {"metadata_json": metadata, "metadata": json.dumps(metadata)}
    if "correlation_id" in request:
        carried["correlation_id"] = request["correlation_id"]
    for each in world.store.conversations.values():
        same = each["app_id"] == app["id"] and each["contact_id"] == contact["id"]
        if same and each["active"]:
            each.update(carried, active_channel=channel)
            return each
    return open_conversation(world, fields | carried)
