"""Whom a job leaves out: suppression lists, which others may change meanwhile, and its own copy.

Files, iterables and the API's consents are copied into the journal when the job begins, and files
again when they have changed. Everything is looked at when a request is built.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, cast

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    MetaData,
    Table,
    bindparam,
    delete,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from sinch_wrapper.bulk._address_files import file_keys
from sinch_wrapper.bulk._addresses import recipient_keys, request_keys
from sinch_wrapper.bulk._campaign import ExcludeOption
from sinch_wrapper.bulk._chunks import Chunk, NewChunk
from sinch_wrapper.bulk._damage import sound
from sinch_wrapper.bulk._job_url import JobAddress, JobURL, ListAddress, ListURL
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._key_sets import asked, key_set
from sinch_wrapper.bulk._pieces import Entry, entries_of, request_of
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._schema import SUPPRESSED, Words, bodies, facts, skipped, unpack
from sinch_wrapper.bulk._suppression import SuppressionList
from sinch_wrapper.errors import BulkError

_TOGETHER: Final = 10_000
# Before the name of a list in the database of the journal itself; no absolute path begins so.
_HERE: Final = "list:"
EXCLUDED: Final = "exclude"
"""The fact of a job that leaves somebody out."""

# In journals of jobs that exclude somebody.
_own = MetaData()
_excluded = Table(
    "excluded",
    _own,
    Column("key", Words, primary_key=True),
    Column("source", Words, nullable=False),
    sqlite_with_rowid=False,
)
_SOURCE: Final[BindParameter[str]] = bindparam("source", type_=Words)
_KEEP: Final = (
    upsert(_excluded)
    .from_select(["key", "source"], select(asked.c.value, _SOURCE).where(true()))
    .on_conflict_do_nothing()
)
_FOUND: Final = select(_excluded).where(_excluded.c.key.in_(select(asked.c.value)))


def exclude(journal: Journal, given: ExcludeOption, more: Mapping[str, Iterable[str]]) -> None:
    """Write into *journal* whom its job leaves out, beside what it knows already.

    Files are read again. *more* are other keys, by where they come from.

    Raises: BulkError for a list or file that cannot be read.
    """
    known = known_exclusions(journal.address, journal.facts())
    both = ExcludeOption(
        tuple(dict.fromkeys((*known.lists, *given.lists))),
        tuple(dict.fromkeys((*known.files, *given.files))),
        given.keys,
        known.consents or given.consents,
        given.job,
    )
    if not both and not any(more.values()):
        return
    for path in both.lists:
        SuppressionList(path, must_exist=True).close()
    with journal.write() as connection:
        _excluded.create(connection, checkfirst=True)
        for path in both.files:
            _keep(connection, path.name, file_keys(path))
        for source, keys in {"exclude=": both.keys, **more}.items():
            _keep(connection, source, keys)
        if both.job is not None:
            _keep(connection, both.job.name, _keys_in(both.job))
        lists = [_stored(each, journal) for each in both.lists]
        files = [*map(str, both.files)]
        fact = {"lists": lists, "files": files, "consents": both.consents}
        journal.note(connection, **{EXCLUDED: fact})


def forget_exclusions(journal: Journal) -> None:
    """Forget whom a job leaves out whose reading was interrupted."""
    if EXCLUDED in journal.facts():
        with journal.write() as connection:
            connection.execute(delete(_excluded))
            connection.execute(delete(facts).where(facts.c.name == EXCLUDED))


def _keys_in(path: JobAddress) -> Iterator[str]:
    """The keys of people that the job at *path* leaves out, as far as it has them itself."""
    journal, last = Journal(path, must_exist=True), ""
    try:
        while EXCLUDED in journal.facts():
            query = select(_excluded.c.key).where(_excluded.c.key > last)
            with journal.read() as connection:
                some = connection.execute(query.order_by(_excluded.c.key).limit(_TOGETHER))
                found = list(some.scalars())
            yield from found
            if not found:
                return
            last = found[-1]
    finally:
        journal.close()


def known_exclusions(journal: JobAddress | None, known: Mapping[str, object]) -> ExcludeOption:
    """The lists and files of the job in *journal* with the facts *known*, and its `consents`.

    Raises: BulkError when they are damaged.
    """
    if EXCLUDED not in known:
        return ExcludeOption()
    with sound("of the job"):
        found = cast("Mapping[str, object]", known[EXCLUDED])
        lists = tuple(_restored(each, journal) for each in cast("list[str]", found["lists"]))
        files = tuple(map(Path, cast("list[str]", found["files"])))
        return ExcludeOption(lists, files, consents=bool(found["consents"]))


def _stored(address: ListAddress, journal: Journal) -> str:
    """What a journal keeps of where a list is: nothing by which one can connect."""
    if isinstance(address, Path):
        return str(address)
    if not address.shares_database_with(journal.address):
        raise BulkError(
            f"suppression list {address.name}: a list in a database is for jobs in the same one: "
            "keep the job there, too"
        )
    return f"{_HERE}{address.name}"


def _restored(stored: str, journal: JobAddress | None) -> ListAddress:
    if isinstance(journal, JobURL) and stored.startswith(_HERE):
        return ListURL(journal.database, stored.removeprefix(_HERE))
    return Path(stored)


def _keep(connection: Connection, source: str, keys: Iterable[str]) -> None:
    given = iter(keys)
    while some := list(islice(given, _TOGETHER)):
        connection.execute(_KEEP, {"source": source, "keys": key_set(connection, some)})


class Exclusions:
    """Whom *job* leaves out, as of now.

    Raises: BulkError when a list or file cannot be read.
    """

    def __init__(self, job: Job) -> None:
        self._known = known_exclusions(job.journal.address, job.facts)
        self.is_any = job.facts.get(EXCLUDED) is not None
        self._lists: list[SuppressionList] | None = None
        # Whether the journal itself has any, None before it was asked.
        self._has_own: bool | None = None
        self._files: dict[Path, tuple[int, int, int]] = {}

    def close(self) -> None:
        """Close the lists."""
        for each in self._lists or ():
            each.close()
        self._lists = None

    def sift(
        self, connection: Connection, items: bytes, places: bytes
    ) -> tuple[list[Entry], list[Skip]]:
        """Divide a packed request: who stays, and who is left out; nobody stays when all do."""
        reasons = self._among(connection, unpack(items)) if self.is_any else {}
        kept: list[Entry] = []
        gone: list[Skip] = []
        # Nothing is made of the recipients when all of them stay.
        for entry in entries_of(items, places) if reasons else ():
            item, line, key = entry
            if reason := _reason(item, reasons):
                gone.append(Skip(line, key, reason))
            else:
                kept.append(entry)
        return kept, gone

    def _among(self, connection: Connection, items: bytes) -> dict[str, str]:
        """The keys in a request, whose items are JSON, that are excluded, each with the reason."""
        keys, lists = request_keys(items), self._opened()
        for path, state in self._files.items():
            if (now := _state_of(path)) != state:
                _keep(connection, path.name, file_keys(path))
                self._files[path] = now
                self._has_own = None
        if self._has_own is None:
            own = connection.execute(select(_excluded.c.key).limit(1)).first()
            self._has_own = own is not None
        asked_for = {"keys": key_set(connection, keys)}
        rows = connection.execute(_FOUND, asked_for).all() if self._has_own else ()
        found = {row.key: f"excluded by {row.source}" for row in rows}
        for each in lists:
            found |= dict.fromkeys(each.among(keys), f"on the list {each.name}")
        return found

    def _opened(self) -> list[SuppressionList]:
        if self._lists is None:
            self._lists = [SuppressionList(path, must_exist=True) for path in self._known.lists]
            self._files = {path: _state_of(path) for path in self._known.files}
        return self._lists


def _state_of(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise BulkError(f"{path.name}: cannot be read: {words}: put it back, then resume") from None
    return found.st_mtime_ns, found.st_size, found.st_ino


def leave_out(
    journal: Journal, connection: Connection, chunk: Chunk, left: NewChunk, gone: Sequence[Skip]
) -> Chunk:
    """Write down that of the recipients of *chunk* only those in *left* will leave.

    Without any it is deleted.
    """
    rows = [skip._asdict() | {"duplicate": SUPPRESSED} for skip in gone]
    connection.execute(insert(skipped), rows)
    if not left.count:
        journal.replace(connection, left)
    else:
        values = {"content": left.content, "places": left.places}
        connection.execute(update(bodies).where(bodies.c.chunk == chunk.id).values(**values))
        journal.set(connection, chunk.id, count=left.count)
    return replace(chunk, count=left.count)


def _reason(item: Mapping[str, object], reasons: Mapping[str, str]) -> str:
    """Why the recipient of *item* is left out; empty when it is not."""
    return next(
        (reasons[key] for key in recipient_keys(item.get("recipient")) if key in reasons), ""
    )


def leave_out_now(journal: Journal, job: Job) -> Iterator[tuple[dict[str, object], int]]:
    """Leave out of the new *job* in *journal* whom it excludes by now; returns them, with lines.

    Raises: BulkError when a list or file cannot be read.
    """
    exclusions = Exclusions(job)
    try:
        for chunk in journal.each() if exclusions.is_any else ():
            with journal.write() as connection:
                items, places = journal.body(connection, chunk.id)
                kept, gone = exclusions.sift(connection, items, places)
                if gone:
                    left = request_of(chunk.id, kept, is_messages=True)
                    leave_out(journal, connection, chunk, left, gone)
            lines = {skip.line for skip in gone}
            for item, line, _ in entries_of(items, places) if lines else ():
                if line in lines:
                    yield item, line
    finally:
        exclusions.close()
