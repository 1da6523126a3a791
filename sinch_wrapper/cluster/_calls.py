"""The calls of a leader: workers make those that send, and threads of its own the others."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from sinch_wrapper.bulk._calls import BatchCall, Dispatch, Done
from sinch_wrapper.bulk._driver import ThreadCalls
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.cluster._desk import CallDesk

# Seconds between two looks for what has ended, and for how many leases workers go unwatched.
_POLL: Final = 0.02
_SWEEPS: Final = 6


class ClusterCalls(ThreadCalls):
    """Hands requests out through *desk_of* their job; once *stopping* it takes back what it can.

    *clock* gives monotonic seconds.
    """

    def __init__(
        self,
        concurrency: int,
        desk_of: Callable[[Job], CallDesk],
        stopping: Callable[[], bool],
        lease: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(concurrency)
        self._desk_of = desk_of
        self._stopping = stopping
        self._clock = clock
        self._every = lease / _SWEEPS
        self._desk: CallDesk | None = None
        self._revoked = False
        self._sweep_at = 0.0

    def dispatch(self, job: Job) -> Dispatch:
        """Lead *job*: take up what is on its way."""
        self._desk = desk = self._desk_of(job)
        self._running = len(desk.running)
        self._sweep()
        return desk

    def receive(self, wait: float) -> list[Done]:
        """What has ended; looks for it again and again, for *wait* seconds at most."""
        ends = self._clock() + wait
        while True:
            self._look()
            left = ends - self._clock()
            found = super().receive(max(0.0, min(_POLL, left)))
            if found or left <= _POLL or self.cancelled.is_set():
                return found

    def _begin(self, api: object, calls: Sequence[BatchCall]) -> None:
        local = [each for each in calls if self._desk is None or each.purpose != "send"]
        super()._begin(api, local)

    def _look(self) -> None:
        if self._desk is None:
            return
        if self._clock() >= self._sweep_at:
            self._sweep()
        if self._stopping() and not self._revoked:
            self._revoked = True
            self._desk.revoke()
        if self._desk.running:
            for done in self._desk.ended():
                self._ended.put(done)

    def _sweep(self) -> None:
        self._sweep_at = self._clock() + self._every
        for done in self._desk.sweep() if self._desk else ():
            self._ended.put(done)
