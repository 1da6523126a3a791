"""From a callback to the recipient it is about, whatever its spelling and whenever it comes."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection

from sinch_wrapper.bulk._journal.job import Job
from sinch_wrapper.bulk._journal.journal import Chunk
from sinch_wrapper.bulk._journal.outcomes import Outcome, keep_early, keep_outcome, promote_early
from sinch_wrapper.bulk._metadata import CHUNK_MARK, INDEX_MARK
from sinch_wrapper.bulk._sending.requests import read_mark
from sinch_wrapper.bulk._states import ChunkState, RecipientState
from sinch_wrapper.callbacks import Event, batch_ref, delivery_report

__all__ = ["record"]

_BATCH_EVENT: Final = "batch_status_update_notification"
_PREFIX: Final = "BATCH_STATUS_"
_MOST_DIGITS: Final = 16


def record(job: Job, events: Iterable[Event]) -> int:
    """Write down what *events* say about *job*, in one transaction.

    Returns: how many of them are about it; the others are left alone.
    """
    with job.journal.write() as connection:
        return sum(_take(connection, job, event) for event in events)


def _take(connection: Connection, job: Job, event: Event) -> bool:
    if event.kind == _BATCH_EVENT:
        return _take_batch(connection, job, event.payload)
    report = delivery_report(event)
    if report is None or report.state is None:
        return False
    state = RecipientState(report.state)
    new = Outcome(state, report.reason, report.description, report.id)
    batch = batch_ref(event)
    number = _chunk_number(event.metadata.get(CHUNK_MARK), job)
    position = _position(event.metadata.get(INDEX_MARK), None if batch is None else batch.index)
    if number is None and batch is not None:
        return _take_by_batch(connection, job, batch.batch_id, position, new)
    chunk = None if number is None else job.journal.chunk(connection, number)
    if chunk is None or position is None or position >= chunk.count:
        return False
    if batch is not None:
        _prove(connection, job, chunk, batch.batch_id)
    keep_outcome(connection, chunk.id, position, new)
    return True


def _chunk_number(mark: object, job: Job) -> int | None:
    # A longer number would not fit into a column.
    is_short = isinstance(mark, str) and len(mark) <= len(job.id) + _MOST_DIGITS
    return read_mark(mark, job.id) if is_short else None


def _position(mark: object, index: int | None) -> int | None:
    if isinstance(mark, str) and len(mark) <= _MOST_DIGITS and mark.isascii() and mark.isdigit():
        return int(mark)
    return index


def _take_by_batch(
    connection: Connection, job: Job, batch_id: str, position: int | None, new: Outcome
) -> bool:
    if position is None:
        return False
    chunk = job.journal.by_batch(connection, batch_id)
    if chunk is not None:
        if position < chunk.count:
            keep_outcome(connection, chunk.id, position, new)
        return True
    # It may come before the answer to the request that made the batch.
    if not job.journal.is_waiting(connection):
        return False
    keep_early(connection, batch_id, position, new)
    return True


def _take_batch(connection: Connection, job: Job, payload: Mapping[str, object]) -> bool:
    batch_id = payload.get("batch_id")
    if not isinstance(batch_id, str) or not batch_id:
        return False
    chunk = job.journal.by_batch(connection, batch_id)
    if chunk is None:
        number = _chunk_number(_batch_metadata(payload).get(CHUNK_MARK), job)
        chunk = None if number is None else job.journal.chunk(connection, number)
    if chunk is None:
        return False
    _prove(connection, job, chunk, batch_id)
    status = payload.get("batch_status")
    if isinstance(status, str):
        job.journal.set(connection, chunk.id, batch_status=status.removeprefix(_PREFIX))
    return True


def _batch_metadata(payload: Mapping[str, object]) -> Mapping[str, object]:
    found: object = payload
    for name in ("additional_data", "message_batch_data", "batch_metadata"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _prove(connection: Connection, job: Job, chunk: Chunk, batch_id: str) -> None:
    """A callback proves that the request was accepted, even if its answer was lost."""
    open_states = {ChunkState.SENDING, ChunkState.UNKNOWN}
    if chunk.batch_id is None and chunk.state in open_states:
        job.journal.set(connection, chunk.id, batch_id=batch_id, certain=1)
        promote_early(connection, batch_id, chunk.id)
