"""Batches of messages: accepting, scheduling, cancelling and looking up."""

import asyncio
import math
from collections.abc import Mapping

from sinch_wrapper.sandbox._errors import (
    Json,
    Refusal,
    encode_text,
    invalid,
    placeholders,
    substitute,
    timestamp,
)
from sinch_wrapper.sandbox._outbox import Failure
from sinch_wrapper.sandbox._region import Call, Handler, World
from sinch_wrapper.sandbox._resources.fields import app_of, moment
from sinch_wrapper.sandbox._resources.messages import submit
from sinch_wrapper.sandbox._resources.recipients import find_addressee, mode_of
from sinch_wrapper.sandbox._store import Batch, Entry, Order, get
from sinch_wrapper.sandbox._webhook_delivery import Callback

# After so many recipients other requests get their turn.
_STRIDE = 50
_MAX_METADATA = 1024


async def run(world: World, batch: Batch) -> None:
    """Wait until *batch* is due, hand its messages over, and announce the end."""
    reserved = batch.status == "READY"
    app_id = batch.request["app_id"]
    await world.clock.sleep_until(batch.send_after)
    if batch.status == "CANCELLED" or app_id not in world.store.apps:
        return
    needed = placeholders(batch.request["message"])
    rows = batch.request["recipient_and_params"]
    for entry, row in zip(batch.entries, rows, strict=True):
        if reserved:
            world.outbox.reserve(app_id, -1)
        _send_one(world, batch, needed, entry, row)
        if entry.index % _STRIDE == 0:
            await asyncio.sleep(0)
    batch.finish("PROCESSED")
    announce(world, batch)


def announce(world: World, batch: Batch) -> None:
    """Tell the webhooks where *batch* stands."""
    data = {
        "send_after": timestamp(batch.send_after),
        "batch_metadata": batch.request.get("batch_metadata", {}),
    }
    payload = {
        "batch_id": batch.id,
        "batch_status": f"BATCH_STATUS_{batch.status}",
        "batch_type": "BATCH_TYPE_MESSAGES",
        "additional_data": {"message_batch_data": data},
    }
    key = "batch_status_update_notification"
    app_id = batch.request["app_id"]
    world.notifier.emit(Callback("BATCH_STATUS_UPDATE", key, payload, app_id=app_id))


def parameter_fault(needed: set[str], parameters: Mapping[str, str]) -> str:
    """Say what is wrong with the parameters of one recipient, or nothing."""
    if any(not key.strip() or not value for key, value in parameters.items()):
        return "Parameter key cannot be blank and value cannot be empty."
    if missing := sorted(needed - parameters.keys()):
        return f"Parameters without a value: {', '.join(missing)}."
    return ""


def _send_one(world: World, batch: Batch, needed: set[str], entry: Entry, row: Json) -> None:
    request = batch.request
    parameters = row.get("parameters", {})
    if fault := parameter_fault(needed, parameters):
        _fail(world, batch, entry, row, fault)
        return
    metadata = request.get("message_metadata", {}) | row.get("message_metadata", {})
    text = encode_text(metadata | {"_batch_id": batch.id})
    if len(text) > _MAX_METADATA:
        fault = f"Message metadata is longer than {_MAX_METADATA} characters."
        _fail(world, batch, entry, row, fault)
        return
    try:
        app = world.store.app(request["app_id"])
        carried = _carried(app, batch, row)
        addressee = find_addressee(world, app, carried, row["recipient"])
    except Refusal as refusal:
        _fail(world, batch, entry, row, _fault_of(refusal))
        return
    message = substitute(request["message"], parameters)
    submit(world, carried, addressee, message, text, entry, batch.send_after)


def _carried(app: Json, batch: Batch, row: Json) -> Json:
    request = batch.request
    if mode_of(app, request) == "DISPATCH":
        return request
    own = request.get("conversation_metadata", {}) | row.get("conversation_metadata", {})
    return request | {"conversation_metadata": own | {"_batch_id": batch.id}}


def _fault_of(refusal: Refusal) -> str:
    for detail in refusal.details:
        for violation in detail.get("field_violations", []):
            return str(violation["description"])
    return refusal.message


