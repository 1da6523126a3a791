"""From a callback to the recipient it is about, whatever its spelling and whenever it comes."""

import os
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import Connection

from sinch_wrapper.bulk._calls import read_mark
from sinch_wrapper.bulk._journal import Chunk, Job, Journal, open_job, read_job
from sinch_wrapper.bulk._metadata import CHUNK_MARK, INDEX_MARK
from sinch_wrapper.bulk._outcomes import (
    Outcome,
    Place,
    keep_early,
    keep_outcomes,
    promote_early,
)
from sinch_wrapper.bulk._states import ChunkState, RecipientState
from sinch_wrapper.callbacks import Event, batch_ref, delivery_report
from sinch_wrapper.errors import BulkError, ConfigurationError

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
    """Reads each chunk once, and writes the outcomes of all events together."""

    def __init__(self, connection: Connection, job: Job) -> None:
        self._connection = connection
        self._job = job
        self._by_number: dict[int, Chunk | None] = {}
        self._by_batch: dict[str, Chunk | None] = {}
        self._told: dict[Place, Outcome] = {}

    def take(self, event: Event) -> bool:
        """Note what *event* says; returns whether it is about the job."""
        if event.kind == _BATCH_EVENT:
            return self._take_batch(event.payload)
        report = delivery_report(event)
        if report is None or report.state is None:
            return False
        state = RecipientState(report.state)
        new = Outcome(state, report.reason, report.description, report.id)
        batch = batch_ref(event)
        number = _chunk_number(event.metadata.get(CHUNK_MARK), self._job)
        index = None if batch is None else batch.index
        position = _position(event.metadata.get(INDEX_MARK), index)
        if number is None and batch is not None:
            return self._take_by_batch(batch.batch_id, position, new)
        chunk = None if number is None else self._chunk(number)
        if chunk is None or position is None or position >= chunk.count:
            return False
        self._prove(chunk, None if batch is None else batch.batch_id)
        self._tell(Place(chunk.id, position), new)
        return True

    def finish(self) -> None:
        """Write the outcomes."""
        keep_outcomes(self._connection, self._told)

    def _tell(self, place: Place, new: Outcome) -> None:
        old = self._told.get(place)
        if old is None or new.outranks(old):
            self._told[place] = new

    def _chunk(self, number: int) -> Chunk | None:
        if number not in self._by_number:
            self._by_number[number] = self._job.journal.chunk(self._connection, number)
        return self._by_number[number]

    def _batch(self, batch_id: str) -> Chunk | None:
        if batch_id not in self._by_batch:
            self._by_batch[batch_id] = self._job.journal.by_batch(self._connection, batch_id)
        return self._by_batch[batch_id]

    def _take_by_batch(self, batch_id: str, position: int | None, new: Outcome) -> bool:
        if position is None:
            return False
        chunk = self._batch(batch_id)
        if chunk is not None:
            if position < chunk.count:
                self._tell(Place(chunk.id, position), new)
            return True
        # It may come before the answer to the request that made the batch.
        if not self._job.journal.is_waiting(self._connection):
            return False
        keep_early(self._connection, batch_id, position, new)
        return True

    def _take_batch(self, payload: Mapping[str, object]) -> bool:
        batch_id = payload.get("batch_id")
        if not isinstance(batch_id, str) or not batch_id:
            return False
        chunk = self._batch(batch_id)
        if chunk is None:
            number = _chunk_number(_batch_metadata(payload).get(CHUNK_MARK), self._job)
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
        """A callback proves that the request was accepted, even if its answer was lost."""
        if chunk.batch_id is not None or chunk.state not in _IN_DOUBT:
            return
        if batch_id is None:
            if not chunk.certain:
                self._job.journal.set(self._connection, chunk.id, certain=1)
                self._by_number[chunk.id] = replace(chunk, certain=True)
            return
        self._job.journal.set(self._connection, chunk.id, batch_id=batch_id, certain=1)
        promote_early(self._connection, batch_id, chunk.id)
        proven = replace(chunk, batch_id=batch_id, certain=True)
        self._by_number[chunk.id] = self._by_batch[batch_id] = proven


def _chunk_number(mark: object, job: Job) -> int | None:
    # A longer number would not fit into a column.
    is_short = isinstance(mark, str) and len(mark) <= len(job.id) + _MOST_DIGITS
    return read_mark(mark, job.id) if is_short else None


def _position(mark: object, index: int | None) -> int | None:
    if isinstance(mark, str) and len(mark) <= _MOST_DIGITS and mark.isascii() and mark.isdigit():
        return int(mark)
    return index


