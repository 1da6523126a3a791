"""Who has opted out since a request was built: a worker looks once more before it takes a call."""

import threading
from typing import Final

from sinch_wrapper.bulk._addresses import request_keys
from sinch_wrapper.bulk._exclusions import EXCLUDED, known_exclusions
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._schema import unpack
from sinch_wrapper.bulk._suppression import SuppressionList

_NONE: Final[tuple[SuppressionList, ...]] = ()


class OptOutWatch:
    """The suppression lists of the jobs that a worker sends; safe for threads.

    Lists alone: what else a job leaves out does not change after its requests were built.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By the mark of the job.
        self._lists: dict[str, tuple[SuppressionList, ...]] = {}

    def is_outdated(self, job: Job, items: bytes) -> bool:
        """Whether somebody in *items*, those of a packed request, is on a list by now.

        Raises: BulkError when a list cannot be read.
        """
        lists = self._opened(job) if EXCLUDED in job.facts else _NONE
        keys = request_keys(unpack(items)) if lists else ()
        return any(each.among(keys) for each in lists)

    def close(self) -> None:
        """Close the lists."""
        with self._lock:
            for each in self._lists.values():
                for one in each:
                    one.close()
            self._lists.clear()

    def _opened(self, job: Job) -> tuple[SuppressionList, ...]:
        with self._lock:
            if job.id not in self._lists:
                paths = known_exclusions(job.journal.address, job.facts).lists
                self._lists[job.id] = tuple(
                    SuppressionList(each, must_exist=True) for each in paths
                )
            return self._lists[job.id]
