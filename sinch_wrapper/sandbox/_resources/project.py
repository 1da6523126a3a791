"""Project settings, and the look-ups that need no memory."""

from sinch_wrapper.sandbox._errors import Json, encode_text, invalid, not_found
from sinch_wrapper.sandbox._outbox import UNREACHABLE_SUFFIX
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import app_of
from sinch_wrapper.sandbox._store import get
from sinch_wrapper.sandbox._webhook_delivery import Callback


def _stored(world: World) -> Json:
    if world.store.project_settings is None:
        raise not_found("Project settings")
    return world.store.project_settings


def _view(world: World) -> Json:
    return {"project_id": world.settings.project_id, "settings": _stored(world)}


def _get(world: World, _call: Call) -> Json:
    return _view(world)


def _create(world: World, call: Call) -> Json:
    if world.store.project_settings is not None:
        raise invalid("settings", "The project has settings already.")
    world.store.project_settings = call.body
    return _view(world)


def _update(world: World, call: Call) -> Json:
    world.store.project_settings = _stored(world) | call.body
    return _view(world)


def _delete(world: World, _call: Call) -> Json:
    _stored(world)
    world.store.project_settings = None
    return {}


def _capability(world: World, call: Call) -> Json:
    app = app_of(world.store, call.body["app_id"])
    request: Json = {"request_id": world.new_id()} | call.body
    contact_id, identities = _reachable(world, call.body["recipient"])
    for each in identities:
        payload = {
            "request_id": request["request_id"],
            "contact_id": contact_id,
            "channel": each["channel"],
            "identity": each["identity"],
            "capability_status": "CAPABILITY_FULL",
        }
        world.notifier.emit(
            Callback("CAPABILITY", "capability_notification", payload, app_id=app["id"])
        )
    return request


def _reachable(world: World, recipient: Json) -> tuple[str, list[Json]]:
    """Return the contact id and the identities of *recipient* that can be reached."""
    contact_id: str = recipient.get("contact_id", "")
    if "contact_id" in recipient:
        contact = get(world.store.contacts, contact_id, "Contact")
        identities = contact.get("channel_identities", [])
    else:
        identities = recipient["identified_by"]["channel_identities"]
    return contact_id, [
        each for each in identities if not each["identity"].endswith(UNREACHABLE_SUFFIX)
    ]


def _profile(world: World, call: Call) -> Json:
    app_of(world.store, call.body["app_id"])
    channel = call.body["channel"]
    _, identities = _reachable(world, call.body["recipient"])
    for each in identities:
        if each["channel"] == channel:
            holders = world.store.holders(channel, each["identity"])
            names = [holder["display_name"] for holder in holders if "display_name" in holder]
            return {"profile_name": names[0] if names else "Sandbox profile"}
    raise not_found("Profile")


def _transcode(world: World, call: Call) -> Json:
    app_of(world.store, call.body["app_id"])
    text = encode_text(call.body["app_message"])
    return {"transcoded_message": dict.fromkeys(call.body["channels"], text)}


HANDLERS: dict[str, Handler] = {
    "ProjectSettings_GetSettings": _get,
    "ProjectSettings_CreateSettings": _create,
    "ProjectSettings_UpdateSettings": _update,
    "ProjectSettings_DeleteSettings": _delete,
    "Capability_QueryCapability": _capability,
    "Contact_GetChannelProfile": _profile,
    "Transcoding_TranscodeMessage": _transcode,
}
