"""What receipts said about single recipients: stored so that their order does not matter."""

from typing import NamedTuple

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from sinch_wrapper.bulk._journal.tables import early, outcomes
from sinch_wrapper.bulk._states import RecipientState, advance

__all__ = ["Outcome", "keep_early", "keep_outcome", "promote_early"]


class Outcome(NamedTuple):
    """One receipt: the state it tells, the reason of a failure, the server's text, an id."""

    state: RecipientState
    reason: str = ""
    detail: str = ""
    message_id: str = ""


def _keep(connection: Connection, table: Table, key: dict[str, object], new: Outcome) -> bool:
    query = select(table.c.state)
    for name, value in key.items():
        query = query.where(table.c[name] == value)
    old = connection.execute(query).scalar_one_or_none()
    known = None if old is None else RecipientState(old)
    if known is not None and advance(known, new.state) is known:
        return False
    row = insert(table).values(**key, **new._asdict())
    names = Outcome._fields
    connection.execute(
        row.on_conflict_do_update(
            index_elements=list(key), set_={name: row.excluded[name] for name in names}
        )
    )
    return True


def keep_outcome(connection: Connection, chunk: int, position: int, new: Outcome) -> bool:
    """Store *new* unless what is known is further; says whether something changed."""
    return _keep(connection, outcomes, {"chunk": chunk, "position": position}, new)


def keep_early(connection: Connection, batch_id: str, position: int, new: Outcome) -> bool:
    """Store *new* until its batch is known to be a chunk; says whether something changed."""
    return _keep(connection, early, {"batch_id": batch_id, "position": position}, new)


def promote_early(connection: Connection, batch_id: str, chunk: int) -> None:
    """Give *chunk* what came before its batch was known."""
    rows = connection.execute(select(early).where(early.c.batch_id == batch_id)).all()
    for row in rows:
        new = Outcome(RecipientState(row.state), row.reason, row.detail, row.message_id)
        keep_outcome(connection, chunk, row.position, new)
    if rows:
        connection.execute(delete(early).where(early.c.batch_id == batch_id))