def _batch_metadata(payload: Mapping[str, object]) -> Mapping[str, object]:
    found: object = payload
    for name in ("additional_data", "message_batch_data", "batch_metadata"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


class Recorders:
    """Keeps jobs open for the callbacks about them; safe for threads."""

    def __init__(self) -> None:
        self._in_memory: weakref.WeakSet[Journal] = weakref.WeakSet()
        self._on_disk: dict[Path, Job | None] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._on_disk)

    def keep(self, journal: Journal) -> None:
        """Remember that callbacks may be about the job in *journal*."""
        with self._lock:
            if journal.path is None:
                self._in_memory.add(journal)
            else:
                self._on_disk.setdefault(journal.path, None)

    def record(self, events: Event | Iterable[Event], path: Path | None) -> int:
        """Write down what *events* say, about the job at *path* or about all that are kept.

        Returns: how many of them are about these jobs.
        Raises: BulkError.
        """
        found = [events] if isinstance(events, Event) else list(events)
        with self._lock:
            if path is not None:
                return record(self._job_at(path.absolute()), found)
            jobs = [self._job_at(each) for each in list(self._on_disk) if self._is_there(each)]
            jobs += [job for each in self._in_memory if (job := read_job(each)) is not None]
            return sum(record(job, found) for job in jobs)

    def follow(self, events: Sequence[Event], path: Path) -> int:
        """Write down what *events* say about the job at *path*, if it has begun.

        A job that is not there yet, or whose recipients are still read, has sent nothing: no
        callback can be about it.

        Returns: how many of them are about it.
        Raises: BulkError.
        """
        with self._lock:
            if not self._is_there(path):
                return 0
            job = self._on_disk.get(path)
            if job is None:
                journal = Journal(path, must_exist=True)
                job = read_job(journal)
                if job is None:
                    journal.close()
                    return 0
                self._on_disk[path] = job
            return record(job, events)

    def close(self) -> None:
        """Close the journals on disk."""
        with self._lock:
            _close_all(self._on_disk)
            self._on_disk.clear()

    def _is_there(self, path: Path) -> bool:
        """Whether there is a file; an open one that was replaced or removed is closed."""
        job = self._on_disk.get(path)
        if job is not None and not job.journal.storage.is_current:
            job.journal.close()
            del self._on_disk[path]
        return os.path.exists(path)  # noqa: PTH110 (a name that no system would take is not there)

    def _job_at(self, path: Path) -> Job:
        self._is_there(path)
        job = self._on_disk.get(path)
        if job is None:
            journal = Journal(path, must_exist=True)
            try:
                job = open_job(journal)
            except BulkError:
                journal.close()
                raise
            self._on_disk[path] = job
        return job


def _close_all(jobs: dict[Path, Job | None]) -> None:
    for job in jobs.values():
        if job is not None:
            job.journal.close()


JobPaths: TypeAlias = str | Path | Iterable[str | Path]


def paths_of(jobs: JobPaths) -> list[Path]:
    """The journals that are meant."""
    return [Path(jobs)] if isinstance(jobs, (str, Path)) else [Path(each) for each in jobs]


def refuse_same(store: object, jobs: Iterable[Path]) -> None:
    """Raise ConfigurationError when the *store* is the file of one of the *jobs*."""
    files = {each.absolute() for each in jobs}
    if isinstance(store, (str, Path)) and Path(store).absolute() in files:
        raise ConfigurationError("a callback store needs a file of its own: no journal of a job")


class Jobs:
    """Journals of `sinch.bulk`; one that is not there yet takes part as soon as it is."""

    def __init__(self, paths: Sequence[Path]) -> None:
        # Whoever changes the working directory later means the same files.
        self._paths = [path.absolute() for path in paths]
        self._recorders: Recorders | None = None

    def check(self) -> None:
        """See that those which are there are journals; raises BulkError."""
        from sinch_wrapper.bulk._journal import Journal

        for path in self._paths:
            if path.exists():
                Journal(path, must_exist=True).close()

    def take(self, events: Sequence[Event]) -> None:
        """Write down what *events* say about the jobs; taking them twice changes nothing.

        Raises: BulkError.
        """
        if self._recorders is None:
            # Bulk sending is above this package: it is loaded by those who follow a job.

            self._recorders = Recorders()
        for path in self._paths:
            self._recorders.follow(events, path)

    def close(self) -> None:
        """Close the journals."""
        if self._recorders is not None:
            self._recorders.close()
            self._recorders = None
