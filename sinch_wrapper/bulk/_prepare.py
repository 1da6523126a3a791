"""A job on disk before anything leaves: read from its source, or found there and the same."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._arrangement import Arrangement
from sinch_wrapper.bulk._caps import Caps
from sinch_wrapper.bulk._chunks import NewChunk
from sinch_wrapper.bulk._exclusions import exclude, forget_exclusions, leave_out_now
from sinch_wrapper.bulk._job_spec import JobSpec, check_schedule
from sinch_wrapper.bulk._journal import Job, Journal, open_job, read_job, text_fact
from sinch_wrapper.bulk._loader import Loader, Notify, Sink, unheard
from sinch_wrapper.bulk._measuring import Measure
from sinch_wrapper.bulk._pieces import cut_first
from sinch_wrapper.bulk._preview import Preview, entries_in, keep_open, preview_of
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._replacing import forget_job, is_free
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._rows_fast import Block
from sinch_wrapper.bulk._schema import pack, pack_places
from sinch_wrapper.bulk._sources import Source
from sinch_wrapper.errors import BulkError
from sinch_wrapper.parameters import lookalikes

_WARNING: Final = "some recipients are contact ids, and {}, which knows channel identities only"
_SURE: Final = "the app is in dispatch mode"
_UNSURE: Final = "the app may be in dispatch mode (the default of new apps)"
_FORCED: Final = "this batch is sent in dispatch mode"
# Requests that are written in one transaction.
_TOGETHER: Final = 32


_NOBODY: Final[Mapping[str, Iterable[str]]] = {}
_UNASKED: Final = "a preview does not ask the API who has opted out (consents=)"
_NO_CAPS: Final = Caps()
_USUAL_LIMITS: Final = MessageLimits()
_REPLACED: Final = "this job replaces another one in its journal, of which nothing was accepted"
# Duplicates that are more than a slip.
_MANY: Final = 10


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


def warn(journal: Journal, words: Iterable[str]) -> None:
    """Write warnings into *journal*, each once."""
    found = journal.facts().get("warnings")
    known = found if isinstance(found, list) else []
    if new := [each for each in words if each and each not in known]:
        with journal.write() as connection:
            journal.note(connection, warnings=[*known, *new])


class _JournalSink:
    """Writes requests into the journal, several in one transaction."""

    def __init__(self, journal: Journal, *, in_pieces: bool) -> None:
        self._journal = journal
        # Until the first requests are written.
        self._in_pieces = in_pieces
        self._chunks: list[NewChunk] = []
        self._skips: list[Skip] = []
        self._next = 0

    def add(self, block: Block) -> None:
        """Write a request, a little later."""
        packed = pack(block.content), pack_places(block.lines, block.keys)
        self._chunks.append(NewChunk(self._next, len(block.lines), *packed))
        self._next += 1
        if len(self._chunks) >= _TOGETHER:
            self.flush()

    def skip(self, skips: list[Skip]) -> None:
        """Write rows that are left out, a little later."""
        self._skips += skips

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Do nothing: the recipient has left the journal."""

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


class _BothSinks:
    """Hands all to a sink and to what counts it."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    def add(self, block: Block) -> None:
        """Hand on a request."""
        for sink in self._sinks:
            sink.add(block)

    def skip(self, skips: list[Skip]) -> None:
        """Hand on rows that are left out."""
        for sink in self._sinks:
            sink.skip(skips)

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Hand on a repeated recipient."""
        for sink in self._sinks:
            sink.drop(item, line)


