"""Apps: their queues and limits are shown with them; their webhooks are deleted with them."""

from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.complete import APP, complete, credentials
from sinch_wrapper.sandbox._resources.fields import patched

_FIXED = ("id", "rate_limits", "queue_stats")
_INBOUND_RATE = 25
# Seconds until the channel of new credentials works.
_PENDING = 1


def _view(region: RegionState, app: Json) -> Json:
    limits = {
        "inbound": _INBOUND_RATE,
        "outbound": int(region.settings.drain_rate),
        "webhooks": int(region.settings.callback_rate),
    }
    queue = {
        "outbound_size": region.outbox.size(app["id"]),
        "outbound_limit": region.settings.queue_limit,
    }
    ready = region.clock() >= region.store.credentials_ready.get(app["id"], 0)
    channels = [
        credentials(each, "ACTIVE" if ready else "PENDING") for each in app["channel_credentials"]
    ]
    view = complete(app, APP) | {"channel_credentials": channels}
    return view | {"rate_limits": limits, "queue_stats": queue}


def _create(region: RegionState, call: OperationCall) -> Json:
    app: Json = {"id": region.new_id()} | call.body
    _keep(region, app)
    return _view(region, app)


def _keep(region: RegionState, app: Json) -> None:
    old = region.store.apps.get(app["id"], {})
    app.setdefault("channel_credentials", [])
    if app["channel_credentials"] != old.get("channel_credentials"):
        region.store.credentials_ready[app["id"]] = region.clock() + _PENDING
    region.store.apps[app["id"]] = app


def _list(region: RegionState, _call: OperationCall) -> Json:
    return {"apps": [_view(region, app) for app in region.store.apps.values()]}


def _get(region: RegionState, call: OperationCall) -> Json:
    return _view(region, region.store.app(call.path["app_id"]))


def _update(region: RegionState, call: OperationCall) -> Json:
    app_id = call.path["app_id"]
    mask = call.query.get("update_mask")
    app = patched(region.store.app(app_id), call.body, mask, fixed=_FIXED)
    _keep(region, app)
    return _view(region, app)


def _delete(region: RegionState, call: OperationCall) -> Json:
    store, app_id = region.store, call.path["app_id"]
    store.app(app_id)
    del store.apps[app_id]
    hooks = store.webhooks
    store.webhooks = {key: hook for key, hook in hooks.items() if hook["app_id"] != app_id}
    return {}


HANDLERS: dict[str, OperationHandler] = {
    "App_CreateApp": _create,
    "App_ListApps": _list,
    "App_GetApp": _get,
    "App_UpdateApp": _update,
    "App_DeleteApp": _delete,
}
