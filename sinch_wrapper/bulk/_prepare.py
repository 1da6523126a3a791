"""A job on disk before anything leaves: read from its source, or found there and the same."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Protocol, cast

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._columns import layout
from sinch_wrapper.bulk._duplicates import SeenIdentities, drop_repeated
from sinch_wrapper.bulk._job_spec import JobSpec, check_schedule
from sinch_wrapper.bulk._journal import Job, Journal, NewChunk, open_job, read_job, text_fact
from sinch_wrapper.bulk._metadata import static_limits
from sinch_wrapper.bulk._pieces import as_fact, cut_first, hold_back
from sinch_wrapper.bulk._report import BulkInterruptedError
from sinch_wrapper.bulk._rows import InvalidError, ItemBuilder, RowEntry, Skip
from sinch_wrapper.bulk._rows_fast import Block, TableRows, cut
from sinch_wrapper.bulk._rows_objects import ObjectBuilder
from sinch_wrapper.bulk._schema import pack, pack_places
from sinch_wrapper.bulk._sources import Source, Table
from sinch_wrapper.errors import BulkError

_WARNING: Final = "some recipients are contact ids, and {}, which knows channel identities only"
_SURE: Final = "the app is in dispatch mode"
_UNSURE: Final = "the app may be in dispatch mode (the default of new apps)"
_FORCED: Final = "this batch is sent in dispatch mode"
# Rows that an error names.
_SHOWN: Final = 5
# Requests that are written in one transaction.
_TOGETHER: Final = 32
# How a recipient with a contact id begins.
_CONTACT: Final = b'{"recipient":{"contact_id":'


def _is_forced(request: Mapping[str, object]) -> bool:
    return request.get("processing_strategy") == "DISPATCH_ONLY"


def forced_warning(request: Mapping[str, object]) -> str:
    """The warning about contact ids in *request* whatever the app; empty for none."""
    return _WARNING.format(_FORCED) if _is_forced(request) else ""


def app_to_ask(job: Job) -> str | None:
    """The app whose mode decides about the contact ids of *job*; None when it need not be asked."""
    app = job.request.get("app_id")
    is_open = job.facts.get("contacts") is True and "mode" not in job.facts
    return app if is_open and isinstance(app, str) and not _is_forced(job.request) else None


def mode_warning(mode: str | None) -> str:
    """The warning about contact ids for an app in *mode*, None for unknown; empty for none."""
    if mode is None:
        return _WARNING.format(_UNSURE)
    return f"{_WARNING.format(_SURE)}: expect them to fail" if mode == "DISPATCH" else ""


class Builder(Protocol):
    """Makes what the requests hold out of rows."""

    @property
    def unused(self) -> AbstractSet[str]:
        """Parameters that no placeholder uses."""
        ...

    def __call__(self, line: int, value: object, /) -> RowEntry:
        """Build the entry of one row; raises InvalidError."""
        ...

    def block(self, rows: Sequence[tuple[int, object]], /) -> Block | None:
        """Build all *rows* at once; None when one of them must be built by itself."""
        ...


def opened_rows(spec: JobSpec, source: Source) -> tuple[Builder, Iterator[tuple[int, object]]]:
    """Open *source*: what builds entries of its rows, and the rows.

    Raises: BulkError when it cannot be read or lacks a column.
    """
    opened = source.open()
    if not spec.kind.is_messages:
        rows = opened.rows
        if isinstance(opened, Table):
            names = opened.header
            rows = ((line, dict(zip(names, cells, strict=False))) for line, cells in opened.rows)
        return ItemBuilder(spec.kind.name), rows
    limits = static_limits(spec.request)
    if isinstance(opened, Table):
        at = layout(spec.columns, opened.header, spec.needed, source.name)
        return TableRows(at, limits), opened.rows
    return ObjectBuilder(spec.columns, spec.needed, limits, source.name), opened.rows


class Sink(Protocol):
    """Takes what a Loader has read."""

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Take a request of *count* recipients, packed."""

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are left out."""


class Loader:
    """Reads a source once, as *spec* says; afterwards it has the counts and a digest."""

    def __init__(
        self, spec: JobSpec, source: Source, sink: Sink, stopped: Callable[[], bool]
    ) -> None:
        self._spec = spec
        self._source = source
        self._sink = sink
        self._stopped = stopped
        self._hash = hashlib.sha256()
        self._skips: list[Skip] = []
        self._seen = SeenIdentities() if spec.rules.on_duplicate != "send" else None
        self.total = 0
        self.invalid = 0
        self.duplicates = 0
        self._first_invalid: list[Skip] = []
        self._first_repeated: list[Skip] = []
        self.by_contact = False
        self.unused: frozenset[str] = frozenset()

    def run(self) -> None:
        """Read it all.

        Raises: BulkError for what cannot be read, BulkInterruptedError when it is stopped.
        """
        build, rows = opened_rows(self._spec, self._source)
        rules = self._spec.rules
        waiting: list[RowEntry] = []
        while some := list(islice(rows, rules.chunk_size - len(waiting))):
            if self._stopped():
                raise BulkInterruptedError(
                    f"{self._source.name}: stopped while reading, nothing was sent: "
                    "start the job again with the same recipients"
                )
            block = None if waiting else build.block(some)
            if block is not None and len(block.content) <= rules.chunk_bytes:
                self._take(block)
                continue
            for line, value in some:
                try:
                    waiting.append(build(line, value))
                except InvalidError as error:
                    self._refuse(Skip(line, error.key, error.reason, error.column))
            if len(waiting) == rules.chunk_size:
                self._cut(waiting)
                waiting = []
        self._cut(waiting)
        self._sink.skip(self._skips)
        self.unused = frozenset(build.unused)

    def drop_duplicates(self, journal: Journal) -> None:
        """Take repeated recipients out of *journal*, into which all recipients were read."""
        if self._seen is not None:
            for skip in drop_repeated(journal, self._spec.kind, self._seen.repeated()):
                self.duplicates += 1
                if len(self._first_repeated) < _SHOWN:
                    self._first_repeated.append(skip)

    def close(self) -> None:
        """Remove temporary files."""
        if self._seen is not None:
            self._seen.close()

    def digest(self) -> str:
        """SHA-256 of all requests, for sources that have no digest of their own."""
        return self._hash.hexdigest()

    def refuse_if_needed(self) -> None:
        """Raise BulkError when the rules stop the job because of what was found."""
        rules, found, choices = self._spec.rules, [], []
        first: list[Skip] = []
        if rules.on_invalid == "stop" and self.invalid:
            found.append(f"{counted(self.invalid, 'row')} cannot be sent")
            choices.append('on_invalid="skip" (--on-invalid skip)')
            first += self._first_invalid
        if rules.on_duplicate == "stop" and self.duplicates:
            verb = "repeats" if self.duplicates == 1 else "repeat"
            found.append(f"{counted(self.duplicates, 'row')} {verb} a recipient")
            choices.append('on_duplicate="skip" (--on-duplicate skip)')
            first += self._first_repeated
        if found:
            places = "; ".join(map(_place, first[:_SHOWN]))
            raise BulkError(
                f"{self._source.name}: {' and '.join(found)}, nothing was sent ({places}): "
                f"correct the input, or leave such rows out with {' and '.join(choices)}"
            )

    def _refuse(self, skip: Skip) -> None:
        self._skips.append(skip)
        self.invalid += 1
        if len(self._first_invalid) < _SHOWN:
            self._first_invalid.append(skip)
        if len(self._skips) >= self._spec.rules.chunk_size:
            self._sink.skip(self._skips)
            self._skips = []

    def _cut(self, entries: list[RowEntry]) -> None:
        is_messages = self._spec.kind.is_messages
        blocks, skips = cut(entries, self._spec.rules.chunk_bytes, is_messages=is_messages)
        for skip in skips:
            self._refuse(skip)
        for block in blocks:
            self._take(block)

    def _take(self, block: Block) -> None:
        if self._seen is not None:
            self._seen.add(block.identities)
        if self._source.path is None:
            self._hash.update(block.content)
        self.by_contact = self.by_contact or _CONTACT in block.content
        self.total += len(block.lines)
        self._sink.add(len(block.lines), pack(block.content), pack_places(block.lines, block.keys))


def _place(skip: Skip) -> str:
    column = f", {skip.column}" if skip.column else ""
    return f"line {skip.line}{column}: {skip.reason}"


class _JournalSink:
    """Writes requests into the journal, several in one transaction."""

    def __init__(self, journal: Journal, *, in_pieces: bool) -> None:
        self._journal = journal
        # Until the first requests are written.
        self._in_pieces = in_pieces
        self._chunks: list[NewChunk] = []
        self._skips: list[Skip] = []
        self._next = 0

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Write a request, a little later."""
        self._chunks.append(NewChunk(self._next, count, items, places))
        self._next += 1
        if len(self._chunks) >= _TOGETHER:
            self.flush()

    def skip(self, skips: list[Skip]) -> None:
        """Write rows that are left out, a little later."""
        self._skips += skips

    def flush(self) -> None:
        """Write what add() and skip() have left to write."""
        if self._in_pieces:
            self._in_pieces = False
            self._chunks = cut_first(self._chunks)
            self._next = len(self._chunks)
        with self._journal.write() as connection:
            self._journal.add(connection, self._chunks)
            self._journal.skip(connection, self._skips)
        self._chunks, self._skips = [], []


