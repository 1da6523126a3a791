"""Who a message goes to: from the recipient of a request to identities on channels."""

from dataclasses import dataclass

from sinch_wrapper.sandbox._errors import invalid
from sinch_wrapper.sandbox._json import Json, encode_text
from sinch_wrapper.sandbox._region import RegionState
from sinch_wrapper.sandbox._resources.complete import channel_identity
from sinch_wrapper.sandbox._resources.contacts import create_contact
from sinch_wrapper.sandbox._resources.conversations import open_conversation
from sinch_wrapper.sandbox._store import get, serves


@dataclass(frozen=True, slots=True)
class Addressee:
    """The identities to try in turn, and in CONVERSATION mode contact and conversation."""

    identities: list[Json]
    processing_mode: str
    contact_id: str = ""
    conversation_id: str = ""

    def fields(self) -> Json:
        """Return the fields that messages, events and their callbacks have in common."""
        return {
            "channel_identity": self.identities[0],
            "contact_id": self.contact_id,
            "conversation_id": self.conversation_id,
            "processing_mode": self.processing_mode,
        }


def find_addressee(region: RegionState, app: Json, request: Json, recipient: Json) -> Addressee:
    """Return who *recipient* is for a request of *app*.

    The identities are tried in the order of `channel_priority_order`, else of the recipient; else,
    for a contact id, the active channel of the conversation comes first, then the preferences of
    the contact, then the order of the app. Only channels of the app are used.

    In DISPATCH mode nothing is stored and a contact id is refused. In CONVERSATION mode an unknown
    identity becomes a contact, and the conversation is the active one or a new one.

    Raises: Refusal 400 or 404.
    Source: Node SDK 1.5.0, SendMessageRequest (order of the channels).
    """
    mode = mode_of(app, request)
    _check_channels(app, request)
    if mode == "DISPATCH":
        if "contact_id" in recipient:
            raise invalid("recipient.contact_id", "An app in DISPATCH mode has no contacts.")
        return Addressee(_ranked(app, request, _identities(recipient)), mode)
    contact = _contact(region, recipient)
    named = _identities(recipient) or _preferred(region, app, contact)
    identities = _ranked(app, request, named)
    conversation = _conversation(region, app, contact, identities[0]["channel"], request)
    return Addressee(identities, mode, contact["id"], conversation["id"])


def mode_of(app: Json, request: Json) -> str:
    """Return the processing mode of *request*; raises Refusal 400 for what the mode excludes."""
    mode: str = app.get("processing_mode", "DISPATCH")
    if request.get("processing_strategy") != "DISPATCH_ONLY":
        return mode
    for name in ("conversation_metadata", "correlation_id"):
        if mode == "CONVERSATION" and name in request:
            raise invalid(name, "Not supported with DISPATCH_ONLY by an app in CONVERSATION mode.")
    return "DISPATCH"


def _check_channels(app: Json, request: Json) -> None:
    wanted = request.get("channel_priority_order", [])
    if not all(serves(app, channel) for channel in wanted):
        raise invalid("channel_priority_order", "The app is not configured for this channel.")


def _identities(recipient: Json) -> list[Json]:
    named = recipient.get("identified_by", {}).get("channel_identities", [])
    return [channel_identity(each) for each in named]


def _preferred(region: RegionState, app: Json, contact: Json) -> list[Json]:
    known = region.store.active_conversation(app["id"], contact["id"]) or {}
    channels = [
        known.get("active_channel", ""),
        *contact.get("channel_priority", []),
        *(each.get("channel", "") for each in app.get("channel_credentials", [])),
    ]
    place = {channel: -number for number, channel in enumerate(reversed(channels))}
    # An identity of another app, as channels have them that know a person per app, is not used.
    usable = [
        each
        for each in contact.get("channel_identities", [])
        if each.get("app_id") in {None, "", app["id"]}
    ]
    return sorted(usable, key=lambda each: place.get(each["channel"], 1))


def _ranked(app: Json, request: Json, identities: list[Json]) -> list[Json]:
    if not identities:
        raise invalid("recipient", "The recipient has no channel identity.")
    order = request.get("channel_priority_order", [])
    ranked = [each for channel in order for each in identities if each["channel"] == channel]
    if order and not ranked:
        raise invalid("channel_priority_order", "The recipient has no identity on these channels.")
    ranked = ranked or identities
    # Without any channel of the app the message fails later, at the first.
    return [each for each in ranked if serves(app, each["channel"])] or ranked[:1]


def _contact(region: RegionState, recipient: Json) -> Json:
    if "contact_id" in recipient:
        return get(region.store.contacts, recipient["contact_id"], "Contact")
    identities = _identities(recipient)
    for each in identities:
        if known := region.store.contacts_with(each["channel"], each["identity"]):
            return known[0]
    return create_contact(region, {"channel_identities": identities, "language": "UNSPECIFIED"})


def _conversation(
    region: RegionState, app: Json, contact: Json, channel: str, request: Json
) -> Json:
    fields = {"app_id": app["id"], "contact_id": contact["id"], "active_channel": channel}
    carried: Json = {}
    known = region.store.active_conversation(app["id"], contact["id"])
    if "conversation_metadata" in request:
        metadata = request["conversation_metadata"]
        if request.get("conversation_metadata_update_strategy") == "MERGE_PATCH" and known:
            metadata = known.get("metadata_json", {}) | metadata
        carried |= {"metadata_json": metadata, "metadata": encode_text(metadata)}
    if "correlation_id" in request:
        carried["correlation_id"] = request["correlation_id"]
    if known is None:
        return open_conversation(region, fields | carried)
    known.update(carried, active_channel=channel)
    return known
