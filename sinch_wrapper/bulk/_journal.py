"""The journal of a job: its facts, its requests, its rows that are left out; and its lock."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, Update, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from sinch_wrapper._sqlite import ascending
from sinch_wrapper._storage import ProcessLock
from sinch_wrapper.bulk._calls import BATCH_OPERATIONS, BatchOperation
from sinch_wrapper.bulk._chunks import Chunk, NewChunk, chunk_of
from sinch_wrapper.bulk._damage import damaged_request, sound
from sinch_wrapper.bulk._job_url import JobAddress, JobURL
from sinch_wrapper.bulk._journal_file import open_storage
from sinch_wrapper.bulk._queue import MessageLimits, Outstanding
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._schema import (
    bodies,
    chunks,
    early,
    facts,
    outcomes,
    recipient_sum,
    resends,
    skipped,
)
from sinch_wrapper.bulk._states import ChunkState, may_become
from sinch_wrapper.errors import BulkError

# Queries for each request, put together once.
_ONE: Final = select(chunks).where(chunks.c.id == bindparam("chunk"))
_SOME: Final = select(chunks).where(chunks.c.id.in_(bindparam("chunks", expanding=True)))
_BODIES: Final = select(bodies).where(bodies.c.chunk.in_(bindparam("chunks", expanding=True)))
_NEXT: Final = (
    select(chunks)
    .where(chunks.c.state == ChunkState.PLANNED, chunks.c.id < bindparam("before"))
    .where(chunks.c.id >= bindparam("since"))
    .order_by(chunks.c.id)
    .limit(bindparam("many"))
)
_BY_BATCH: Final = select(chunks).where(chunks.c.batch_id == bindparam("batch"))
_DEPARTED: Final = select(chunks).where(chunks.c.first_left.is_not(None))
_ANY_OUTCOME: Final = select(outcomes.c.chunk).limit(1)
_NEW_FACT: Final = upsert(facts)
_NOTE: Final = _NEW_FACT.on_conflict_do_update(
    index_elements=["name"], set_={"value": _NEW_FACT.excluded.value}
)
# What is noted when a request comes into a state.
_TIMES: Final = {
    ChunkState.SENDING: "left_at",
    ChunkState.ACCEPTED: "settled_at",
    ChunkState.REJECTED: "settled_at",
}
NO_LIMIT: Final = 2**62
"""Beyond every number of a chunk."""


@cache
def _moving(*names: str) -> Update:
    """Change the state of a chunk in a given state, and the columns *names* with it."""
    query = update(chunks).where(
        chunks.c.id == bindparam("now_id"), chunks.c.state == bindparam("now_state")
    )
    return query.values({name: bindparam(name) for name in ("state", *names)})


class Journal:
    """One job on disk or in memory; safe for threads, and each change is one transaction."""

    def __init__(
        self,
        address: JobAddress | None,
        *,
        must_exist: bool = False,
        lock: ProcessLock | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self.storage = open_storage(address, must_exist=must_exist, lock=lock)
        self.name = self.storage.name
        self.address = address if isinstance(address, JobURL) else self.storage.path

    def facts(self) -> dict[str, object]:
        """All facts of the job; empty for a new one."""
        with self.read() as connection:
            rows = connection.execute(select(facts.c.name, facts.c.value)).all()
            return {name: json.loads(value) for name, value in rows}

    def note(self, connection: Connection, **values: object) -> None:
        """Write facts."""
        for name, value in values.items():
            connection.execute(_NOTE, {"name": name, "value": json.dumps(value)})

    def now(self) -> int:
        """The time as Unix milliseconds, which only reports use."""
        return int(self._clock() * 1000)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads; raises BulkError, for damaged contents too."""
        with sound(self.name), self.storage.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends; raises BulkError as read() does."""
        with sound(self.name), self.storage.write() as connection:
            yield connection

    def flush(self) -> None:
        """Bring all that is written into the file itself, which may be moved without its log."""
        if self.address is not None:
            self.storage.flush()

    def empty(self, connection: Connection) -> None:
        """Delete what an interrupted reading of recipients has left."""
        for table in (chunks, bodies, skipped, outcomes, early):
            connection.execute(delete(table))

    def add(self, connection: Connection, new: list[NewChunk]) -> None:
        """Add requests that have not left."""
        if not new:
            return
        self.storage.insert(
            connection,
            chunks,
            [
                {"id": each.id, "state": ChunkState.PLANNED, "count": each.count, "sent": 0,
                 "certain": 0, "adopted": 0}
                for each in new
            ],
        )  # fmt: skip
        self.storage.insert(
            connection,
            bodies,
            [{"chunk": each.id, "content": each.content, "places": each.places} for each in new],
        )

    def replace(self, connection: Connection, new: NewChunk) -> None:
        """Replace a request that has not left; without recipients it is deleted."""
        for table, name in ((chunks, "id"), (bodies, "chunk")):
            connection.execute(delete(table).where(table.c[name] == new.id))
        if new.count:
            self.add(connection, [new])

    def skip(self, connection: Connection, skips: list[Skip]) -> None:
        """Write down rows that are left out."""
        if skips:
            rows = [skip._asdict() | {"duplicate": int(skip.duplicate)} for skip in skips]
            self.storage.insert(connection, skipped, rows)

    def totals(self) -> dict[ChunkState, tuple[int, int]]:
        """The number of chunks and of their recipients, by state."""
        query = select(chunks.c.state, func.count(), recipient_sum)
        with self.read() as connection:
            rows = connection.execute(query.group_by(chunks.c.state)).all()
            return {ChunkState(state): (many, total) for state, many, total in rows}

    def chunk(self, connection: Connection, chunk: int) -> Chunk | None:
        """The chunk with this number."""
        row = connection.execute(_ONE, {"chunk": chunk}).first()
        return None if row is None else chunk_of(row)

    def chunks(self, connection: Connection, numbers: Sequence[int]) -> dict[int, Chunk]:
        """The chunks with these numbers."""
        rows = connection.execute(_SOME, {"chunks": numbers})
        return {row.id: chunk_of(row) for row in rows}

    def by_batch(self, connection: Connection, batch_id: str) -> Chunk | None:
        """The chunk that became this batch."""
        row = connection.execute(_BY_BATCH, {"batch": batch_id}).first()
        return None if row is None else chunk_of(row)

    def last_event(self) -> int:
        """The largest number of an event; 0 before the first one."""
        columns = (chunks.c.last_left, chunks.c.doubted, chunks.c.known)
        with self.read() as connection:
            found = connection.execute(select(*map(func.max, columns))).one()
            return max((each for each in found if each is not None), default=0)

    def departed(self, connection: Connection) -> Iterable[Row[Any]]:
        """The requests that have left, each with what evidence is made of."""
        return connection.execute(_DEPARTED)

    def told(self, connection: Connection, numbers: Sequence[int]) -> set[int] | None:
        """The requests among *numbers* that callbacks were about; None when there are none."""
        if connection.execute(_ANY_OUTCOME).first() is None:
            return None
        query = select(outcomes.c.chunk).where(outcomes.c.chunk.in_(numbers))
        return set(connection.execute(query.distinct()).scalars())

    def sent_again(self) -> list[tuple[Chunk, str | None]]:
        """The requests that left again, and the evidence as JSON, None for a person's word."""
        query = select(resends.c.chunk, resends.c.evidence).order_by(resends.c.event)
        with self.read() as connection:
            rows = connection.execute(query).all()
            found = [(self.chunk(connection, number), evidence) for number, evidence in rows]
        return [(chunk, evidence) for chunk, evidence in found if chunk is not None]

    def note_again(
        self, connection: Connection, chunk: int, event: int, evidence: str | None
    ) -> None:
        """Write down that a request whose outcome is unknown leaves again."""
        connection.execute(insert(resends).values(event=event, chunk=chunk, evidence=evidence))

    def twice(self) -> tuple[int, int]:
        """The number of requests that became two batches, and of their recipients."""
        query = select(func.count(), recipient_sum).where(chunks.c.twice.is_not(None))
        with self.read() as connection:
            many, people = connection.execute(query).one()
        return many, people or 0

    def is_waiting(self, connection: Connection) -> bool:
        """Whether some request may still turn into a batch whose id is not known."""
        states = (ChunkState.PLANNED, ChunkState.SENDING, ChunkState.UNKNOWN)
        query = select(chunks.c.id).where(chunks.c.state.in_(states), chunks.c.batch_id.is_(None))
        return connection.execute(query.limit(1)).first() is not None

    def forget_early(self) -> None:
        """Delete what waited for batches of this job, once no request can become one."""
        with self.write() as connection:
            if not self.is_waiting(connection):
                connection.execute(delete(early))

    def next_planned(
        self, connection: Connection, before: int = NO_LIMIT, since: int = 0
    ) -> Chunk | None:
        """The first chunk with a number from *since* on, below *before*, that has not left yet."""
        return next(iter(self.planned(connection, 1, before, since)), None)

    def planned(
        self, connection: Connection, many: int, before: int, since: int = 0
    ) -> list[Chunk]:
        """The first *many* chunks that next_planned() would give one after the other."""
        wanted = {"before": before, "since": since, "many": many}
        return [chunk_of(row) for row in connection.execute(_NEXT, wanted)]

    def last(self, connection: Connection, many: int) -> list[Chunk]:
        """The last *many* chunks, the last one first."""
        query = select(chunks).order_by(chunks.c.id.desc()).limit(many)
        return [chunk_of(row) for row in connection.execute(query)]

    def in_doubt(self) -> list[Chunk]:
        """The chunks that left, or may have, and whose outcome is unknown."""
        states = (ChunkState.SENDING, ChunkState.UNKNOWN)
        with self.read() as connection:
            rows = connection.execute(select(chunks).where(chunks.c.state.in_(states))).all()
            return [chunk_of(row) for row in rows]

    def after(self, chunk: int, many: int = 100, **only: object) -> list[Chunk]:
        """Up to *many* chunks after number *chunk*, those whose columns equal *only*."""
        query = select(chunks).where(chunks.c.id > chunk)
        for name, value in only.items():
            query = query.where(chunks.c[name] == value)
        with self.read() as connection:
            rows = connection.execute(query.order_by(chunks.c.id).limit(many)).all()
            return [chunk_of(row) for row in ascending(rows, chunk)]

    def pages(self, many: int = 100, **only: object) -> Iterator[list[Chunk]]:
        """All chunks in order, up to *many* at a time, those whose columns equal *only*.

        No transaction is open in between: the caller may write.
        """
        last = -1
        while found := self.after(last, many, **only):
            last = found[-1].id
            yield found

    def each(self, many: int = 100, **only: object) -> Iterator[Chunk]:
        """The chunks of pages(), one by one."""
        for found in self.pages(many, **only):
            yield from found

    def bodies(
        self, connection: Connection, numbers: Sequence[int]
    ) -> dict[int, tuple[bytes, bytes]]:
        """The packed items and places of chunks, as far as they are there."""
        rows = connection.execute(_BODIES, {"chunks": numbers})
        return {row.chunk: (row.content, row.places) for row in rows}

    def body(self, connection: Connection, chunk: int) -> tuple[bytes, bytes]:
        """The packed items and places of a chunk."""
        found = self.bodies(connection, [chunk]).get(chunk)
        if found is None:
            raise damaged_request(self.name, chunk)
        return found

    def move(
        self,
        connection: Connection,
        chunk: Chunk,
        state: ChunkState,
        **values: Any,  # noqa: ANN401 (columns)
    ) -> Chunk:
        """Change the state of *chunk*, and other columns with it.

        Raises: BulkError when the journal has another state, or none that may change so.
        """
        if not may_become(chunk.state, state):
            raise BulkError(
                f"journal {self.name}: a request cannot change from {chunk.state} to {state}"
            )
        values = {_TIMES[state]: self.now(), **values} if state in _TIMES else values
        now = {"now_id": chunk.id, "now_state": chunk.state}
        done = connection.execute(_moving(*values), now | values | {"state": state})
        if done.rowcount != 1:
            raise BulkError(f"journal {self.name}: it was changed by another process")
        return replace(chunk, state=state, **values)

    def set(self, connection: Connection, chunk: int, **values: object) -> None:
        """Change columns of a chunk other than its state."""
        connection.execute(update(chunks).where(chunks.c.id == chunk).values(**values))

    def refuse_given(self) -> None:
        """Raise BulkError when workers have the job: they may still send what they have taken."""
        if not isinstance(self.address, JobURL):
            return
        from sinch_wrapper.bulk._register import is_given

        with self.read() as connection:
            found = is_given(connection, self.address)
        if found:
            raise BulkError(
                f"journal {self.name}: workers send it, so that nothing else may: go on with "
                "sinch_wrapper.cluster.resume()"
            )

    def close(self) -> None:
        """Close the journal; one in memory is gone then."""
        self.storage.close()