class _NoSink:
    """Keeps nothing: for reading recipients again only to compare their digest."""

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Keep nothing of a request."""

    def skip(self, skips: list[Skip]) -> None:
        """Keep nothing of rows that are left out."""


def prepare(  # noqa: PLR0913, PLR0917 (all that a job is made of)
    journal: Journal,
    spec: JobSpec,
    source: Source,
    project: str,
    wall: Callable[[], float],
    stopped: Callable[[], bool],
) -> Job:
    """Read *source* into *journal*, or check that the job in it is the same.

    *wall* gives Unix seconds; once *stopped* returns True, reading ends.

    Raises: BulkError; nothing was sent, and nothing will be.
    """
    job = read_job(journal)
    if job is not None:
        _check_same(job, spec, source, project, stopped)
        return job
    now, digest = wall(), source.digest()
    check_schedule(spec.request, datetime.fromtimestamp(now, UTC))
    loader = _loaded(journal, spec, source, stopped)
    facts = {
        "job": secrets.token_hex(8),
        "state": "ready",
        "project": project,
        "source": source.name,
        "digest": digest or loader.digest(),
        "contacts": loader.by_contact,
        "warnings": _warnings(spec, loader),
        "created": now,
        **(as_fact(hold_back(journal)) if spec.kind.doubt == "look_up" else {}),
    }
    with journal.write() as connection:
        journal.note(connection, **_facts(spec), **facts)
    return open_job(journal)


def _facts(spec: JobSpec) -> dict[str, object]:
    """What the journal keeps of *spec*."""
    return {
        "kind": spec.kind.name,
        "request": spec.request,
        "columns": spec.columns.as_json(),
        "rules": _rules(spec),
        "cut": [spec.rules.chunk_size, spec.rules.chunk_bytes],
        "parent": spec.parent,
    }


def _loaded(journal: Journal, spec: JobSpec, source: Source, stopped: Callable[[], bool]) -> Loader:
    with journal.write() as connection:
        journal.empty(connection)
        journal.note(connection, state="loading")
    sink = _JournalSink(journal, in_pieces=spec.kind.doubt == "look_up")
    loader = Loader(spec, source, sink, stopped)
    try:
        loader.run()
        sink.flush()
        loader.drop_duplicates(journal)
    finally:
        loader.close()
    loader.refuse_if_needed()
    return loader


def _rules(spec: JobSpec) -> Mapping[str, object]:
    return {"on_invalid": spec.rules.on_invalid, "on_duplicate": spec.rules.on_duplicate}


def _warnings(spec: JobSpec, loader: Loader) -> list[str]:
    found = []
    if loader.unused:
        names = ", ".join(repr(name) for name in sorted(loader.unused)[:20])
        found.append(f"parameters that no placeholder uses: {names}")
    if loader.by_contact and (forced := forced_warning(spec.request)):
        found.append(forced)
    return found


def _digest(job: Job, spec: JobSpec, source: Source, stopped: Callable[[], bool]) -> str:
    """Read recipients again, cut as they were, only to compare them."""
    size, most = cast("list[int]", job.facts.get("cut") or [1, 1])
    rules = replace(spec.rules, chunk_size=size, chunk_bytes=most)
    loader = Loader(replace(spec, rules=rules), source, _NoSink(), stopped)
    try:
        loader.run()
    finally:
        loader.close()
    return loader.digest()


def _check_same(
    job: Job, spec: JobSpec, source: Source, project: str, stopped: Callable[[], bool]
) -> None:
    differences = _differences(job, spec, project)
    if not differences:
        digest = source.digest() or _digest(job, spec, source, stopped)
        if digest != text_fact(job.facts, "digest"):
            differences = [f"recipients ({source.name})"]
    if differences:
        raise BulkError(
            f"journal {job.journal.name}: created with different {' and '.join(differences)}: "
            "resume it as it is, or choose another file with job= (--job)"
        )


def _differences(job: Job, spec: JobSpec, project: str) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        "project": (job.project, project),
        "operation": (job.kind.name, spec.kind.name),
        "columns": (job.facts.get("columns"), spec.columns.as_json()),
        "rules": (job.facts.get("rules"), _rules(spec)),
    }
    for name in sorted({*job.request, *spec.request}):
        pairs[name] = (job.request.get(name), spec.request.get(name))
    return [name for name, (old, new) in pairs.items() if old != new]
