"""Which jobs there are in a folder or a database, and how far each of them is."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast
from urllib.parse import quote

from sqlalchemy import select

from sinch_wrapper import _validate
from sinch_wrapper.bulk._job_url import JobAddress, JobURL, database_url, is_url
from sinch_wrapper.bulk._journal import Journal, text_fact
from sinch_wrapper.bulk._journal_file import APPLICATION
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import BulkArgumentError, BulkError

# States of requests that are not the last.
_OPEN: Final = (ChunkState.PLANNED, ChunkState.SENDING, ChunkState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class JobEntry:
    """One job of a list: where *job* is, its *name*, and when it was *created* (Unix seconds).

    *state* is "reading" while its recipients are read, or when that was interrupted; "open" as long
    as some have no outcome; else "done", "cancelled", or "unreadable", and *problem* says why.
    *recipients* counts them by the state of their request. *outbox* says that it is one.
    """

    job: JobAddress
    name: str
    state: str
    created: float | None = None
    recipients: Mapping[str, int] = field(default_factory=dict)
    outbox: bool = False
    problem: str = ""


def list_jobs(place: str | Path) -> list[JobEntry]:
    """The jobs in *place*, a folder or the address of a database, the newest first.

    Nothing is changed, and jobs that run are not disturbed. In a folder all files count that are
    journals, whatever their names.

    Raises: BulkError when the folder or database cannot be read, BulkArgumentError for what is
    neither.
    """
    found = [_entry(job) for job in (_in_database(place) if is_url(place) else _in_folder(place))]
    return sorted(found, key=lambda each: (-(each.created or 0.0), each.name))


def _in_folder(place: object) -> Iterator[JobAddress]:
    folder = _validate.path("place", place, error=BulkArgumentError)
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise BulkError(f"{folder.name or folder}: cannot be listed: {words}") from None
    for path in paths:
        if path.is_file() and _is_journal(path):
            yield path


def _is_journal(path: Path) -> bool:
    """Whether the file at *path* says that it is a journal.

    SQLite reads it: whoever else opens a file and closes it drops the locks of a job in this
    process.
    """
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        try:
            (kind,) = connection.execute("PRAGMA application_id").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return bool(kind == APPLICATION)


def _in_database(place: object) -> list[JobAddress]:
    from sinch_wrapper.bulk._register import check_version, connected, database_name, jobs

    url = database_url(place, "place")
    what = database_name(url)
    with connected(url, what) as connection:
        check_version(connection, what)
        names = connection.execute(select(jobs.c.name).order_by(jobs.c.number)).scalars()
        return [JobURL(url, name) for name in names]


def _entry(job: JobAddress) -> JobEntry:
    try:
        journal = Journal(job, must_exist=True)
        try:
            facts, totals = journal.facts(), journal.totals()
        finally:
            journal.close()
    except BulkError as error:
        return JobEntry(job, job.name, "unreadable", problem=str(error))
    created, recipients = facts.get("created"), {state: many for state, (_, many) in totals.items()}
    return JobEntry(
        job,
        job.name,
        _state(facts, recipients),
        float(cast("float", created)) if isinstance(created, int | float) else None,
        {str(state): recipients[state] for state in ChunkState if state in recipients},
        facts.get("outbox") is True,
    )


def _state(facts: Mapping[str, object], recipients: Mapping[ChunkState, int]) -> str:
    if text_fact(facts, "state") != "ready":
        return "reading"
    if facts.get("cancelled"):
        return "cancelled"
    return "open" if any(recipients.get(each) for each in _OPEN) else "done"
