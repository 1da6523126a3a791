"""The work of a batch: one message a recipient, each with its parameters filled in."""

import asyncio
import json
from collections.abc import Mapping

from sinch_wrapper.sandbox.delivery import Failure
from sinch_wrapper.sandbox.errors import Refusal
from sinch_wrapper.sandbox.notify import Callback
from sinch_wrapper.sandbox.resources._recipients import find_addressee
from sinch_wrapper.sandbox.resources.messages import submit
from sinch_wrapper.sandbox.shapes import Json, placeholders, substitute, timestamp
from sinch_wrapper.sandbox.store import Batch
from sinch_wrapper.sandbox.world import World

# After so many recipients other requests get their turn.
_STRIDE = 50


async def run(world: World, batch: Batch) -> None:
    """Wait until *batch* is due, hand its messages over, and announce the end."""
    wait = batch.send_after - world.settings.clock()
    if wait > 0:
        await world.settings.sleep(wait)
    if batch.status == "CANCELLED" or batch.request["app_id"] not in world.store.apps:
        return
    needed = placeholders(batch.request["message"])
    for index, row in enumerate(batch.request["recipient_and_params"]):
        _send_one(world, batch, needed, index, row)
        if index % _STRIDE == 0:
            await asyncio.sleep(0)
    batch.status = "PROCESSED"
    announce(world, batch)


def announce(world: World, batch: Batch) -> None:
    """Tell the webhooks where *batch* stands (callbacks.md 5.1)."""
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


def _send_one(world: World, batch: Batch, needed: set[str], index: int, row: Json) -> None:
    request = batch.request
    parameters = row.get("parameters", {})
    if fault := parameter_fault(needed, parameters):
        _fail(world, batch, index, row, fault)
        return
    conversation = request.get("conversation_metadata", {}) | row.get("conversation_metadata", {})
    carried = request | {"conversation_metadata": conversation | {"_batch_id": batch.id}}
    try:
        app = world.store.app(request["app_id"])
        addressee = find_addressee(world, app, carried, row["recipient"])
    except Refusal as refusal:
        _fail(world, batch, index, row, refusal.message)
        return
    metadata = request.get("message_metadata", {}) | row.get("message_metadata", {})
    text = json.dumps(metadata | {"_batch_id": batch.id}, ensure_ascii=False)
    message = substitute(request["message"], parameters)
    submit(world, carried, addressee, message, text)


def _fail(world: World, batch: Batch, index: int, row: Json, fault: str) -> None:
    description = (
        f"Validation failed after parameters substitution for batch [{batch.id}] and message at "
        f"index [{index}]. Details: [{fault}]"
    )
    place = {"batchId": batch.id, "messageIndex": index}
    world.outbox.fail(
        Failure(
            app_id=batch.request["app_id"],
            message_id=world.new_id(),
            contact_id=row["recipient"].get("contact_id", ""),
            reason={"code": "BAD_REQUEST", "description": description},
            message_metadata=json.dumps(place, separators=(",", ":")),
            correlation_id=batch.request.get("correlation_id", ""),
            callback_url=batch.request.get("callback_url", ""),
        )
    )
