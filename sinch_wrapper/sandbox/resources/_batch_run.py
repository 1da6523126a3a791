"""The work of a batch: one message a recipient, each with its parameters filled in."""

import asyncio
from collections.abc import Mapping

from sinch_wrapper.sandbox.codec import encode_text
from sinch_wrapper.sandbox.delivery import Failure
from sinch_wrapper.sandbox.errors import Refusal
from sinch_wrapper.sandbox.ledger import Entry
from sinch_wrapper.sandbox.notify import Callback
from sinch_wrapper.sandbox.resources._recipients import find_addressee, mode_of
from sinch_wrapper.sandbox.resources.messages import submit
from sinch_wrapper.sandbox.shapes import Json, placeholders, substitute, timestamp
from sinch_wrapper.sandbox.store import Batch
from sinch_wrapper.sandbox.world import World

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
