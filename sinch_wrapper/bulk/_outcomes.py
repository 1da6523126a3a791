"""What receipts report about single recipients, stored so that their order does not matter."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, bindparam, case, delete, select, tuple_
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.elements import Case

from sinch_wrapper.bulk._schema import early, outcomes
from sinch_wrapper.bulk._states import RANKS, RecipientState


class Place(NamedTuple):
    """A recipient: the number of its chunk, and its position there."""

    chunk: int
    position: int


class RecipientOutcome(NamedTuple):
    """What one receipt reports: the state, the reason of a failure, the server's text, an id."""

    state: RecipientState
    reason: str = ""
    detail: str = ""
    message_id: str = ""

    def outranks(self, other: "RecipientOutcome") -> bool:
        """Whether this is further; among equals the strings decide, so that order never does."""
        return (RANKS[self.state], *self[1:]) > (RANKS[other.state], *other[1:])


def _rank(state: ColumnElement[str]) -> Case[int]:
    return case({str(each): rank for each, rank in RANKS.items()}, value=state)


def _keep(table: Table) -> Insert:
    """Write an outcome when it outranks what is known."""
    row = insert(table)
    new, old = (
        tuple_(_rank(columns.state), *(columns[name] for name in RecipientOutcome._fields[1:]))
        for columns in (row.excluded, table.c)
    )
    return row.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: row.excluded[name] for name in (*RecipientOutcome._fields, "at")},
        where=new > old,
    )


_KEEP: Final = _keep(outcomes)
_EARLY: Final = select(early).where(early.c.batch_id == bindparam("batch"))
_KEEP_EARLY: Final = _keep(early)


def keep_outcomes(connection: Connection, found: Mapping[Place, RecipientOutcome], at: int) -> None:
    """Store what was *found* at a time, Unix milliseconds; each when it outranks what is known."""
    if found:
        rows = [place._asdict() | new._asdict() | {"at": at} for place, new in found.items()]
        connection.execute(_KEEP, rows)


def keep_early(
    connection: Connection, batch_id: str, position: int, new: RecipientOutcome, at: int
) -> None:
    """Store *new*, found at a time, until its batch is known to be a chunk."""
    row = {"batch_id": batch_id, "position": position, "at": at} | new._asdict()
    connection.execute(_KEEP_EARLY, row)


def promote_early(connection: Connection, batch_id: str, chunk: int) -> None:
    """Give *chunk* what receipts reported before its batch was known."""
    rows = connection.execute(_EARLY, {"batch": batch_id}).all()
    for row in rows:
        known = RecipientOutcome(row.state, row.reason, row.detail, row.message_id)
        keep_outcomes(connection, {Place(chunk, row.position): known}, row.at)
    if rows:
        connection.execute(delete(early).where(early.c.batch_id == batch_id))
