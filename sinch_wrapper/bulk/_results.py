"""The recipients of a job, one by one and counted, from its input, requests and callbacks."""

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, bindparam, func, select

from sinch_wrapper._sqlite import ascending
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._damage import DamagedRequestError, sound
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._outcomes import Place, RecipientOutcome
from sinch_wrapper.bulk._schema import chunks, outcomes, recipient_sum, skipped, unpack_places
from sinch_wrapper.bulk._states import ChunkState, RecipientState

_INDEX: Final = re.compile(r"^(?:\w+)(?:\[(\d+)\]|\.(\d+)(?=\.|$))\.?(.*)$")
_LISTS: Final = ("recipient_and_params", "recipientAndParams", "contact", "consent")
_PARAMETER: Final = re.compile(r"^parameters[.\[]['\"]?([^'\"\]]+)")
_METADATA: Final = re.compile(r"^(message_metadata|conversation_metadata)[.\[]['\"]?([^'\"\]]+)")
_IDENTITY: Final = re.compile(r"^recipient\.identified_by\.channel_identities(?:\[|\.)(\d+)")


@dataclass(frozen=True, slots=True)
class RecipientFault:
    """Why one recipient was refused: a code, the server's text, and the column at fault."""

    reason: str
    detail: str = field(default="", repr=False)
    column: str = ""


@dataclass(frozen=True, slots=True)
class RecipientFaults:
    """The faults of a request by position, and the fault of all other recipients."""

    named: Mapping[int, RecipientFault]
    others: RecipientFault

    def of(self, position: int) -> RecipientFault:
        """The fault of the recipient at *position*."""
        return self.named.get(position, self.others)


def read_error(error: str | None) -> dict[str, Any]:
    """The error of a request, as the journal holds it; one that is damaged says so."""
    try:
        known = json.loads(error) if error else {}
        for path, description in known.get("violations", ()):
            str.join("", (path, description))
        return known
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    return {"line": "the reason is damaged in the journal", "status": "DAMAGED"}


def read_faults(error: str | None, columns: Mapping[str, object]) -> RecipientFaults:
    """Read the error of a refused request, as the journal holds it."""
    known = read_error(error)
    named: dict[int, RecipientFault] = {}
    rest = str(known.get("line", ""))
    status = str(known.get("status") or "NOT_ACCEPTED")
    for path, description in known.get("violations", ()):
        found = _INDEX.match(path)
        if found is None or not path.startswith(_LISTS):
            rest = f"{path}: {description}"
            continue
        index = int(found[1] or found[2])
        named.setdefault(index, RecipientFault(status, description, _column(found[3], columns)))
    if named:
        return RecipientFaults(
            named, RecipientFault("NOT_SENT", "another recipient of the request was refused")
        )
    return RecipientFaults({}, RecipientFault(status, rest))


def _column(path: str, columns: Mapping[str, object]) -> str:
    """The column that *path*, below one recipient, was read from; else the path itself."""
    if found := _PARAMETER.match(path):
        return _mapped(columns.get("parameters"), found[1])
    if found := _METADATA.match(path):
        return _mapped(columns.get(found[1]), found[2])
    if found := _IDENTITY.match(path):
        names = list(to) if isinstance(to := columns.get("to"), Mapping) else []
        at = int(found[1])
        return names[at] if at < len(names) else path
    return path


def _mapped(names: object, name: str) -> str:
    return str(names.get(name, name)) if isinstance(names, Mapping) else name


_NO_FAULT: Final = RecipientFault("")
_REPORTED: Final = select(outcomes).where(
    outcomes.c.chunk.in_(bindparam("numbers", expanding=True))
)
# Rows that are read together.
_PAGE: Final = 1000
# By the numbers of the schema.
LEFT_OUT: Final = (RecipientState.INVALID, RecipientState.DUPLICATE, RecipientState.SUPPRESSED)
_BY_CHUNK: Final = {
    ChunkState.PLANNED: RecipientState.PENDING,
    ChunkState.SENDING: RecipientState.UNKNOWN,
    ChunkState.UNKNOWN: RecipientState.UNKNOWN,
    ChunkState.ACCEPTED: RecipientState.ACCEPTED,
    ChunkState.REJECTED: RecipientState.REJECTED,
}


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What became of one recipient: its *state*, *batch_id* and *message_id*.

    *key* is the caller's own, else the line. *reason* is a code or a short explanation, *detail*
    the server's own words, *column* the column they are about. *chunk* and *position* say which
    request held the recipient; they are None for rows that were left out.
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
    """The recipients of *job* that are in a *wanted* state.

    Raises: DamagedRequestError at the end, for the first request that cannot be read.
    """
    damage = None
    for chunk in job.journal.each():
        try:
            yield from (each for each in recipients_of(job, chunk) if each.state in wanted)
        except DamagedRequestError as error:
            damage = damage or error
    if wanted.intersection(LEFT_OUT):
        yield from (result for result in _left_out(job) if result.state in wanted)
    if damage is not None:
        raise damage


def _base(state: ChunkState, batch_status: str | None) -> RecipientState:
    if state is ChunkState.ACCEPTED and batch_status == "CANCELLED":
        return RecipientState.CANCELLED
    return _BY_CHUNK[state]


