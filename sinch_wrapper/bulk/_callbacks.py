"""Callbacks written into journals: each finds the recipient that it is about.

It does so whatever the spelling of the callback, and also when it comes before the response to
the request that it is about. JournalFollower does it for a receiver, JobRecorders for
`bulk.record()`.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias, cast

from sqlalchemy import Connection

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting_methods
from sinch_wrapper.bulk._calls import read_mark
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._doubles import warn_of_double
from sinch_wrapper.bulk._job_url import JobAddress, JobPath, JobURL, job_address
from sinch_wrapper.bulk._journal import Job, Journal, open_job, read_job
from sinch_wrapper.bulk._journal_file import exists
from sinch_wrapper.bulk._metadata import CHUNK_MARK, INDEX_MARK
from sinch_wrapper.bulk._outcomes import (
    Place,
    RecipientOutcome,
    keep_early,
    keep_outcomes,
    promote_early,
)
from sinch_wrapper.bulk._states import ChunkState, RecipientState
from sinch_wrapper.callbacks import Event, batch_ref, delivery_report
from sinch_wrapper.errors import BulkArgumentError

_BATCH_EVENT: Final = "batch_status_update_notification"
_PREFIX: Final = "BATCH_STATUS_"
_MOST_DIGITS: Final = 16
_IN_DOUBT: Final = frozenset({ChunkState.SENDING, ChunkState.UNKNOWN})


def record(job: Job, events: Iterable[Event]) -> int:
    """Write down what *events* say about *job*, in one transaction.

    Returns: how many of them are about it; the others are left alone.
    """
    with job.journal.write() as connection:
        recorder = _EventRecorder(connection, job)
        taken = sum(recorder.take(event) for event in events)
        recorder.finish()
        return taken


class _EventRecorder:
    """Reads each chunk once, and writes the outcomes that all events report together."""

    def __init__(self, connection: Connection, job: Job) -> None:
        self._connection = connection
        self._job = job
        self._by_number: dict[int, Chunk | None] = {}
        self._by_batch: dict[str, Chunk | None] = {}
        self._outcomes: dict[Place, RecipientOutcome] = {}

    def take(self, event: Event) -> bool:
        """Note what *event* says; returns whether it is about the job."""
        if event.kind == _BATCH_EVENT:
            return self._take_batch(event.payload)
        report = delivery_report(event)
        if report is None or report.state is None:
            return False
        state = RecipientState(report.state)
        new = RecipientOutcome(state, report.reason, report.description, report.id)
        batch = batch_ref(event)
        number = read_mark(event.metadata.get(CHUNK_MARK), self._job.id)
        index = None if batch is None else batch.index
        position = _position(event.metadata.get(INDEX_MARK), index)
        if number is None and batch is not None:
            return self._take_by_batch(batch.batch_id, position, new)
        chunk = None if number is None else self._chunk(number)
        if chunk is None or position is None or position >= chunk.count:
            return False
        self._prove(chunk, None if batch is None else batch.batch_id)
        self._note(Place(chunk.id, position), new)
        return True

    def finish(self) -> None:
        """Write the outcomes."""
        keep_outcomes(self._connection, self._outcomes, self._job.journal.now())

    def _note(self, place: Place, new: RecipientOutcome) -> None:
        old = self._outcomes.get(place)
        if old is None or new.outranks(old):
            self._outcomes[place] = new

    def _chunk(self, number: int) -> Chunk | None:
        if number not in self._by_number:
            self._by_number[number] = self._job.journal.chunk(self._connection, number)
        return self._by_number[number]

    def _batch(self, batch_id: str) -> Chunk | None:
        if batch_id not in self._by_batch:
            self._by_batch[batch_id] = self._job.journal.by_batch(self._connection, batch_id)
        return self._by_batch[batch_id]

    def _take_by_batch(self, batch_id: str, position: int | None, new: RecipientOutcome) -> bool:
        if position is None:
            return False
        chunk = self._batch(batch_id)
        if chunk is not None:
            if position < chunk.count:
                self._note(Place(chunk.id, position), new)
            return True
        # It may come before the response to the request that made the batch.
        if not self._job.journal.is_waiting(self._connection):
            return False
        keep_early(self._connection, batch_id, position, new, self._job.journal.now())
        return True

    def _take_batch(self, payload: Mapping[str, object]) -> bool:
        batch_id = payload.get("batch_id")
        if not isinstance(batch_id, str) or not batch_id:
            return False
        chunk = self._batch(batch_id)
        if chunk is None:
            number = read_mark(_batch_metadata(payload).get(CHUNK_MARK), self._job.id)
            chunk = None if number is None else self._chunk(number)
        if chunk is None:
            return False
        self._prove(chunk, batch_id)
        status = payload.get("batch_status")
        if isinstance(status, str):
            status = status.removeprefix(_PREFIX)
            self._job.journal.set(self._connection, chunk.id, batch_status=status)
        return True

    def _prove(self, chunk: Chunk, batch_id: str | None) -> None:
        """A callback proves that the request was accepted, even if its response was lost.

        It may also prove that the request became a second batch.
        """
        if chunk.batch_id is not None and batch_id is not None:
            self._tell_twice(chunk, batch_id)
        if chunk.batch_id is not None or chunk.state not in _IN_DOUBT:
            return
        if batch_id is None:
            if not chunk.certain:
                self._job.journal.set(self._connection, chunk.id, certain=1)
                self._by_number[chunk.id] = replace(chunk, certain=True)
            return
        if self._batch(batch_id) is not None:
            # A batch belongs to one request.
            return
        self._job.journal.set(self._connection, chunk.id, batch_id=batch_id, certain=1)
        promote_early(self._connection, batch_id, chunk.id)
        proven = replace(chunk, batch_id=batch_id, certain=True)
        self._by_number[chunk.id] = self._by_batch[batch_id] = proven

    def _tell_twice(self, chunk: Chunk, batch_id: str) -> None:
        is_other = chunk.batch_id != batch_id and self._batch(batch_id) is None
        if is_other and chunk.twice is None and chunk.sent > 1:
            self._job.journal.set(self._connection, chunk.id, twice=batch_id)
            warn_of_double(self._job.journal.name, chunk.id, chunk.batch_id, batch_id)
            self._by_number[chunk.id] = replace(chunk, twice=batch_id)


def _position(mark: object, index: int | None) -> int | None:
    if isinstance(mark, str) and len(mark) <= _MOST_DIGITS and mark.isascii() and mark.isdigit():
        return int(mark)
    return index


def _batch_metadata(payload: Mapping[str, object]) -> Mapping[str, object]:
    found: object = payload
    for name in ("additional_data", "message_batch_data", "batch_metadata"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


JobPaths: TypeAlias = JobPath | Iterable[JobPath]


class _OpenJobs:
    """Jobs on disk whose journals stay open; not safe for threads: its users have locks."""

    def __init__(self) -> None:
        self._jobs: dict[JobAddress, Job] = {}
        weakref.finalize(self, _close_all, self._jobs)

    def begun(self, path: JobAddress) -> Job | None:
        """The job at *path*; None without a file, or while its recipients are still read."""
        self._drop_replaced(path)
        if not exists(path):
            return None
        return self._jobs.get(path) or self._opened(path, read_job)

    def existing(self, path: JobAddress) -> Job:
        """The job at *path*; raises BulkError when there is none, or it has not begun."""
        self._drop_replaced(path)
        return self._jobs.get(path) or cast("Job", self._opened(path, open_job))

    def close(self) -> None:
        """Close the journals; they are opened again on use."""
        _close_all(self._jobs)

    def _drop_replaced(self, path: JobAddress) -> None:
        job = self._jobs.get(path)
        if job is not None and not job.journal.storage.is_current:
            self._jobs.pop(path).journal.close()

    def _opened(self, path: JobAddress, read: Callable[[Journal], Job | None]) -> Job | None:
        journal, job = Journal(path, must_exist=True), None
        try:
            job = read(journal)
        finally:
            if job is None:
                journal.close()
        if job is not None:
            self._jobs[path] = job
        return job


def _close_all(jobs: dict[JobAddress, Job]) -> None:
    while jobs:
        jobs.popitem()[1].journal.close()


class JobRecorders:
    """Writes callbacks into the jobs that one client has run; safe for threads."""

    def __init__(self) -> None:
        self._in_memory: weakref.WeakSet[Journal] = weakref.WeakSet()
        self._on_disk: set[JobAddress] = set()
        self._open = _OpenJobs()
        self._lock = threading.Lock()

    def keep(self, journal: Journal) -> None:
        """Remember that callbacks may be about the job in *journal*."""
        with self._lock:
            if journal.address is None:
                self._in_memory.add(journal)
            else:
                self._on_disk.add(journal.address)

    def record(self, events: Event | Iterable[Event], path: JobAddress | None) -> int:
        """Write down what *events* say, about the job at *path* or about all that are kept.

        Returns: how many of them are about these jobs.
        Raises: BulkError; BulkArgumentError for what is not an Event.
        """
        found = _checked_events(events)
        with self._lock:
            if path is not None:
                return record(self._open.existing(path.absolute()), found)
            jobs = [self._open.begun(each) for each in self._on_disk]
            jobs += [read_job(each) for each in self._in_memory]
            return sum(record(job, found) for job in jobs if job is not None)


def _checked_events(events: object) -> list[Event]:
    found = [events] if isinstance(events, Event) else events
    if not isinstance(found, Iterable) or isinstance(found, str | bytes | Mapping):
        raise _validate.wrong_kind("events", "an Event, or several", events, BulkArgumentError)
    listed = list(found)
    for each in listed:
        if not isinstance(each, Event):
            raise _validate.wrong_kind("events", "an Event, or several", each, BulkArgumentError)
    return listed


@forgetting_methods
class JournalFollower:
    """Writes callbacks into the journals of bulk jobs: the `job=` of a callback receiver.

    `receiver(secrets, job=JournalFollower("spring.db"))` writes what a callback says about the
    job before it answers the callback. A job that does not exist yet is followed as soon as it
    does. Safe for threads.

    Args:
        jobs: path of a journal, or several.

    Raises: BulkArgumentError for what is not a path.
    """

    def __init__(self, jobs: JobPaths) -> None:
        given = (
            [jobs]
            if isinstance(jobs, str | os.PathLike | JobURL)
            else _validate.items("jobs", jobs, error=BulkArgumentError)
        )
        # The same files even when the working directory changes later.
        self._jobs = tuple(job_address(each, "jobs").absolute() for each in given)
        self._open = _OpenJobs()
        self._lock = threading.Lock()

    @property
    def paths(self) -> Sequence[Path]:
        """The journals that are files, as absolute paths."""
        return [each for each in self._jobs if isinstance(each, Path)]

    def check(self) -> None:
        """Check that the files that exist are journals; raises BulkError."""
        for path in self._jobs:
            if exists(path):
                Journal(path, must_exist=True).close()

    def take(self, events: Sequence[Event]) -> None:
        """Write down what *events* say about the jobs; taking them twice changes nothing.

        A job that does not exist, or whose recipients are still read, has sent nothing, so no
        callback can be about it.

        Raises: BulkError.
        """
        with self._lock:
            for path in self._jobs:
                job = self._open.begun(path)
                if job is not None:
                    record(job, events)

    def close(self) -> None:
        """Close the journals; take() opens them again."""
        with self._lock:
            self._open.close()
