"""A job on disk before anything leaves: new, or the one that is there and the same."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

from sinch_wrapper.bulk._journal.job import Job, open_job, read_job
from sinch_wrapper.bulk._journal.journal import Journal, Planned, text_fact
from sinch_wrapper.bulk._plan import Plan, check_schedule
from sinch_wrapper.bulk._preparing.loading import Loader
from sinch_wrapper.bulk._preparing.modes import forced_warning
from sinch_wrapper.bulk._recipients.entries import Skip
from sinch_wrapper.bulk._recipients.sources import Source
from sinch_wrapper.errors import BulkError

__all__ = ["prepare"]

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
