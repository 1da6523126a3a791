"""Callbacks in an SQLite file, each once, with the handlers that have yet to work."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import dialect, insert

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper._sqlite import Database, FileLock, Format, ascending
from sinch_wrapper.callbacks._events import Event, read_quietly
from sinch_wrapper.callbacks._records import (
    Arrival,
    Counts,
    DeadLetter,
    StoredEvent,
    Verdict,
    digest_of,
)
from sinch_wrapper.callbacks._signature import UnixClock
from sinch_wrapper.errors import CallbackError

schema = MetaData()

# Each callback once. *due* is null when no handler has yet to work; *wanted* and *finished* are
# JSON lists of names of handlers.
events = Table(
    "events",
    schema,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("received", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("due", Float),
    Column("attempts", Integer, nullable=False, default=0),
    Column("wanted", Text, nullable=False),
    Column("finished", Text, nullable=False, default="[]"),
    # People name dead letters by these numbers, so none is given to a second callback.
    sqlite_autoincrement=True,
)
Index("events_due", events.c.due, sqlite_where=events.c.due.is_not(None))
Index("events_received", events.c.received)

dead = Table(
    "dead",
    schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("died", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

# One row, written to find out whether writing works.
probe = Table("probe", schema, Column("id", Integer, primary_key=True), Column("at", Float))

# "SWCB" in the header.
FORMAT: Final = Format(
    noun="callback store",
    schema=schema,
    application_id=0x53574342,
    version=1,
    stranger="not a callback store",
    corrupt="it is corrupt: move it away, and a new one will be created",
    failure=CallbackError,
)

_IN_MEMORY: Final = ":memory:"
_BUSY_SECONDS: Final = 5.0
_PAGE: Final = 500
# What SQLite can store.
_LARGEST: Final = 2**63 - 1

_KEEP: Final = insert(events).on_conflict_do_nothing(index_elements=["digest"])
# For many at once, as SQLite takes them: SQLAlchemy would look at each value of each row.
_COLUMNS: Final = ("digest", "received", "kind", "body", "due", "attempts", "wanted", "finished")
_KEEP_ALL: Final = str(_KEEP.compile(dialect=dialect(), column_keys=_COLUMNS))
_values: Final = itemgetter(*_COLUMNS)
_SETTLE: Final = (
    update(events)
    .where(events.c.id == bindparam("of"))
    .values(due=bindparam("at"), attempts=bindparam("tried"), finished=bindparam("done"))
)
_PROBE: Final = insert(probe).values(id=1, at=bindparam("now"))


class EventStore:
    """Callbacks in the file at *path*; `":memory:"` keeps them as long as the process lives.

    WAL and `synchronous=FULL`: what is committed survives a crash of the machine. Several
    processes may use one file. Bodies are stored as received, with phone numbers and message text,
    so a new file can be read by its owner alone.

    Args:
        must_exist: refuse a file that does not exist, rather than create one.
        busy: seconds to wait for another process that is writing.
        now: the clock, a function that returns the Unix time.

    Raises: TypeError or ValueError for an argument that is not what it must be; CallbackError when
        the file is not a callback store or cannot be opened, and in every method when it cannot be
        read or written.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        must_exist: bool = False,
        busy: float = _BUSY_SECONDS,
        now: UnixClock = time.time,
    ) -> None:
        found = _validate.path("path", path)
        self.path = None if str(found) == _IN_MEMORY else found
        self._now = _validate.function("now", now)
        _validate.boolean("must_exist", must_exist)
        _validate.seconds("busy", busy)
        self._lead = FileLock(self.path, FORMAT)
        self._database = Database(self.path, FORMAT, must_exist=must_exist, busy=busy)

    @forgetting
    def commit(self, arrivals: Sequence[Arrival], verdicts: Sequence[Verdict]) -> None:
        """Write all *arrivals* and *verdicts* or nothing; on return it is on disk.

        A callback that is stored already stays as it is.
        """
        _check_all("arrivals", arrivals, Arrival)
        _check_all("verdicts", verdicts, Verdict)
        with self._database.write() as connection:
            if arrivals:
                rows = [_values(_row_of(each)) for each in arrivals]
                connection.exec_driver_sql(_KEEP_ALL, rows)
            if verdicts:
                connection.execute(_SETTLE, [_settled_row(each) for each in verdicts])
            if letters := [_letter_row(each) for each in verdicts if each.error]:
                row = insert(dead)
                fresh = {name: row.excluded[name] for name in ("died", "attempts", "error")}
                connection.execute(
                    row.on_conflict_do_update(index_elements=["id"], set_=fresh), letters
                )

    @forgetting
    def add(self, event: Event) -> bool:
        """Store the callback *event*, for web frameworks in which no receiver runs.

        Returns: whether it is new; it is on disk in either case. Raises: CallbackError.
        """
        _validate.instance("event", event, Event, "an Event")
        with self._database.write() as connection:
            row = _row_of(Arrival(event, self._now()))
            return connection.execute(_KEEP.values(row)).rowcount == 1

    def lead(self) -> bool:
        """Whether this process runs the handlers: the first that asks does, until it closes."""
        return self._lead.take()

    @forgetting
    def waiting(self, now: float, limit: int) -> list[StoredEvent]:
        """At most *limit* callbacks due at *now* (Unix seconds), the longest due first.

        Raises: CallbackError when the store cannot be read.
        """
        now = _time("now", now)
        _validate.whole("limit", limit, most=_LARGEST)
        query = select(events).where(events.c.due <= now).order_by(events.c.due, events.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        found = [_stored_event(row) for row in rows]
        sound = [each for each in found if each is not None]
        if rows and not sound:
            # Handlers of the others are not to wait for those that can never be read.
            raise self._damaged(rows[0])
        return sound

    def events(self) -> Iterator[Event]:
        """All callbacks in the order in which they came, for `sinch.bulk.record` for example."""
        for stored in self.stored():
            yield stored.event

    def stored(self, after: int = 0) -> Iterator[StoredEvent]:
        """All callbacks with an id above *after*, in the order in which they came.

        Raises: CallbackError at the end, for the first that is damaged.
        """
        _validate.whole("after", after, 0, _LARGEST)
        return self._stored(after)

    @forgetting
    def _stored(self, after: int) -> Iterator[StoredEvent]:
        rows, lost = self._page(after), None
        while rows:
            for row in rows:
                found = _stored_event(row)
                if found is not None:
                    yield found
                else:
                    lost = row if lost is None else lost
            rows = self._page(rows[-1].id)
        if lost is not None:
            raise self._damaged(lost)

    def _page(self, after: int) -> Sequence[Row[Any]]:
        query = select(events).where(events.c.id > after).order_by(events.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(_PAGE)).all()
        try:
            return ascending(rows, after)
        except ValueError as error:
            FORMAT.fail(self._database.name, error)

    def _damaged(self, row: Row[Any]) -> CallbackError:
        return CallbackError(
            f"callback store {self._database.name}: callback {row.id} is damaged, and lost; all "
            "others can be read"
        )

    @forgetting
    def counts(self) -> Counts:
        """How many callbacks there are, after a write that proves that the file can be written."""
        upsert = _PROBE.on_conflict_do_update(
            index_elements=["id"], set_={"at": _PROBE.excluded.at}
        )
        with self._database.write() as connection:
            connection.execute(upsert, {"now": self._now()})
            return Counts(
                *(
                    connection.execute(query).scalar_one()
                    for query in (
                        select(func.count()).select_from(events),
                        select(func.count()).where(events.c.due.is_not(None)),
                        select(func.count()).select_from(dead),
                    )
                )
            )

    @forgetting
    def dead(self, limit: int = 1000) -> list[DeadLetter]:
        """At most *limit* dead letters, the newest first; raises CallbackError."""
        _validate.whole("limit", limit, most=_LARGEST)
        columns = (events.c.body, events.c.received, dead)
        query = select(*columns).join(dead, dead.c.id == events.c.id).order_by(dead.c.died.desc())
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [self._dead_letter(row) for row in rows]

    def _dead_letter(self, row: Row[Any]) -> DeadLetter:
        event = read_quietly(row.body)
        if isinstance(event, str):
            raise self._damaged(row)
        return DeadLetter(row.id, event, row.received, row.died, row.attempts, row.error)

    @forgetting
    def retry_dead(self, ids: Sequence[int] | None = None) -> int:
        """Let handlers run again: of the dead letters with these *ids*, or of all.

        Handlers that had worked do not run again. Returns: how many dead letters there were.
        """
        which = true() if ids is None else dead.c.id.in_(_numbers(ids))
        again = update(events).where(events.c.id.in_(select(dead.c.id).where(which)))
        with self._database.write() as connection:
            connection.execute(again.values(due=self._now(), attempts=0))
            return connection.execute(delete(dead).where(which)).rowcount

    @forgetting
    def prune(self, before: float, limit: int = 1000) -> int:
        """Delete at most *limit* callbacks received *before* a Unix time; raises CallbackError.

        Those that wait or are dead letters stay. Returns: how many are deleted.
        """
        _validate.whole("limit", limit, most=_LARGEST)
        before = _time("before", before)
        old = (
            select(events.c.id)
            .where(events.c.received < before, events.c.due.is_(None))
            .where(events.c.id.not_in(select(dead.c.id)))
            .order_by(events.c.received)
            .limit(limit)
        )
        with self._database.write() as connection:
            return connection.execute(delete(events).where(events.c.id.in_(old))).rowcount

    def close(self) -> None:
        """Close the file; callbacks in memory are lost."""
        self._lead.release()
        self._database.close()


def _check_all(option: str, values: object, kind: type) -> None:
    wanted = f"a list of {kind.__name__}"
    if not isinstance(values, Sequence):
        raise _validate.wrong_kind(option, wanted, values)
    for value in values:
        if not isinstance(value, kind):
            raise _validate.wrong_kind(option, wanted, [value])


def _time(option: str, value: object) -> float:
    if not _validate.is_number(value):
        raise _validate.wrong_kind(option, "a Unix time", value)
    try:
        return float(value)
    except OverflowError:
        raise _validate.out_of_range(option, "a Unix time") from None


def _numbers(ids: Sequence[int]) -> list[int]:
    if isinstance(ids, str | bytes | Mapping) or not isinstance(ids, Iterable):
        raise _validate.wrong_kind("ids", "a list of whole numbers", ids)
    return [_validate.whole("ids", each, 0, _LARGEST) for each in ids]


def _row_of(arrival: Arrival) -> dict[str, object]:
    """The row of a new callback."""
    return {
        "digest": digest_of(arrival.event),
        "received": arrival.received,
        "kind": arrival.event.kind,
        "body": arrival.event.body,
        "due": arrival.received if arrival.wanted else None,
        "wanted": _names(tuple(arrival.wanted)),
        # SQLAlchemy takes as long to fill in what is left out as SQLite takes for all.
        "attempts": 0,
        "finished": "[]",
    }


_names: Final = lru_cache(json.dumps)


def _settled_row(verdict: Verdict) -> dict[str, object]:
    """The columns that a verdict changes in the row of its callback."""
    done = json.dumps(sorted(verdict.finished))
    return {"of": verdict.id, "at": verdict.due, "tried": verdict.attempts, "done": done}


def _letter_row(verdict: Verdict) -> dict[str, object]:
    """The row of a dead letter."""
    return {
        "id": verdict.id,
        "died": verdict.at,
        "attempts": verdict.attempts,
        "error": verdict.error,
    }


def _stored_event(row: Row[Any]) -> StoredEvent | None:
    """The callback in a row; None when it is damaged."""
    event = read_quietly(row.body)
    try:
        wanted, finished = (frozenset(json.loads(each)) for each in (row.wanted, row.finished))
    except (ValueError, TypeError, RecursionError):
        return None
    is_sound = isinstance(row.received, float) and isinstance(row.attempts, int)
    if isinstance(event, str) or not is_sound:
        return None
    return StoredEvent(row.id, event, row.received, row.attempts, wanted, finished)
