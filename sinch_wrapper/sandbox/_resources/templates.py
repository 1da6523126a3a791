"""Templates and their translations."""

from sinch_wrapper.sandbox._errors import Refusal, invalid
from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.complete import TRANSLATION, complete
from sinch_wrapper.sandbox._store import get

_LATEST = "latest"


def _dated(region: RegionState, translation: Json) -> Json:
    now = region.now()
    return {"create_time": now} | complete(translation, TRANSLATION) | {"update_time": now}


def _checked(region: RegionState, template: Json) -> Json:
    translations = [_dated(region, each) for each in template.get("translations", [])]
    languages = [each["language_code"] for each in translations]
    if _LATEST in (each["version"] for each in translations):
        raise invalid("translations", "The version latest is a copy that only responses have.")
    if template.get("default_translation") not in languages:
        raise invalid("default_translation", "Must be the language of one of the translations.")
    return template | {"translations": translations, "update_time": region.now()}


def _create(region: RegionState, call: OperationCall) -> Json:
    template = {"version": 1, "create_time": region.now()} | call.body
    template.setdefault("id", region.new_id())
    if template["id"] in region.store.templates:
        raise Refusal(409, "A template with this id already exists")
    template = _checked(region, template)
    region.store.templates[template["id"]] = template
    return template


def _list(region: RegionState, _call: OperationCall) -> Json:
    return {"templates": [_with_latest(each) for each in region.store.templates.values()]}


def _with_latest(template: Json) -> Json:
    # As often as any other: asserted by the end-to-end steps of the Node SDK 1.5.0.
    latest = [each | {"version": _LATEST} for each in template["translations"]]
    return template | {"translations": [*template["translations"], *latest]}


def _get(region: RegionState, call: OperationCall) -> Json:
    return _with_latest(_stored(region, call))


def _stored(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.templates, call.path["template_id"], "Template")


def _update(region: RegionState, call: OperationCall) -> Json:
    old = _stored(region, call)
    if call.body["version"] != old["version"]:
        raise Refusal(409, "The template has changed since: read it again")
    fixed = {"id": old["id"], "version": old["version"] + 1, "create_time": old["create_time"]}
    template = _checked(region, call.body | fixed)
    region.store.templates[old["id"]] = template
    return template


def _delete(region: RegionState, call: OperationCall) -> Json:
    del region.store.templates[_get(region, call)["id"]]
    return {}


def _translations(region: RegionState, call: OperationCall) -> Json:
    language = call.query.get("language_code")
    version = call.query.get("translation_version")
    found = [
        each
        for each in _stored(region, call)["translations"]
        if language in (None, each["language_code"]) and version in (None, _LATEST, each["version"])
    ]
    return {"translations": found}


HANDLERS: dict[str, OperationHandler] = {
    "Templates_v2_CreateTemplate": _create,
    "Templates_v2_ListTemplates": _list,
    "Templates_v2_GetTemplate": _get,
    "Templates_v2_UpdateTemplate": _update,
    "Templates_v2_DeleteTemplate": _delete,
    "Templates_v2_ListTranslations": _translations,
}
