"""Batches of messages: accepting, scheduling, cancelling and looking up."""

import asyncio
import math
from collections.abc import Mapping

from sinch_wrapper.sandbox._errors import Refusal, invalid
from sinch_wrapper.sandbox._json import Json, encode_text, timestamp
from sinch_wrapper.sandbox._ledger import LedgerEntry, LedgerRequest
from sinch_wrapper.sandbox._outbox import FailedMessage
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._rendering import placeholders, substitute
from sinch_wrapper.sandbox._resources.fields import app_of, moment
from sinch_wrapper.sandbox._resources.messages import submit
from sinch_wrapper.sandbox._resources.recipients import find_addressee, mode_of
from sinch_wrapper.sandbox._store import StoredBatch, get
from sinch_wrapper.sandbox._webhook_delivery import Callback

# Other requests get their turn after this many recipients.
_STRIDE = 50
_MAX_METADATA = 1024
_ABSENT = object()
_MINUTE = 60
_MARK = 5 * _MINUTE
_HORIZON = 7 * 24 * 60 * _MINUTE
_BETA_REGIONS = ("us", "eu")


async def run(region: RegionState, batch: StoredBatch) -> None:
    """Wait until *batch* is due, queue its messages, and announce the end."""
    reserved = batch.status == "READY"
    app_id = batch.request["app_id"]
    await region.clock.sleep_until(batch.send_after)
    if batch.status == "CANCELLED" or app_id not in region.store.apps:
        return
    needed = placeholders(batch.request["message"])
    rows = batch.request["recipient_and_params"]
    for entry, row in zip(batch.entries, rows, strict=True):
        if reserved:
            region.outbox.reserve(app_id, -1)
        _send_one(region, batch, needed, entry, row)
        if entry.index % _STRIDE == 0:
            await asyncio.sleep(0)
    batch.finish("PROCESSED")
    announce(region, batch)


def announce(region: RegionState, batch: StoredBatch) -> None:
    """Send the status of *batch* to the webhooks."""
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
    region.callbacks.emit(Callback("BATCH_STATUS_UPDATE", key, payload, app_id=app_id))


def parameter_fault(needed: set[str], parameters: Mapping[str, str]) -> str:
    """Say what is wrong with the parameters of one recipient; empty when they are fine."""
    if any(not key.strip() or not value for key, value in parameters.items()):
        return "Parameter key cannot be blank and value cannot be empty."
    if missing := sorted(needed - parameters.keys()):
        return f"Parameters without a value: {', '.join(missing)}."
    return ""


def _send_one(
    region: RegionState, batch: StoredBatch, needed: set[str], entry: LedgerEntry, row: Json
) -> None:
    request = batch.request
    parameters = row.get("parameters", {})
    if fault := parameter_fault(needed, parameters):
        _fail(region, batch, entry, row, fault)
        return
    metadata = request.get("message_metadata", {}) | row.get("message_metadata", {})
    text = encode_text(metadata | {"_batch_id": batch.id})
    if len(text) > _MAX_METADATA:
        fault = f"Message metadata is longer than {_MAX_METADATA} characters."
        _fail(region, batch, entry, row, fault)
        return
    try:
        app = region.store.app(request["app_id"])
        carried = _carried(app, batch, row)
        addressee = find_addressee(region, app, carried, row["recipient"])
    except Refusal as refusal:
        _fail(region, batch, entry, row, _fault_of(refusal))
        return
    message = substitute(request["message"], parameters)
    submit(region, carried, addressee, message, text, entry, batch.send_after)


def _carried(app: Json, batch: StoredBatch, row: Json) -> Json:
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


def _fail(
    region: RegionState, batch: StoredBatch, entry: LedgerEntry, row: Json, fault: str
) -> None:
    description = (
        f"Validation failed after parameters substitution for batch [{batch.id}] and message at "
        f"index [{entry.index}]. Details: [{fault}]"
    )
    place = {"batchId": batch.id, "messageIndex": entry.index}
    region.outbox.fail(
        FailedMessage(
            entry,
            message_id=region.new_id(),
            contact_id=row["recipient"].get("contact_id", ""),
            reason={"code": "BAD_REQUEST", "description": description},
            message_metadata=encode_text(place),
            correlation_id=batch.request.get("correlation_id", ""),
            callback_url=batch.request.get("callback_url", ""),
        )
    )


def effective_time(wanted: float | None, now: float) -> float:
    """Return when a batch runs, in Unix seconds.

    A time more than a minute ahead is rounded up to the next five-minute mark; a nearer one means
    now.

    Raises: Refusal 400 for a time in the past, or more than seven days ahead.
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


def _send(region: RegionState, call: OperationCall, operation: str = "Batch_SendBatch") -> Json:
    request, now = call.body, region.clock()
    app, rows = app_of(region.store, request["app_id"]), request["recipient_and_params"]
    mode_of(app, request)
    due = effective_time(moment(request, "send_after"), now)
    region.outbox.require_room(app["id"], len(rows))
    batch_id, metadata = region.new_id(), request.get("batch_metadata", {})
    accepted = LedgerRequest(operation, region.name, app["id"], now, batch_id, metadata)
    entries = region.ledger.accept(accepted, (row["recipient"] for row in rows))
    batch = StoredBatch(batch_id, request, "SCHEDULED" if due > now else "READY", due, entries)
    region.store.batches[batch.id] = batch
    if batch.status == "SCHEDULED":
        announce(region, batch)
    else:
        region.outbox.reserve(app["id"], len(rows))
    region.tasks.spawn(run(region, batch))
    return {"batch_id": batch.id, "send_after": timestamp(due)}


def _send_beta(region: RegionState, call: OperationCall) -> Json:
    if region.name not in _BETA_REGIONS:
        raise Refusal(404, "This path does not exist in this region")
    return _send(region, call, "Batch_SendBatchV1Beta")


def _cancel(region: RegionState, call: OperationCall) -> Json:
    body = call.body
    batch_id = body.get("batch_id")
    if isinstance(batch_id, str):
        found = region.store.batches.get(batch_id)
        batches = [found] if found else []
    elif "metadataKey" in body and "metadataValue" in body:
        batches = _by_metadata(region, body["metadataKey"], body["metadataValue"])
    else:
        raise invalid("batch_id", "Give batch_id, or metadataKey and metadataValue.")
    now = region.clock()
    for batch in batches:
        # A failed cancellation is not reported: the response is 200 anyway.
        if batch.status == "SCHEDULED" and batch.send_after > now:
            _withdraw(region, batch)
    return {}


def _withdraw(region: RegionState, batch: StoredBatch) -> None:
    for entry in batch.entries:
        entry.outcome = "CANCELLED"
    batch.finish("CANCELLED")
    announce(region, batch)


def _by_metadata(region: RegionState, key: object, value: object) -> list[StoredBatch]:
    return [
        batch
        for batch in region.store.batches.values()
        if batch.request.get("batch_metadata", {}).get(str(key), _ABSENT) == value
    ]


def _list(region: RegionState, call: OperationCall) -> list[Json]:
    key, value = call.query["metadataKey"], call.query["metadataValue"]
    return [batch.view() for batch in _by_metadata(region, key, value)]


def _get(region: RegionState, call: OperationCall) -> Json:
    return get(region.store.batches, call.path["batch_id"], "Batch").view()


HANDLERS: dict[str, OperationHandler] = {
    "Batch_SendBatch": _send,
    "Batch_SendBatchV1Beta": _send_beta,
    "Batch_CancelBatch": _cancel,
    "Batch_GetBatchStatusesByMetadata": _list,
    "Batch_GetBatchStatus": _get,
}