class _NoSink:
    """Keeps nothing: for reading recipients again only to compare their digest."""

    def add(self, block: Block) -> None:
        """Keep nothing of a request."""

    def skip(self, skips: list[Skip]) -> None:
        """Keep nothing of rows that are left out."""

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Keep nothing of a repeated recipient."""


def prepare(  # noqa: PLR0913, PLR0917 (all that a job is made of)
    journal: Journal,
    spec: JobSpec,
    source: Source,
    project: str,
    wall: Callable[[], float],
    stopped: Callable[[], bool],
    excluded: Mapping[str, Iterable[str]] = _NOBODY,
    caps: Caps = _NO_CAPS,
    limits: MessageLimits = _USUAL_LIMITS,
    notify: Notify = unheard,
) -> Job:
    """Read *source* into *journal*, or check that the job in it is the same.

    A job of which nothing was accepted gives its journal free for another one.

    *wall* gives Unix seconds; once *stopped* returns True, reading ends. *excluded* are keys of
    people to leave out, by where they come from, beside those that *spec* names. A new job keeps to
    *caps*.

    Raises: BulkError; nothing was sent, and nothing will be.
    """
    job = read_job(journal)
    if job is not None and _is_same(job, spec, source, project, stopped):
        exclude(journal, spec.campaign.exclude, excluded)
        return open_job(journal)
    now = wall()
    check_schedule(spec.request, datetime.fromtimestamp(now, UTC))
    forget_exclusions(journal)
    if job is not None:
        forget_job(journal)
    exclude(journal, spec.campaign.exclude, excluded)
    facts = _read(journal, spec, source, stopped, caps, limits, notify, now)
    if job is not None:
        facts["warnings"] = [*cast("list[str]", facts["warnings"]), _REPLACED]
    facts |= {"job": secrets.token_hex(8), "state": "ready", "project": project, "created": now}
    with journal.write() as connection:
        journal.note(connection, **_facts(spec), **facts)
    return open_job(journal)


def _read(  # noqa: PLR0913, PLR0917 (as above)
    journal: Journal,
    spec: JobSpec,
    source: Source,
    stopped: Callable[[], bool],
    caps: Caps,
    limits: MessageLimits,
    notify: Notify,
    now: float,
) -> dict[str, object]:
    """Read *source* into *journal* at *now*; returns the facts about what was read."""
    digest, arrangement = source.digest(), Arrangement(journal, spec, now)
    measure = Measure(spec.request, caps.table) if caps.need_preview else None
    loader = _loaded(journal, spec, source, stopped, notify, measure, arrangement)
    loader.refuse_if_needed()
    arranged = arrangement.finish()
    if measure is not None:
        caps.refuse(_seen(journal, spec, source, loader, measure, limits, arrangement))
    return {
        "source": source.name,
        # For reports that read it again.
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "digest": digest or loader.digest(),
        "contacts": loader.by_contact,
        "warnings": _warnings(spec, loader),
        "understood": loader.understood,
        **arranged,
    }


def _facts(spec: JobSpec) -> dict[str, object]:
    """What the journal keeps of *spec*."""
    return {
        "kind": spec.kind.name,
        "request": spec.request,
        "columns": spec.columns.as_json(),
        "rules": _rules(spec),
        "cut": [spec.rules.chunk_size, spec.rules.chunk_bytes],
        "parent": spec.parent,
        "damaged": len(spec.damage),
    }


def look_ahead(  # noqa: PLR0913, PLR0917 (as prepare, without a journal)
    spec: JobSpec,
    source: Source,
    caps: Caps,
    limits: MessageLimits,
    wall: Callable[[], float],
    stopped: Callable[[], bool],
    notify: Notify = unheard,
) -> Preview:
    """Read *source* as prepare() does, and say what the job would do; nothing is kept on disk.

    Raises: BulkError for what cannot be read; what is wrong with rows is in the preview.
    """
    check_schedule(spec.request, datetime.fromtimestamp(wall(), UTC))
    measure = Measure(spec.request, caps.table)
    journal = Journal(None)
    arrangement = Arrangement(journal, spec, wall())
    try:
        exclude(journal, spec.campaign.exclude, _NOBODY)
        loader = _loaded(journal, spec, source, stopped, notify, measure, arrangement)
        arrangement.finish()
        found = _seen(journal, spec, source, loader, measure, limits, arrangement)
    except BaseException:
        journal.close()
        raise
    refusals = tuple(filter(None, (loader.refusal(), *caps.refusals(found))))
    unasked = (_UNASKED,) if spec.campaign.exclude.consents else ()
    found = replace(found, refusals=refusals, warnings=(*found.warnings, *unasked))
    return keep_open(found, journal)


def _seen(  # noqa: PLR0913, PLR0917 (as above)
    journal: Journal,
    spec: JobSpec,
    source: Source,
    loader: Loader,
    measure: Measure,
    limits: MessageLimits,
    arrangement: Arrangement,
) -> Preview:
    """What the job that was read into *journal* would do, without those whom it excludes now."""
    job = Job(journal, "", spec.kind, "", spec.request, journal.facts())
    gone = leave_out_now(journal, job)
    if spec.campaign.window is None:
        for item, line in gone:
            measure.drop(item, line)
    else:
        # Those for whom the window never opens have left the journal after they were counted.
        deque(gone, maxlen=0)
        measure = Measure(spec.request, measure.prices)
        for item, line, _ in entries_in(journal):
            measure.count(line, item)
    names, warnings = (source.name, loader.understood), _warnings(spec, loader)
    found = preview_of(*names, journal, spec.request, measure, limits, warnings)
    return replace(found, **arrangement.times(limits.drain))


def _loaded(  # noqa: PLR0913, PLR0917 (as above)
    journal: Journal,
    spec: JobSpec,
    source: Source,
    stopped: Callable[[], bool],
    notify: Notify,
    measure: Measure | None,
    arrangement: Arrangement,
) -> Loader:
    with journal.write() as connection:
        journal.empty(connection)
        journal.note(connection, state="loading")
    is_divided = spec.campaign.window is not None
    sink = _JournalSink(journal, in_pieces=spec.kind.doubt == "look_up" and not is_divided)
    both = sink if measure is None else _BothSinks(sink, measure)
    loader = Loader(spec, source, both, stopped, notify)
    try:
        loader.run()
        sink.flush()
        loader.drop_duplicates(journal)
        loader.leave_out(arrangement.divide())
    finally:
        loader.close()
    return loader


def _rules(spec: JobSpec) -> Mapping[str, object]:
    rules = spec.rules
    found = {"on_invalid": rules.on_invalid, "on_duplicate": rules.on_duplicate}
    limit = {} if rules.limit is None else {"limit": rules.limit}
    return {**found, **spec.reading.as_json(), **limit}


def _warnings(spec: JobSpec, loader: Loader) -> list[str]:
    found = list(spec.damage)
    if loader.unused:
        names = ", ".join(repr(name) for name in sorted(loader.unused)[:20])
        found.append(f"parameters that no placeholder uses: {names}")
    if likely := [
        each.written for each in lookalikes(spec.request.get("message")) if each.is_likely
    ]:
        found.append(f"sent as it is, because it is not a placeholder: {', '.join(likely[:20])}")
    if loader.duplicates >= _MANY and loader.duplicates * 2 > loader.total:
        found.append(
            f"{loader.duplicates} of {counted(loader.total, 'row')} repeat a recipient: check "
            "that the right column was taken for the address"
        )
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


def _is_same(
    job: Job, spec: JobSpec, source: Source, project: str, stopped: Callable[[], bool]
) -> bool:
    """Whether *job* is the one to prepare; raises BulkError when it is in the way of another."""
    differences = _differences(job, spec, project)
    if not differences:
        digest = source.digest() or _digest(job, spec, source, stopped)
        if digest != text_fact(job.facts, "digest"):
            differences = [f"recipients ({source.name})"]
    if differences and not is_free(job.journal):
        raise BulkError(
            f"journal {job.journal.name}: created with different {' and '.join(differences)}: "
            "resume it as it is, or choose another file with job= (--job)"
        )
    return not differences


def _differences(job: Job, spec: JobSpec, project: str) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        "project": (job.project, project),
        "operation": (job.kind.name, spec.kind.name),
        "columns": (job.facts.get("columns"), spec.columns.as_json()),
        "rules": (job.facts.get("rules"), _rules(spec)),
        "window": (job.facts.get("window"), spec.campaign.as_facts()["window"]),
    }
    for name in sorted({*job.request, *spec.request}):
        pairs[name] = (job.request.get(name), spec.request.get(name))
    return [name for name, (old, new) in pairs.items() if old != new]
