"""Recipients one by one, and counted: what the input, the requests and the callbacks say."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from sqlalchemy import func, select

from sinch_wrapper.bulk._journal.blobs import unpack_places
from sinch_wrapper.bulk._journal.job import Job
from sinch_wrapper.bulk._journal.journal import Chunk
from sinch_wrapper.bulk._journal.outcomes import Outcome
from sinch_wrapper.bulk._journal.tables import chunks, outcomes, skipped
from sinch_wrapper.bulk._results.violations import Fault, read_faults
from sinch_wrapper.bulk._states import ChunkState, RecipientState

__all__ = ["RecipientResult", "count_recipients", "stream"]

_BY_CHUNK: Final = {
    ChunkState.PLANNED: RecipientState.PENDING,
    ChunkState.SENDING: RecipientState.UNKNOWN,
    ChunkState.UNKNOWN: RecipientState.UNKNOWN,
    ChunkState.ACCEPTED: RecipientState.ACCEPTED,
    ChunkState.REJECTED: RecipientState.REJECTED,
}
_MANY: Final = 1000


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """Where one recipient stands.

    *key* is the caller's own, else the line. *reason* is a code or a short text, *detail* the
    server's own words, *column* what they are about. *chunk* and *position* say which request
    held it; *chunk* is None for rows that were left out.
    """

    key: str = field(repr=False)
    line: int
    state: RecipientState
    reason: str = field(default="", repr=False)
    detail: str = field(default="", repr=False)
    column: str = ""
    batch_id: str = ""
    message_id: str = ""
    chunk: int | None = None
    position: int | None = None


def stream(job: Job, wanted: frozenset[RecipientState]) -> Iterator[RecipientResult]:
    """The recipients of *job* that are in a *wanted* state."""
    last = -1
    while found := job.journal.after(last):
        for chunk in found:
            last = chunk.id
            for result in _of_chunk(job, chunk):
                if result.state in wanted:
                    yield result
    if wanted & {RecipientState.INVALID, RecipientState.DUPLICATE}:
        yield from (result for result in _left_out(job) if result.state in wanted)


def _base(state: ChunkState, batch_status: str | None) -> RecipientState:
    if state is ChunkState.ACCEPTED and batch_status == "CANCELLED":
        return RecipientState.CANCELLED
    return _BY_CHUNK[state]


def _of_chunk(job: Job, chunk: Chunk) -> Iterator[RecipientResult]:
    query = select(outcomes).where(outcomes.c.chunk == chunk.id)
    with job.journal.storage.read() as connection:
        _, places = job.journal.body(connection, chunk.id)
        known = {
            row.position: Outcome(RecipientState(row.state), row.reason, row.detail, row.message_id)
            for row in connection.execute(query)
        }
    lines, keys = unpack_places(places)
    columns = cast("Mapping[str, object]", job.facts.get("columns") or {})
    refused = chunk.state is ChunkState.REJECTED
    faults = read_faults(chunk.error, columns) if refused else None
    none, base = Fault(""), _base(chunk.state, chunk.batch_status)
    for position, (line, key) in enumerate(zip(lines, keys, strict=True)):
        fault = faults.of(position) if faults else none
        said = known.get(position) or Outcome(base, fault.reason, fault.detail)
        yield RecipientResult(
            key or str(line),
            line,
            said.state,
            said.reason,
            said.detail,
            fault.column,
            chunk.batch_id or "",
            said.message_id,
            chunk.id,
            position,
        )


def _left_out(job: Job) -> Iterator[RecipientResult]:
    last = 0
    while True:
        query = select(skipped).where(skipped.c.id > last).order_by(skipped.c.id).limit(_MANY)
        with job.journal.storage.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        for row in rows:
            last = row.id
            state = RecipientState.DUPLICATE if row.duplicate else RecipientState.INVALID
            key = row.key or str(row.line)
            yield RecipientResult(key, row.line, state, row.reason, column=row.column)


def count_recipients(job: Job) -> tuple[dict[RecipientState, int], dict[str, int]]:
    """The recipients by state, each once, and those that failed or were rejected by reason."""
    counts: Counter[RecipientState] = Counter()
    reasons: Counter[str] = Counter()
    place = (chunks.c.state, chunks.c.batch_status)
    asked = select(*place, func.sum(chunks.c.count)).group_by(*place)
    told = (*place, outcomes.c.state, outcomes.c.reason)
    known = select(*told, func.count()).join(chunks, chunks.c.id == outcomes.c.chunk)
    out = select(skipped.c.duplicate, func.count()).group_by(skipped.c.duplicate)
    with job.journal.storage.read() as connection:
        for state, status, many in connection.execute(asked):
            counts[_base(ChunkState(state), status)] += many
        for state, status, said, reason, many in connection.execute(known.group_by(*told)):
            counts[_base(ChunkState(state), status)] -= many
            counts[RecipientState(said)] += many
            if said == RecipientState.FAILED:
                reasons[reason] += many
        for duplicate, many in connection.execute(out):
            counts[RecipientState.DUPLICATE if duplicate else RecipientState.INVALID] += many
    _add_refused(job, reasons)
    return {state: many for state, many in counts.items() if many}, dict(reasons)


def _add_refused(job: Job, reasons: Counter[str]) -> None:
    last = -1
    while found := job.journal.after(last, state=ChunkState.REJECTED):
        for chunk in found:
            last = chunk.id
            faults = read_faults(chunk.error, {})
            named = [fault for at, fault in faults.named.items() if at < chunk.count]
            for fault in named:
                reasons[fault.reason] += 1
            if others := chunk.count - len(named):
                reasons[faults.others.reason] += others