def text_fact(known: Mapping[str, object], name: str) -> str:
    """A fact that is a string; empty when there is none."""
    value = known.get(name)
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job: no other one ever has its *id*; *request* holds the fields that all requests share."""

    journal: Journal
    id: str
    kind: BatchOperation
    project: str
    request: Mapping[str, object] = field(repr=False)
    facts: Mapping[str, object] = field(repr=False)

    @property
    def is_outbox(self) -> bool:
        """Whether its requests came one by one, each with a key and fields of its own."""
        return self.facts.get("outbox") is True

    def outstanding_at(self, wall: float, limits: MessageLimits) -> float:
        """How many recipients of earlier runs may be in the app's queue at *wall*, Unix seconds."""
        found = self.facts.get("outstanding")
        if not isinstance(found, list):
            return 0.0
        with sound(self.journal.name):
            count, at = map(float, found)
        return Outstanding(count, at).at_time(wall, limits).count


def read_job(journal: Journal) -> Job | None:
    """The job in *journal*; None as long as its recipients have not all been read."""
    facts = journal.facts()
    if facts.get("state") != "ready":
        return None
    kind = BATCH_OPERATIONS.get(text_fact(facts, "kind"))
    request = facts.get("request")
    if kind is None or not isinstance(request, dict):
        raise BulkError(f"journal {journal.name}: corrupt: its request is unreadable")
    ids = text_fact(facts, "job"), text_fact(facts, "project")
    return Job(journal, ids[0], kind, ids[1], cast("dict[str, object]", request), facts)


def open_job(journal: Journal) -> Job:
    """The job in *journal*.

    Raises: BulkError when reading its recipients was interrupted.
    """
    job = read_job(journal)
    if job is None:
        raise BulkError(
            f"journal {journal.name}: interrupted while reading the recipients, nothing was sent: "
            "start the job again with the same recipients"
        )
    return job
