"""A job on disk before anything leaves: new, or the one that is there and the same."""

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
from sinch_wrapper.bulk._job_spec import Plan, check_schedule
from sinch_wrapper.bulk._journal import Job, Journal, Planned, open_job, read_job, text_fact
from sinch_wrapper.bulk._metadata import static_limits
from sinch_wrapper.bulk._report import BulkInterruptedError
from sinch_wrapper.bulk._rows import Entry, InvalidError, ItemBuilder, Skip
from sinch_wrapper.bulk._rows_fast import Block, TableRows, cut
from sinch_wrapper.bulk._rows_objects import ObjectBuilder
from sinch_wrapper.bulk._schema import pack, pack_places
from sinch_wrapper.bulk._sources import Source, Table
from sinch_wrapper.errors import BulkError

_WARNING: Final = "some recipients are contact ids, and {}, which knows channel identities only"
_SURE: Final = "the app is in dispatch mode"
_UNSURE: Final = "the app may be in dispatch mode (the default of new apps)"
_FORCED: Final = "this batch is sent in dispatch mode"


def _is_forced(request: Mapping[str, object]) -> bool:
    return request.get("processing_strategy") == "DISPATCH_ONLY"


def forced_warning(request: Mapping[str, object]) -> str:
    """What is to be said about contact ids in *request* whatever the app; empty for nothing."""
    return _WARNING.format(_FORCED) if _is_forced(request) else ""


def app_to_ask(job: Job) -> str | None:
    """The app whose mode decides about the contact ids of *job*; None when there is no question."""
    app = job.request.get("app_id")
    is_open = job.facts.get("contacts") is True and "mode" not in job.facts
    return app if is_open and isinstance(app, str) and not _is_forced(job.request) else None


def mode_warning(mode: str | None) -> str:
    """What is to be said about contact ids for an app in *mode*, None when it is not known."""
    if mode is None:
        return _WARNING.format(_UNSURE)
    return f"{_WARNING.format(_SURE)}: expect them to fail" if mode == "DISPATCH" else ""


class Builder(Protocol):
    """Builds an entry of a row, or raises InvalidError; *unused* are parameters without use.

    *block* builds all of several rows at once, or None when some must be looked at by itself.
    """

    @property
    def unused(self) -> AbstractSet[str]: ...

    def __call__(self, line: int, value: object, /) -> Entry: ...

    def block(self, rows: Sequence[tuple[int, object]], /) -> Block | None: ...


def opened_rows(plan: Plan, source: Source) -> tuple[Builder, Iterator[tuple[int, object]]]:
    """Open *source*: its rows, and what builds entries of them.

    Raises: BulkError when it cannot be read or lacks a column.
    """
    opened = source.open()
    if not plan.kind.is_messages:
        rows = opened.rows
        if isinstance(opened, Table):
            names = opened.header
            rows = ((line, dict(zip(names, cells, strict=False))) for line, cells in opened.rows)
        return ItemBuilder(plan.kind.name), rows
    limits = static_limits(plan.request)
    if isinstance(opened, Table):
        at = layout(plan.columns, opened.header, plan.needed, source.name)
        return TableRows(at, limits), opened.rows
    return ObjectBuilder(plan.columns, plan.needed, limits, source.name), opened.rows


_SHOWN: Final = 5
_CONTACT: Final = b'{"recipient":{"contact_id":'


class Sink(Protocol):
    """Where requests go."""

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Take a request, packed."""

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are not sent."""


class Loader:
    """Reads a source once, as a plan says; afterwards it knows the counts and a digest."""

    def __init__(self, plan: Plan, source: Source, sink: Sink, stopped: Callable[[], bool]) -> None:
        self._plan = plan
        self._source = source
        self._sink = sink
        self._stopped = stopped
        self._hash = hashlib.sha256()
        self._skips: list[Skip] = []
        self._seen = SeenIdentities() if plan.rules.on_duplicate != "send" else None
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
        build, rows = opened_rows(self._plan, self._source)
        rules = self._plan.rules
        waiting: list[Entry] = []
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
        """Take repeated recipients out of *journal*, into which all was read."""
        if self._seen is not None:
            for skip in drop_repeated(journal, self._plan.kind, self._seen.repeated()):
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
        """Raise BulkError when the rules stop the job for what was found."""
        rules, found, choices = self._plan.rules, [], []
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
        if len(self._skips) >= self._plan.rules.chunk_size:
            self._sink.skip(self._skips)
            self._skips = []

    def _cut(self, entries: list[Entry]) -> None:
        is_messages = self._plan.kind.is_messages
        blocks, skips = cut(entries, self._plan.rules.chunk_bytes, is_messages=is_messages)
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


