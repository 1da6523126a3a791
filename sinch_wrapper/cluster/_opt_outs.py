"""Who has opted out since a request was built: a worker looks once more before it takes a call."""

import threading

from sinch_wrapper.bulk._addresses import request_keys
from sinch_wrapper.bulk._exclusions import known_exclusions
from sinch_wrapper.bulk._job_url import ListAddress
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._schema import unpack
from sinch_wrapper.bulk._suppression import SuppressionList


class OptOutWatch:
    """The suppression lists of the jobs that a worker sends; safe for threads.

    Lists alone: what else a job leaves out does not change after its requests were built.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[ListAddress, SuppressionList] = {}
        # By the mark of a job, with the token of its leader: the next one may have more lists.
        self._lists: dict[str, tuple[int, tuple[SuppressionList, ...]]] = {}

    def is_outdated(self, job: Job, token: int, items: bytes) -> bool:
        """Whether somebody in *items*, those of a packed request, is on a list by now.

        *token* is that of the leader who built it. Raises: BulkError when a list cannot be read.
        """
        lists = self._of(job, token)
        keys = request_keys(unpack(items)) if lists else ()
        return any(each.among(keys) for each in lists)

    def close(self) -> None:
        """Close the lists."""
        with self._lock:
            for each in self._open.values():
                each.close()
            self._open.clear()
            self._lists.clear()

    def _of(self, job: Job, token: int) -> tuple[SuppressionList, ...]:
        known, lists = self._lists.get(job.id, (-1, ()))
        if token > known:
            paths = known_exclusions(job.journal.address, job.journal.facts()).lists
            with self._lock:
                lists = tuple(map(self._opened, paths))
                self._lists[job.id] = token, lists
        return lists

    def _opened(self, address: ListAddress) -> SuppressionList:
        known = self._open.get(address)
        if known is None or not known.is_current:
            known = self._open[address] = SuppressionList(address, must_exist=True)
        return known