def _fail(world: World, batch: Batch, entry: Entry, row: Json, fault: str) -> None:
    description = (
        f"Validation failed after parameters substitution for batch [{batch.id}] and message at "
        f"index [{entry.index}]. Details: [{fault}]"
    )
    place = {"batchId": batch.id, "messageIndex": entry.index}
    world.outbox.fail(
        Failure(
            entry,
            message_id=world.new_id(),
            contact_id=row["recipient"].get("contact_id", ""),
            reason={"code": "BAD_REQUEST", "description": description},
            message_metadata=encode_text(place),
            correlation_id=batch.request.get("correlation_id", ""),
            callback_url=batch.request.get("callback_url", ""),
        )
    )


_ABSENT = object()
_MINUTE = 60
_MARK = 5 * _MINUTE
_HORIZON = 7 * 24 * 60 * _MINUTE
_BETA_REGIONS = ("us", "eu")


def effective_time(wanted: float | None, now: float) -> float:
    """Return when a batch runs, in Unix seconds.

    More than a minute ahead is rounded up to the next five-minute mark, nearer means now.
    Raises: Refusal 400 when it is in the past, or more than seven days ahead.
    Source: Sinch documentation, Batch API (scheduling).
    """
    if wanted is None:
        return now
    if wanted < now - _MINUTE:
        raise invalid("send_after", "Must not be in the past.")
    if wanted > now + _HORIZON:
        raise invalid("send_after", "Must be at most seven days ahead.")
    if wanted <= now + _MINUTE:
        return now
    return math.ceil(wanted / _MARK) * _MARK


def _send(world: World, call: Call, operation: str = "Batch_SendBatch") -> Json:
    request, now = call.body, world.clock()
    app, rows = app_of(world.store, request["app_id"]), request["recipient_and_params"]
    mode_of(app, request)
    due = effective_time(moment(request, "send_after"), now)
    world.outbox.require_room(app["id"], len(rows))
    batch_id, metadata = world.new_id(), request.get("batch_metadata", {})
    order = Order(operation, world.region, app["id"], now, batch_id, metadata)
    entries = world.ledger.accept(order, (row["recipient"] for row in rows))
    batch = Batch(batch_id, request, "SCHEDULED" if due > now else "READY", due, entries)
    world.store.batches[batch.id] = batch
    if batch.status == "SCHEDULED":
        announce(world, batch)
    else:
        world.outbox.reserve(app["id"], len(rows))
    world.tasks.spawn(run(world, batch))
    return {"batch_id": batch.id, "send_after": timestamp(due)}


def _send_beta(world: World, call: Call) -> Json:
    if world.region not in _BETA_REGIONS:
        raise Refusal(404, "There is no such path in this region")
    return _send(world, call, "Batch_SendBatchV1Beta")


def _cancel(world: World, call: Call) -> Json:
    body = call.body
    batch_id = body.get("batch_id")
    if isinstance(batch_id, str):
        found = world.store.batches.get(batch_id)
        batches = [found] if found else []
    elif "metadataKey" in body and "metadataValue" in body:
        batches = _by_metadata(world, body["metadataKey"], body["metadataValue"])
    else:
        raise invalid("batch_id", "Give batch_id, or metadataKey and metadataValue.")
    now = world.clock()
    for batch in batches:
        # A failed cancellation is not reported: the answer is 200 all the same.
        if batch.status == "SCHEDULED" and batch.send_after > now:
            _withdraw(world, batch)
    return {}


def _withdraw(world: World, batch: Batch) -> None:
    for entry in batch.entries:
        entry.outcome = "CANCELLED"
    batch.finish("CANCELLED")
    announce(world, batch)


def _by_metadata(world: World, key: object, value: object) -> list[Batch]:
    return [
        batch
        for batch in world.store.batches.values()
        if batch.request.get("batch_metadata", {}).get(str(key), _ABSENT) == value
    ]


def _view(batch: Batch) -> Json:
    return batch.view(timestamp(batch.send_after))


def _list(world: World, call: Call) -> list[Json]:
    key, value = call.query["metadataKey"], call.query["metadataValue"]
    return [_view(batch) for batch in _by_metadata(world, key, value)]


def _get(world: World, call: Call) -> Json:
    return _view(get(world.store.batches, call.path["batch_id"], "Batch"))


HANDLERS: dict[str, Handler] = {
    "Batch_SendBatch": _send,
    "Batch_SendBatchV1Beta": _send_beta,
    "Batch_CancelBatch": _cancel,
    "Batch_GetBatchStatusesByMetadata": _list,
    "Batch_GetBatchStatus": _get,
}