def recipients_of(job: Job, chunk: Chunk) -> Iterator[RecipientResult]:
    """The recipients of *chunk*; raises DamagedRequestError when it cannot be read."""
    with sound(job.journal.name, chunk.id):
        with job.journal.storage.read() as connection:
            _, places = job.journal.body(connection, chunk.id)
            known = _outcomes(connection, [chunk.id])
        lines, keys = unpack_places(places)
        if len(lines) != chunk.count:
            raise ValueError
    columns = cast("Mapping[str, object]", job.facts.get("columns") or {})
    refused = chunk.state is ChunkState.REJECTED
    faults = read_faults(chunk.error, columns) if refused else None
    for position, (line, key) in enumerate(zip(lines, keys, strict=True)):
        fault = faults.of(position) if faults else _NO_FAULT
        place = Place(chunk.id, position)
        yield _result(chunk, place, line, key or str(line), fault, known.get(place))


def results_of(
    connection: Connection, found: Sequence[Chunk], keys: Mapping[int, str]
) -> dict[int, RecipientResult]:
    """The one recipient of each request of an outbox in *found*, whose *keys* are known."""
    known = _outcomes(connection, [chunk.id for chunk in found])
    results = {}
    for chunk in found:
        refused = chunk.state is ChunkState.REJECTED
        fault = read_faults(chunk.error, {}).of(0) if refused else _NO_FAULT
        place = Place(chunk.id, 0)
        results[chunk.id] = _result(chunk, place, 1, keys[chunk.id], fault, known.get(place))
    return results


def _result(  # noqa: PLR0913, PLR0917 (all that is known of a recipient)
    chunk: Chunk,
    place: Place,
    line: int,
    key: str,
    fault: RecipientFault,
    known: RecipientOutcome | None,
) -> RecipientResult:
    base = _base(chunk.state, chunk.batch_status)
    said = known or RecipientOutcome(base, fault.reason, fault.detail)
    return RecipientResult(
        key,
        line,
        said.state,
        said.reason,
        said.detail,
        fault.column,
        chunk.batch_id or "",
        said.message_id,
        *place,
    )


def result_of(job: Job, chunk: Chunk) -> RecipientResult:
    """The one recipient of *chunk*."""
    return next(recipients_of(job, chunk))


def _outcomes(connection: Connection, numbers: Sequence[int]) -> dict[Place, RecipientOutcome]:
    """What callbacks reported about the recipients of these requests."""
    rows = connection.execute(_REPORTED, {"numbers": numbers})
    return {
        Place(row.chunk, row.position): RecipientOutcome(
            RecipientState(row.state), row.reason, row.detail, row.message_id
        )
        for row in rows
    }


def _left_out(job: Job) -> Iterator[RecipientResult]:
    last = 0
    while True:
        query = select(skipped).where(skipped.c.id > last).order_by(skipped.c.id).limit(_PAGE)
        with job.journal.read() as connection:
            rows = ascending(connection.execute(query).all(), last)
        if not rows:
            return
        for row in rows:
            last = row.id
            yield _skipped_result(row)


def _skipped_result(row: Row[Any]) -> RecipientResult:
    state, key = LEFT_OUT[row.duplicate], row.key or str(row.line)
    return RecipientResult(key, row.line, state, row.reason, column=row.column)


def left_out_by_line(job: Job) -> Iterator[RecipientResult]:
    """The rows that were left out, in the order of the input; eight bytes of memory for each."""
    query = select(skipped.c.id).order_by(skipped.c.line, skipped.c.id)
    with job.journal.read() as connection:
        order = array("q", connection.execute(query).scalars())
    for begin in range(0, len(order), _PAGE):
        page = order[begin : begin + _PAGE]
        with job.journal.read() as connection:
            rows = connection.execute(select(skipped).where(skipped.c.id.in_(page))).all()
        found = {row.id: row for row in rows}
        yield from (_skipped_result(found[each]) for each in page if each in found)


def count_recipients(job: Job) -> tuple[dict[RecipientState, int], dict[str, int]]:
    """The recipients by state, each once, and those that failed or were rejected by reason."""
    counts: Counter[RecipientState] = Counter()
    reasons: Counter[str] = Counter()
    place = (chunks.c.state, chunks.c.batch_status)
    asked = select(*place, recipient_sum).group_by(*place)
    reported = (*place, outcomes.c.state, outcomes.c.reason)
    known = select(*reported, func.count()).join(chunks, chunks.c.id == outcomes.c.chunk)
    out = select(skipped.c.duplicate, func.count()).group_by(skipped.c.duplicate)
    with job.journal.read() as connection:
        for state, status, many in connection.execute(asked):
            counts[_base(ChunkState(state), status)] += many
        for state, status, said, reason, many in connection.execute(known.group_by(*reported)):
            counts[_base(ChunkState(state), status)] -= many
            counts[RecipientState(said)] += many
            if said == RecipientState.FAILED:
                reasons[reason] += many
        for duplicate, many in connection.execute(out):
            counts[LEFT_OUT[duplicate]] += many
    _add_refused(job, reasons)
    return {state: many for state, many in counts.items() if many}, dict(reasons)


def _add_refused(job: Job, reasons: Counter[str]) -> None:
    for chunk in job.journal.each(state=ChunkState.REJECTED):
        faults = read_faults(chunk.error, {})
        named = [fault for at, fault in faults.named.items() if at < chunk.count]
        for fault in named:
            reasons[fault.reason] += 1
        if others := chunk.count - len(named):
            reasons[faults.others.reason] += others
