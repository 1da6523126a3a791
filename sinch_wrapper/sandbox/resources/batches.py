"""Batches of messages: accepting, scheduling, cancelling and looking up."""

import math

from sinch_wrapper.sandbox.errors import Refusal, invalid
from sinch_wrapper.sandbox.ledger import Order
from sinch_wrapper.sandbox.resources._batch_run import announce, run
from sinch_wrapper.sandbox.resources._fields import app_of, moment
from sinch_wrapper.sandbox.resources._recipients import mode_of
from sinch_wrapper.sandbox.shapes import Json, timestamp
from sinch_wrapper.sandbox.store import Batch, get
from sinch_wrapper.sandbox.world import Call, Handler, World

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
