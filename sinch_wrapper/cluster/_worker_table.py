"""The table of workers: who takes part, and since when each was not heard of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from sinch_wrapper.cluster._call_table import CallState, Clock
from sinch_wrapper.cluster._tables import calls, workers


@dataclass(frozen=True, slots=True)
class KnownWorker:
    """A worker, its *slots*, and for how many seconds it was not heard of."""

    id: int
    name: str
    slots: int
    silence: float


def enrol(connection: Connection, name: str, slots: int, time: Clock) -> int:
    """Let a worker take part; returns its number."""
    query = insert(workers).values(name=name, slots=slots, began_at=time, beat_at=time)
    return int(connection.execute(query.returning(workers.c.id)).scalar_one())


def beat(connection: Connection, numbers: Collection[int], time: Clock) -> set[int]:
    """Note that these workers were heard of; returns those that are not struck out."""
    query = update(workers).where(workers.c.id.in_(numbers)).values(beat_at=time)
    return set(connection.execute(query.returning(workers.c.id)).scalars())


def retire(connection: Connection, number: int) -> None:
    """Hand out nothing to a worker any more, for which it was going to have room."""
    connection.execute(update(workers).where(workers.c.id == number).values(slots=0))


def strike(connection: Connection, number: int) -> None:
    """Delete a worker, unless a call still names it."""
    named = select(calls.c.id).where(calls.c.worker == number).exists()
    connection.execute(delete(workers).where(workers.c.id == number, ~named))


def known_workers(connection: Connection, time: Clock) -> Sequence[KnownWorker]:
    """All workers."""
    query = select(workers.c.id, workers.c.name, workers.c.slots, time - workers.c.beat_at)
    return [KnownWorker(*row) for row in connection.execute(query.order_by(workers.c.id))]


def now(connection: Connection, time: Clock) -> float:
    """The time of the database, in Unix seconds."""
    return float(connection.execute(select(time)).scalar_one())


def in_flight(connection: Connection) -> Mapping[int, int]:
    """How many calls each worker has taken that have not ended."""
    query = select(calls.c.worker, func.count()).where(calls.c.state == CallState.LEFT)
    return {row[0]: row[1] for row in connection.execute(query.group_by(calls.c.worker))}


def fixed(seconds: float) -> Clock:
    """A clock that stands still, for a database without one that counts."""
    return literal(seconds)
