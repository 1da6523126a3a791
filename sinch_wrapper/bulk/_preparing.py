"""A job on disk before anything leaves: new, or the one that is there and the same."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from sinch_wrapper.bulk._entries import Skip
from sinch_wrapper.bulk._job import Job, open_job, read_job
from sinch_wrapper.bulk._journal import Journal, text_fact
from sinch_wrapper.bulk._loading import Loader
from sinch_wrapper.bulk._plan import Plan, check_schedule
from sinch_wrapper.bulk._sources import Source
from sinch_wrapper.errors import BulkError

__all__ = ["prepare"]

_TOGETHER: Final = 32


class _JournalSink:
    """Writes requests into the journal, several in one transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._chunks: list[tuple[int, bytes, bytes]] = []
        self._skips: list[Skip] = []
        self._next = 0

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Take a request, packed."""
        self._chunks.append((count, items, places))
        if len(self._chunks) >= _TOGETHER:
            self.flush()

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are not sent."""
        self._skips += skips

    def flush(self) -> None:
        """Write what is waiting."""
        with self._journal.write() as connection:
            for count, items, places in self._chunks:
                self._journal.add(connection, self._next, count, items, places)
                self._next += 1
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
        _check_same(job, plan, source, project)
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
        loader.take_out(journal)
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
    if loader.by_contact:
        mode = "this batch is sent in dispatch mode, which knows"
        if plan.request.get("processing_strategy") != "DISPATCH_ONLY":
            mode = "an app in dispatch mode (the default of new apps) knows"
        found.append(f"some recipients are contact ids: {mode} channel identities only")
    return found


def _check_same(job: Job, plan: Plan, source: Source, project: str) -> None:
    differences = _differences(job, plan, project)
    if not differences:
        if (digest := source.digest()) is None:
            loader = Loader(plan, source, _NoSink(), lambda: False)
            loader.run()
            loader.close()
            digest = loader.digest()
        if digest != text_fact(job.facts, "digest"):
            differences = [f"recipients ({source.name})"]
    if differences:
        raise BulkError(
            f"journal {job.journal.name}: it was made with other {', '.join(differences)}: resume "
            "it without them to go on with what it has, or give a new job another file"
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
