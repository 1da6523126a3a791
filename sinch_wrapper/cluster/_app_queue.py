"""The queue of an app that all its jobs share: one row, in the transactions of their leaders."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from sinch_wrapper.bulk._queue import Outstanding, SendQueue
from sinch_wrapper.cluster._call_table import Clock
from sinch_wrapper.cluster._tables import app_queues

_NEW: Final = upsert(app_queues)


class SharedQueue:
    """The row of *app*; *time* is the clock of the database.

    Between enter() and the end of the transaction no other leader changes it.
    """

    def __init__(self, app: str, time: Callable[[], Clock]) -> None:
        self._app = app
        self._time = time
        self._entered = Outstanding()

    def enter(self, connection: Connection, queue: SendQueue, now: float) -> None:
        """Let *queue* know, at *now* of its own clock, what all jobs have sent."""
        time = self._time()
        # Changes nothing, but lets other leaders wait, and always returns the row.
        query = _NEW.values(app=self._app, recipients=0.0, at=time).on_conflict_do_update(
            index_elements=["app"], set_={"app": _NEW.excluded.app}
        )
        found = query.returning(app_queues.c.recipients, app_queues.c.at, time.label("now"))
        row = connection.execute(found).one()
        known = Outstanding(row.recipients, row.at).at_time(row.now, queue.limits)
        queue.outstanding = self._entered = Outstanding(known.count, now)

    def leave(self, connection: Connection, queue: SendQueue, now: float) -> None:
        """Write down for all what *queue* knows at *now*, unless it has not changed."""
        count = queue.outstanding.at_time(now, queue.limits).count
        if count == self._entered.count:
            return
        query = update(app_queues).where(app_queues.c.app == self._app)
        connection.execute(query.values(recipients=count, at=self._time()))


def outstanding_rows(
    connection: Connection, time: Clock
) -> Mapping[str, tuple[Outstanding, float]]:
    """The estimates for all apps, and the time now."""
    query = select(app_queues, time.label("now")).order_by(app_queues.c.app)
    rows = connection.execute(query)
    return {row.app: (Outstanding(row.recipients, row.at), row.now) for row in rows}
