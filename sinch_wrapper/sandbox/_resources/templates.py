"""Templates and their translations."""

from sinch_wrapper.sandbox._errors import Json, Refusal, invalid
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._store import get

_LATEST = "latest"


def _dated(world: World, translation: Json) -> Json:
    now = world.now()
    return {"version": "1", "create_time": now} | translation | {"update_time": now}


def _checked(world: World, template: Json) -> Json:
    translations = [_dated(world, each) for each in template.get("translations", [])]
    languages = [each["language_code"] for each in translations]
    if template.get("default_translation") not in languages:
        raise invalid("default_translation", "Must be the language of one of the translations.")
    return template | {"translations": translations, "update_time": world.now()}


def _create(world: World, call: Call) -> Json:
    template = {"version": 1, "create_time": world.now()} | call.body
    template.setdefault("id", world.new_id())
    if template["id"] in world.store.templates:
        raise Refusal(409, "There is a template with this id already")
    template = _checked(world, template)
    world.store.templates[template["id"]] = template
    return template


def _list(world: World, _call: Call) -> Json:
    return {"templates": list(world.store.templates.values())}


def _get(world: World, call: Call) -> Json:
    return get(world.store.templates, call.path["template_id"], "Template")


def _update(world: World, call: Call) -> Json:
    old = _get(world, call)
    if call.body["version"] != old["version"]:
        raise Refusal(409, "The template was changed since: read it again")
    fixed = {"id": old["id"], "version": old["version"] + 1, "create_time": old["create_time"]}
    template = _checked(world, call.body | fixed)
    world.store.templates[old["id"]] = template
    return template


def _delete(world: World, call: Call) -> Json:
    del world.store.templates[_get(world, call)["id"]]
    return {}


def _translations(world: World, call: Call) -> Json:
    language = call.query.get("language_code")
    version = call.query.get("translation_version")
    found = [
        each
        for each in _get(world, call)["translations"]
        if language in (None, each["language_code"]) and version in (None, _LATEST, each["version"])
    ]
    return {"translations": found}


HANDLERS: dict[str, Handler] = {
    "Templates_v2_CreateTemplate": _create,
    "Templates_v2_ListTemplates": _list,
    "Templates_v2_GetTemplate": _get,
    "Templates_v2_UpdateTemplate": _update,
    "Templates_v2_DeleteTemplate": _delete,
    "Templates_v2_ListTranslations": _translations,
}
