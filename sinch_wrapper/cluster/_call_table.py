"""The table of calls: what a leader hands out, and what workers do with it.

Each change names the state that it changes, so that of two who want to change a call one does.
*time* is the clock of the database, as an expression.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Update, delete, insert, select, update

from sinch_wrapper.cluster._tables import calls, jobs

Clock: TypeAlias = ColumnElement[float]


class CallState(StrEnum):
    """Where a call is."""

    HANDED = "handed"
    """A worker may take it."""
    LEFT = "left"
    """A worker has taken it: its request leaves, or has left."""
    DONE = "done"
    """Its result is there."""
    REVOKED = "revoked"
    """It certainly did not leave, and will not."""
    LOST = "lost"
    """Nobody waits for it any more, but it may still leave."""


ENDED: Final = (CallState.DONE, CallState.REVOKED)


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call to hand out: the *event* with which its chunk leaves, and the fields of its own."""

    chunk: int
    event: int
    request: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandedCall:
    """A call that a worker may take, of the job with this number and *mark*.

    *token* is that of the leader that handed it out.
    """

    id: int
    job: int
    mark: str
    token: int
    chunk: int
    request: Mapping[str, object] = field(repr=False)


def token_of(connection: Connection, job: int) -> int:
    """The token of the last leader of *job*."""
    return int(connection.execute(select(jobs.c.leader).where(jobs.c.number == job)).scalar_one())


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Which job calls are of, by its number and its *mark*, and the *token* of its leader."""

    job: int
    mark: str
    token: int


def hand_out(
    connection: Connection, origin: CallOrigin, new: Sequence[NewCall], time: Clock
) -> list[int]:
    """Hand calls out; returns their numbers, in the same order."""
    query = insert(calls).values(**asdict(origin), state=CallState.HANDED, handed_at=time)
    query = query.returning(calls.c.id, sort_by_parameter_order=True)
    rows = [
        {"chunk": each.chunk, "event": each.event, "request": json.dumps(each.request)}
        for each in new
    ]
    return list(connection.execute(query, rows).scalars()) if rows else []


def handed(connection: Connection, number: int) -> HandedCall | None:
    """The call with this number, while it may be taken."""
    query = select(calls).where(calls.c.id == number, calls.c.state == CallState.HANDED)
    row = connection.execute(query).first()
    if row is None:
        return None
    return HandedCall(row.id, row.job, row.mark, row.token, row.chunk, json.loads(row.request))


def take(connection: Connection, number: int, worker: int, time: Clock) -> bool:
    """Let *worker* take a call, which then leaves; whether it may.

    It may not when another one has it, or when another leader than the one that handed it out
    leads the job.
    """
    leader = select(jobs.c.leader).where(jobs.c.number == calls.c.job).scalar_subquery()
    query = update(calls).where(calls.c.id == number, calls.c.state == CallState.HANDED)
    query = query.where(calls.c.token == leader)
    return _changed(connection, query, state=CallState.LEFT, worker=worker, left_at=time)


def finish(connection: Connection, number: int, worker: int, result: str) -> bool:
    """Write down how a call of *worker* ended; whether somebody waits for it."""
    return _changed(connection, _of(number, worker), state=CallState.DONE, result=result)


def give_back(connection: Connection, number: int, worker: int) -> bool:
    """Write down that a call of *worker* did not leave; whether somebody waits for it."""
    return _changed(connection, _of(number, worker), state=CallState.REVOKED)


def drop(connection: Connection, number: int, worker: int) -> None:
    """Note that a call of *worker* will not leave any more, for which nobody waits."""
    connection.execute(
        delete(calls).where(
            calls.c.id == number, calls.c.state == CallState.LOST, calls.c.worker == worker
        )
    )


def revoke(connection: Connection, job: int, numbers: Collection[int] | None = None) -> None:
    """Let no worker take the calls of *job* that nobody has taken: all, or those with *numbers*."""
    query = update(calls).where(calls.c.job == job, calls.c.state == CallState.HANDED)
    if numbers is not None:
        query = query.where(calls.c.id.in_(numbers))
    connection.execute(query.values(state=CallState.REVOKED))


def refuse(connection: Connection, number: int) -> None:
    """Let no worker take a call that nobody has taken, so that its request is built anew."""
    query = update(calls).where(calls.c.id == number, calls.c.state == CallState.HANDED)
    connection.execute(query.values(state=CallState.REVOKED))


def lose(connection: Connection, number: int) -> bool:
    """Wait no longer for a call that was taken; whether nobody had written how it ended."""
    query = update(calls).where(calls.c.id == number, calls.c.state == CallState.LEFT)
    return _changed(connection, query, state=CallState.LOST)


def forget(connection: Connection, numbers: Collection[int], *states: CallState) -> None:
    """Delete those of the calls with *numbers* that are in one of *states*."""
    if numbers:
        query = delete(calls).where(calls.c.id.in_(numbers), calls.c.state.in_(states))
        connection.execute(query)


def of_job(connection: Connection, job: int, *states: CallState) -> Sequence[Row[Any]]:
    """The calls of *job*, those in one of *states* or all, in their order."""
    query = select(calls).where(calls.c.job == job).order_by(calls.c.id)
    return connection.execute(query.where(calls.c.state.in_(states)) if states else query).all()


def _of(number: int, worker: int) -> Update:
    of = (calls.c.id == number, calls.c.state == CallState.LEFT, calls.c.worker == worker)
    return update(calls).where(*of)


def _changed(connection: Connection, query: Update, **values: object) -> bool:
    return bool(connection.execute(query.values(**values)).rowcount)
