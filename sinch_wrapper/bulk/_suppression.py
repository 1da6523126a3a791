"""The suppression list: who must not be written to, in a file that a receiver keeps up to date.

People are known by the digits of their number. What they say themselves, by word or callback, and
what is entered for them are kept apart: by START somebody takes back their own STOP, but not what
was imported or entered by hand. Of each the newest counts, by the time at which it happened, so
that events may come late, twice and in any order. Nothing expires.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting_methods
from sinch_wrapper.bulk._address_files import file_keys
from sinch_wrapper.bulk._addresses import address_key, contact_key, recipient_keys
from sinch_wrapper.bulk._job_url import ListPath, list_address
from sinch_wrapper.bulk._key_filter import KeyFilter, read_filter, write_filter
from sinch_wrapper.bulk._key_sets import asked, key_set
from sinch_wrapper.bulk._schema import Number
from sinch_wrapper.bulk._suppression_tables import doubtful, entries, history, open_list
from sinch_wrapper.callbacks import ConsentChange, ConsentKind
from sinch_wrapper.errors import BulkArgumentError, BulkError

Address: TypeAlias = str | tuple[str, str] | Mapping[str, object]
"""A number, a pair of channel and identity, or a Recipient."""

_FOUND: Final = (
    select(entries.c.key)
    .distinct()
    .where(entries.c.key.in_(select(asked.c.value)))
    .where(entries.c.out == 1)
)
_STAGE: Final = text("INSERT INTO staged SELECT value FROM json_each(:keys)")
_UNSTAGE: Final = text(
    "INSERT INTO entries SELECT DISTINCT key, 1, 1, :at, 'import' FROM staged WHERE true "
    "ORDER BY key ON CONFLICT DO UPDATE SET out = 1, at = excluded.at, reason = excluded.reason "
    "WHERE excluded.at > entries.at OR entries.out = 0 AND excluded.at = entries.at"
)
_NEW: Final = upsert(entries)
_ALL_NEW: Final = upsert(entries).from_select(
    ["key", "firm", "out", "at", "reason"],
    select(
        asked.c.value,
        literal(1),
        literal(1),
        bindparam("at", type_=Number),
        literal("import"),
    ).distinct(),
)
# As _UNSTAGE, for a server: it sorts by itself what it writes.
_LOAD: Final = _ALL_NEW.on_conflict_do_update(
    index_elements=[entries.c.key, entries.c.firm],
    set_={name: _ALL_NEW.excluded[name] for name in ("out", "at", "reason")},
    where=(_ALL_NEW.excluded.at > entries.c.at)
    | ((entries.c.out == 0) & (_ALL_NEW.excluded.at == entries.c.at)),
)
# Of two things at the same time the safer one counts.
_KEEP: Final = _NEW.on_conflict_do_update(
    index_elements=[entries.c.key, entries.c.firm],
    set_={name: _NEW.excluded[name] for name in ("out", "at", "reason")},
    where=(_NEW.excluded.at > entries.c.at)
    | ((_NEW.excluded.at == entries.c.at) & (_NEW.excluded.out > entries.c.out)),
)
_LATER: Final = (
    select(history.c.id, history.c.key, history.c.reason)
    .where(history.c.id > bindparam("seen"))
    .order_by(history.c.id)
)
# One row for all that is loaded at once.
_IMPORT: Final = "import"
_NOWHERE: Final = {"word": "", "channel": "", "app_id": "", "source": ""}
_TOGETHER: Final = 10_000
# Memory for loading many keys.
_LOAD_KIB: Final = 8_000
_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DoubtfulText:
    """A message that may be meant as an opt-out, for a person to read and `decide()`.

    *id* is for `decide()`. *text* came from *addresses* on *channel* to *app_id*; *at* is in Unix
    seconds.
    """

    id: int
    text: str = field(repr=False)
    addresses: tuple[str, ...] = field(repr=False)
    channel: str
    app_id: str
    at: float


@forgetting_methods
class SuppressionList:
    """Who must not be written to: the list at *path*, which is made when it does not exist.

    *path* is that of a file, or `postgresql://host/database?list=name`. Give it to jobs as
    `exclude=`, and to a receiver by an OptOutFollower. Several processes may use one list at a
    time. Safe for threads. Its attribute `path` is None for one in a database.

    Raises: BulkError when the file is not such a list, here and in every method;
    BulkArgumentError for what is not a path or an address.
    """

    def __init__(
        self,
        path: ListPath,
        *,
        must_exist: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.address = address = list_address(path).absolute()
        self.path = address if isinstance(address, Path) else None
        self.name = address.name
        _validate.boolean("must_exist", must_exist, error=BulkArgumentError)
        self._now = _validate.function("now", now, error=BulkArgumentError)
        self._storage = open_list(address, must_exist=must_exist)
        # Two threads must not bring one filter up to date at a time.
        self._guard = threading.Lock()
        self._filter: KeyFilter | None = None
        # The entry of the history up to which the filter has all, -1 before it is read.
        self._seen = -1

    def add(self, addresses: Address | Iterable[Address]) -> int:
        """Put *addresses* on the list by hand: numbers, (channel, identity) or Recipients.

        Returns: how many. Any number of them; nothing is added when one is not an address.
        """
        keys = [key for each in _listed(addresses) for key in keys_of(each)]
        self._enter(keys, "manual", out=True)
        return len(keys)

    def remove(self, addresses: Address | Iterable[Address]) -> int:
        """Take *addresses* off the list, whoever put them there; returns how many."""
        keys = [key for each in _listed(addresses) for key in keys_of(each)]
        self._enter(keys, "manual", out=False)
        return len(keys)

    def load(self, keys: Iterable[str]) -> int:
        """Put any number of *keys* on the list in constant memory; returns how many were given."""
        at = self._micro()
        with self._storage.write() as connection:
            load = _load_file if self.path is not None else _load_server
            count = load(connection, iter(keys), at)
            _note(connection, {**_NOWHERE, "key": "", "out": 1, "at": at, "reason": _IMPORT})
            write_filter(connection)
        return count

    def load_file(self, path: str | Path) -> int:
        """Put all people in the file *path* on the list: one number per line, or a table.

        Returns: how many.
        Raises: BulkError when a line is not an international number; nothing is added then.
        """
        return self.load(file_keys(_validate.path("path", path, error=BulkArgumentError)))

    def take(self, changes: Sequence[ConsentChange]) -> None:
        """Write down *changes*; writing them twice changes nothing."""
        with self._storage.write() as connection:
            for change in changes:
                self._take(connection, change)

    def _take(self, connection: Connection, change: ConsentChange) -> None:
        keys = _keys_of_change(change)
        # A clock that is ahead must not make what comes later seem old.
        now = self._micro()
        at = now if change.at is None else min(int(change.at * _MICRO), now)
        where = {"channel": change.channel, "app_id": change.app_id, "at": at}
        if change.kind is ConsentKind.DOUBTFUL:
            source = change.source_id or f"{at} {json.dumps(keys)}"
            row = {"keys": json.dumps(keys), "text": change.text, "source": source, **where}
            connection.execute(upsert(doubtful).on_conflict_do_nothing(), row)
            return
        out = int(change.kind is ConsentKind.OUT)
        for key in keys:
            entry = {"key": key, "out": out, "at": at, "reason": change.reason}
            connection.execute(_KEEP, entry | {"firm": 0})
            past = {**entry, **where, "word": change.word, "source": change.source_id}
            _note(connection, past)

    def _enter(self, keys: Sequence[str], reason: str, *, out: bool) -> None:
        at = self._micro()
        with self._storage.write() as connection:
            for key in keys:
                entry = {"key": key, "out": int(out), "at": at, "reason": reason}
                # Off the list means off, whoever put it there; on it, until a person takes it off.
                for firm in (1,) if out else (0, 1):
                    connection.execute(_KEEP, entry | {"firm": firm})
                _note(connection, entry | _NOWHERE)

    def _micro(self) -> int:
        return int(self._now() * _MICRO)

    def among(self, keys: Sequence[str]) -> set[str]:
        """Those of *keys* that are on the list; raises BulkError when it cannot be read."""
        if not self.is_current:
            raise BulkError(
                f"suppression list {self._storage.name}: deleted, moved or replaced while it was "
                "in use: put it back, then resume"
            )
        with self._storage.read() as connection:
            with self._guard:
                possible = self._filtered(connection, keys)
            wanted = key_set(connection, possible)
            return set(connection.execute(_FOUND, {"keys": wanted}).scalars())

    def _filtered(self, connection: Connection, keys: Sequence[str]) -> Sequence[str]:
        """Those of *keys* that may be on the list."""
        if self._seen < 0:
            self._filter, self._seen = read_filter(connection)
        if self._filter is None:
            return keys
        new = connection.execute(_LATER, {"seen": self._seen}).all()
        if any(row.reason == _IMPORT for row in new):
            self._seen = -1
            return self._filtered(connection, keys)
        if new:
            self._filter.add(row.key for row in new)
            self._seen = new[-1].id
        return self._filter.possible(keys)

    @property
    def is_current(self) -> bool:
        """Whether its path still names this file, and not another one or none."""
        return self._storage.is_current

    def holds(self, address: Address) -> bool:
        """Whether *address* is on the list."""
        return bool(self.among(keys_of(address)))

    def count(self) -> int:
        """How many keys are on the list."""
        query = select(func.count(entries.c.key.distinct())).where(entries.c.out == 1)
        with self._storage.read() as connection:
            return connection.execute(query).scalar_one()

    def doubtful(self, limit: int = 1000) -> list[DoubtfulText]:
        """At most *limit* messages for a person to read, the oldest first; raises BulkError."""
        _validate.whole("limit", limit, 1, 2**31, error=BulkArgumentError)
        with self._storage.read() as connection:
            query = select(doubtful).order_by(doubtful.c.at, doubtful.c.id).limit(limit)
            rows = connection.execute(query).all()
        return [
            DoubtfulText(
                row.id, row.text, tuple(json.loads(row.keys)), row.channel, row.app_id,
                row.at / _MICRO,
            )
            for row in rows
        ]  # fmt: skip

    def decide(self, text_id: int, meaning: Literal["out", "nothing"]) -> bool:
        """Say what a doubtful message meant, by *meaning*; False for no such *text_id*.

        Raises: BulkError when the list cannot be written, BulkArgumentError for another meaning.
        """
        _validate.whole("text_id", text_id, 1, 2**62, error=BulkArgumentError)
        _validate.one_of("meaning", meaning, ("out", "nothing"), error=BulkArgumentError)
        with self._storage.write() as connection:
            row = connection.execute(select(doubtful).where(doubtful.c.id == text_id)).first()
            if row is None:
                return False
            connection.execute(delete(doubtful).where(doubtful.c.id == text_id))
            for key in json.loads(row.keys) if meaning == "out" else ():
                entry = {"key": key, "out": 1, "at": row.at, "reason": "word"}
                connection.execute(_KEEP, entry | {"firm": 0})
                where = {"channel": row.channel, "app_id": row.app_id, "source": row.source}
                _note(connection, {**entry, "word": "", **where})
        return True

    def close(self) -> None:
        """Close the file."""
        self._storage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _load_file(connection: Connection, keys: Iterator[str], at: int) -> int:
    count = 0
    # For sorting, too.
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_LOAD_KIB}")
    connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS staged (key TEXT)")
    while some := list(islice(keys, _TOGETHER)):
        count += len(some)
        connection.execute(_STAGE, {"keys": json.dumps(some)})
    # In the order of the keys each page is written once.
    connection.execute(_UNSTAGE, {"at": at})
    connection.exec_driver_sql("DROP TABLE temp.staged")
    connection.exec_driver_sql("PRAGMA cache_size = -2000")
    return count


def _load_server(connection: Connection, keys: Iterator[str], at: int) -> int:
    count = 0
    while some := list(islice(keys, _TOGETHER)):
        count += len(some)
        connection.execute(_LOAD, {"keys": key_set(connection, some), "at": at})
    return count


def _note(connection: Connection, past: Mapping[str, object]) -> None:
    """Keep what happened, once for each message or request."""
    if past["source"]:
        same = [history.c[name] == past[name] for name in ("key", "source", "out")]
        if connection.execute(select(history.c.id).where(*same).limit(1)).first():
            return
    connection.execute(insert(history), dict(past))


def _keys_of_change(change: ConsentChange) -> list[str]:
    keys = [address_key(change.channel, change.identity)] if change.identity else []
    return keys + ([contact_key(change.contact_id)] if change.contact_id else [])


def _listed(addresses: object) -> Iterator[object]:
    if isinstance(addresses, str | Mapping) or (
        isinstance(addresses, tuple) and len(addresses) == 2 and addresses[0].isalpha()  # noqa: PLR2004 (a pair)
    ):
        yield addresses
    else:
        yield from _validate.items(
            "addresses", addresses, may_be_empty=True, error=BulkArgumentError
        )


def keys_of(address: object, option: str = "addresses") -> list[str]:
    """The keys of one address; raises BulkArgumentError that names *option*."""
    wanted = "international numbers, pairs of channel and identity, or Recipients"
    keys: list[str] = []
    if isinstance(address, str):
        key = address_key("SMS", address)
        keys = [key] if key.isdigit() else []
    elif isinstance(address, Mapping):
        keys = list(recipient_keys(address))
    elif isinstance(address, tuple | list) and len(address) == 2:  # noqa: PLR2004 (a pair)
        channel, identity = address
        if isinstance(channel, str) and isinstance(identity, str) and channel and identity.strip():
            keys = [address_key(channel, identity)]
    if not keys:
        raise _validate.out_of_range(option, wanted, BulkArgumentError)
    return keys
