"""The jobs that callbacks may be about: those that were run here, or were named."""

import os
import threading
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

from sinch_wrapper.bulk._journal.job import Job, open_job, read_job
from sinch_wrapper.bulk._journal.journal import Journal
from sinch_wrapper.bulk._recording import record
from sinch_wrapper.callbacks import Event
from sinch_wrapper.errors import BulkError

__all__ = ["Recorders"]


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