_TOGETHER: Final = 32


class _JournalSink:
    """Writes requests into the journal, several in one transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._chunks: list[Planned] = []
        self._skips: list[Skip] = []
        self._next = 0

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Take a request, packed."""
        self._chunks.append(Planned(self._next, count, items, places))
        self._next += 1
        if len(self._chunks) >= _TOGETHER:
            self.flush()

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are not sent."""
        self._skips += skips

    def flush(self) -> None:
        """Write what is waiting."""
        with self._journal.write() as connection:
            self._journal.add(connection, self._chunks)
            self._journal.skip(connection, self._skips)
        self._chunks, self._skips = [], []


class _NoSink:
    """Forgets everything: for reading recipients again only to compare them."""

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Forget it."""

    def skip(self, skips: list[Skip]) -> None:
        """Forget them."""


def prepare(  # noqa: PLR0913, PLR0917 (all that a job is made of)
    journal: Journal,
    plan: Plan,
    source: Source,
    project: str,
    wall: Callable[[], float],
    stopped: Callable[[], bool],
) -> Job:
    """Read *source* into *journal*, or check that the job that is there is the same.

    Raises: BulkError, and then nothing was or will be sent.
    """
    job = read_job(journal)
    if job is not None:
        _check_same(job, plan, source, project, stopped)
        return job
    now = wall()
    check_schedule(plan.request, datetime.fromtimestamp(now, UTC))
    digest = source.digest()
    loader = _loaded(journal, plan, source, stopped)
    with journal.write() as connection:
        journal.note(
            connection,
            job=secrets.token_hex(8),
            state="ready",
            kind=plan.kind.name,
            project=project,
            request=plan.request,
            columns=plan.columns.as_json(),
            rules=_rules(plan),
            source=source.name,
            digest=digest or loader.digest(),
            cut=[plan.rules.chunk_size, plan.rules.chunk_bytes],
            contacts=loader.by_contact,
            warnings=[*plan.warnings, *_warnings(plan, loader)],
            parent=plan.parent,
            created=now,
        )
    return open_job(journal)


def _loaded(journal: Journal, plan: Plan, source: Source, stopped: Callable[[], bool]) -> Loader:
    with journal.write() as connection:
        journal.empty(connection)
        journal.note(connection, state="loading")
    sink = _JournalSink(journal)
    loader = Loader(plan, source, sink, stopped)
    try:
        loader.run()
        sink.flush()
        loader.drop_duplicates(journal)
    finally:
        loader.close()
    loader.refuse_if_needed()
    return loader


def _rules(plan: Plan) -> Mapping[str, object]:
    return {"on_invalid": plan.rules.on_invalid, "on_duplicate": plan.rules.on_duplicate}


def _warnings(plan: Plan, loader: Loader) -> list[str]:
    found = []
    if loader.unused:
        names = ", ".join(repr(name) for name in sorted(loader.unused)[:20])
        found.append(f"parameters that no placeholder uses: {names}")
    if loader.by_contact and (forced := forced_warning(plan.request)):
        found.append(forced)
    return found


def _digest(job: Job, plan: Plan, source: Source, stopped: Callable[[], bool]) -> str:
    """Read recipients again, cut as they were, only to compare them."""
    size, most = cast("list[int]", job.facts.get("cut") or [1, 1])
    rules = replace(plan.rules, chunk_size=size, chunk_bytes=most)
    loader = Loader(replace(plan, rules=rules), source, _NoSink(), stopped)
    try:
        loader.run()
    finally:
        loader.close()
    return loader.digest()


def _check_same(
    job: Job, plan: Plan, source: Source, project: str, stopped: Callable[[], bool]
) -> None:
    differences = _differences(job, plan, project)
    if not differences:
        digest = source.digest() or _digest(job, plan, source, stopped)
        if digest != text_fact(job.facts, "digest"):
            differences = [f"list of recipients ({source.name})"]
    if differences:
        raise BulkError(
            f"journal {job.journal.name}: it was made with a different {', '.join(differences)}: "
            "resume it to go on with what it has, or give the new job another file"
        )


def _differences(job: Job, plan: Plan, project: str) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        "project": (job.project, project),
        "operation": (job.kind.name, plan.kind.name),
        "columns": (job.facts.get("columns"), plan.columns.as_json()),
        "rules": (job.facts.get("rules"), _rules(plan)),
    }
    for name in sorted({*job.request, *plan.request}):
        pairs[name] = (job.request.get(name), plan.request.get(name))
    return [name for name, (old, new) in pairs.items() if old != new]
