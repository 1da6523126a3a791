"""Webhooks: where the callbacks of an app go; their targets are checked."""

import re
from urllib.parse import urlsplit

from sinch_wrapper.sandbox._documents import document
from sinch_wrapper.sandbox._errors import invalid
from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.complete import WEBHOOK, complete
from sinch_wrapper.sandbox._resources.fields import app_of, patched
from sinch_wrapper.sandbox._store import get

_MAX_PER_APP = 5
_NO_TRIGGER = "UNSPECIFIED_TRIGGER"
_MAX_TARGET = 742
_FORBIDDEN = re.compile(r"conversation-api\..*\.?sinch\.com")


def all_triggers() -> list[str]:
    """Return the triggers that a webhook may have."""
    known = document("conversation")["components"]["schemas"]["WebhookTrigger"]["enum"]
    return [each for each in known if each != _NO_TRIGGER]


def _of_app(region: RegionState, app_id: str) -> list[Json]:
    return [hook for hook in region.store.webhooks.values() if hook["app_id"] == app_id]


def _check(region: RegionState, webhook: Json) -> None:
    app_id = app_of(region.store, webhook.get("app_id", ""))["id"]
    others = [hook for hook in _of_app(region, app_id) if hook["id"] != webhook["id"]]
    if len(others) >= _MAX_PER_APP:
        raise invalid("app_id", f"An app has at most {_MAX_PER_APP} webhooks.")
    target = webhook.get("target", "")
    if len(target) > _MAX_TARGET or not _is_http(target):
        raise invalid("target", f"Must be an HTTP URL of at most {_MAX_TARGET} characters.")
    if _FORBIDDEN.fullmatch(urlsplit(target).hostname or ""):
        raise invalid("target", "Must not be a host of the API itself.")
    if _NO_TRIGGER in webhook.get("triggers", []):
        raise invalid("triggers", "Must name a trigger.")
    if target in (hook["target"] for hook in others):
        raise invalid("target", "The app already has a webhook with this target.")


def _is_http(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _create(region: RegionState, call: OperationCall) -> Json:
    webhook = complete(call.body | {"id": region.new_id()}, WEBHOOK)
    _check(region, webhook)
    region.store.webhooks[webhook["id"]] = webhook
    return webhook


def _list(region: RegionState, call: OperationCall) -> Json:
    region.store.app(call.path["app_id"])
    return {"webhooks": _of_app(region, call.path["app_id"])}


def _get(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.webhooks, call.path["webhook_id"], "Webhook")


def _update(region: RegionState, call: OperationCall) -> Json:
    mask = call.query.get("update_mask")
    webhook = complete(patched(_get(region, call), call.body, mask, fixed=("id",)), WEBHOOK)
    _check(region, webhook)
    region.store.webhooks[webhook["id"]] = webhook
    return webhook


def _delete(region: RegionState, call: OperationCall) -> Json:
    del region.store.webhooks[_get(region, call)["id"]]
    return {}


HANDLERS: dict[str, OperationHandler] = {
    "Webhooks_CreateWebhook": _create,
    "Webhooks_ListWebhooks": _list,
    "Webhooks_GetWebhook": _get,
    "Webhooks_UpdateWebhook": _update,
    "Webhooks_DeleteWebhook": _delete,
}
