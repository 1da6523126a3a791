"""Apps."""

from sinch_wrapper.sandbox._errors import Json
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import patched

_FIXED = ("id", "rate_limits", "queue_stats")
_INBOUND_RATE = 25


def _view(world: World, app: Json) -> Json:
    limits = {
        "inbound": _INBOUND_RATE,
        "outbound": int(world.settings.drain_rate),
        "webhooks": int(world.settings.callback_rate),
    }
    queue = {
        "outbound_size": world.outbox.size(app["id"]),
        "outbound_limit": world.settings.queue_limit,
    }
    return app | {"rate_limits": limits, "queue_stats": queue}


def _create(world: World, call: Call) -> Json:
    app: Json = {"id": world.new_id(), "processing_mode": "DISPATCH"} | call.body
    world.store.apps[app["id"]] = app
    return _view(world, app)


def _list(world: World, _call: Call) -> Json:
    return {"apps": [_view(world, app) for app in world.store.apps.values()]}


def _get(world: World, call: Call) -> Json:
    return _view(world, world.store.app(call.path["app_id"]))


def _update(world: World, call: Call) -> Json:
    app_id = call.path["app_id"]
    mask = call.query.get("update_mask")
    app = patched(world.store.app(app_id), call.body, mask, fixed=_FIXED)
    world.store.apps[app_id] = app
    return _view(world, app)


def _delete(world: World, call: Call) -> Json:
    store, app_id = world.store, call.path["app_id"]
    store.app(app_id)
    del store.apps[app_id]
    hooks = store.webhooks
    store.webhooks = {key: hook for key, hook in hooks.items() if hook["app_id"] != app_id}
    return {}


HANDLERS: dict[str, Handler] = {
    "App_CreateApp": _create,
    "App_ListApps": _list,
    "App_GetApp": _get,
    "App_UpdateApp": _update,
    "App_DeleteApp": _delete,
}
