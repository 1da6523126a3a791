"""Project settings, and the look-ups that store nothing."""

from sinch_wrapper.sandbox._errors import invalid, not_found
from sinch_wrapper.sandbox._json import Json, encode_text
from sinch_wrapper.sandbox._outbox import UNREACHABLE_SUFFIX
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.fields import app_of
from sinch_wrapper.sandbox._store import get
from sinch_wrapper.sandbox._webhook_delivery import Callback


def _stored(region: RegionState) -> Json:
    if region.store.project_settings is None:
        raise not_found("Project settings")
    return region.store.project_settings


def _view(region: RegionState) -> Json:
    return {"project_id": region.settings.project_id, "settings": _stored(region)}


def _get(region: RegionState, _call: OperationCall) -> Json:
    return _view(region)


def _create(region: RegionState, call: OperationCall) -> Json:
    if region.store.project_settings is not None:
        raise invalid("settings", "The project already has settings.")
    region.store.project_settings = call.body
    return _view(region)


def _update(region: RegionState, call: OperationCall) -> Json:
    region.store.project_settings = _stored(region) | call.body
    return _view(region)


def _delete(region: RegionState, _call: OperationCall) -> Json:
    _stored(region)
    region.store.project_settings = None
    return {}


def _capability(region: RegionState, call: OperationCall) -> Json:
    app = app_of(region.store, call.body["app_id"])
    request: Json = {"request_id": region.new_id()} | call.body
    contact_id, identities = _reachable(region, call.body["recipient"])
    for each in identities:
        payload = {
            "request_id": request["request_id"],
            "contact_id": contact_id,
            "channel": each["channel"],
            "identity": each["identity"],
            "capability_status": "CAPABILITY_FULL",
        }
        region.callbacks.emit(
            Callback("CAPABILITY", "capability_notification", payload, app_id=app["id"])
        )
    return request


def _reachable(region: RegionState, recipient: Json) -> tuple[str, list[Json]]:
    """Return the contact id and the identities of *recipient* that can be reached."""
    contact_id: str = recipient.get("contact_id", "")
    if "contact_id" in recipient:
        contact = get(region.store.contacts, contact_id, "Contact")
        identities = contact.get("channel_identities", [])
    else:
        identities = recipient["identified_by"]["channel_identities"]
    return contact_id, [
        each for each in identities if not each["identity"].endswith(UNREACHABLE_SUFFIX)
    ]


def _profile(region: RegionState, call: OperationCall) -> Json:
    app_of(region.store, call.body["app_id"])
    channel = call.body["channel"]
    _, identities = _reachable(region, call.body["recipient"])
    for each in identities:
        if each["channel"] == channel:
            contacts = region.store.contacts_with(channel, each["identity"])
            names = [each["display_name"] for each in contacts if "display_name" in each]
            return {"profile_name": names[0] if names else "Sandbox profile"}
    raise not_found("Profile")


def _transcode(region: RegionState, call: OperationCall) -> Json:
    app_of(region.store, call.body["app_id"])
    text = encode_text(call.body["app_message"])
    return {"transcoded_message": dict.fromkeys(call.body["channels"], text)}


HANDLERS: dict[str, OperationHandler] = {
    "ProjectSettings_GetSettings": _get,
    "ProjectSettings_CreateSettings": _create,
    "ProjectSettings_UpdateSettings": _update,
    "ProjectSettings_DeleteSettings": _delete,
    "Capability_QueryCapability": _capability,
    "Contact_GetChannelProfile": _profile,
    "Transcoding_TranscodeMessage": _transcode,
}
