"""Project settings, and the look-ups that need no memory."""

import json

from sinch_wrapper.sandbox.errors import Refusal, not_found
from sinch_wrapper.sandbox.resources._fields import app_of
from sinch_wrapper.sandbox.shapes import Json
from sinch_wrapper.sandbox.world import Call, Handler, World


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
        raise Refusal(409, "The project has settings already")
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
    app_of(world.store, call.body["app_id"])
    request: Json = call.body
    return {"request_id": world.new_id()} | request


def _profile(world: World, call: Call) -> Json:
    app_of(world.store, call.body["app_id"])
    return {"profile_name": "Sandbox profile"}


def _transcode(world: World, call: Call) -> Json:
    app_of(world.store, call.body["app_id"])
    text = json.dumps(call.body["app_message"], ensure_ascii=False)
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
