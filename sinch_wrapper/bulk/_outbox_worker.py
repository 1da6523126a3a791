"""The thread behind an outbox: it sends what callers hand over, and settles the rest.

Of all processes that use one outbox, one sends at a time: the one that holds its lock. The others
write their messages into the file and wait until it has sent them, or has died.
"""

import os
import threading
from collections.abc import Callable
from typing import Final

from sinch_wrapper.bulk._driver import RunningCalls, drive
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.bulk._jobs import Jobs
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._journal_file import journal_lock
from sinch_wrapper.bulk._keys import open_outbox
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._outbox_desk import POLL, OutboxDesk, OutboxPlanner, Ticket
from sinch_wrapper.errors import BulkError

# So long messages are gathered that are written in one transaction.
_GATHER: Final = 0.005
_FEW: Final = 4


class OutboxWorker:
    """Serves one outbox in a thread of its own, which ends when nothing is left to do."""

    def __init__(
        self, jobs: Jobs, path: JobAddress, settings: RunSettings, calls: Callable[[], RunningCalls]
    ) -> None:
        self._jobs = jobs
        self._path = path
        self._settings = settings
        self._calls = calls
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._desk = OutboxDesk()
        self._thread: threading.Thread | None = None
        self._running: RunningCalls | None = None
        self._journal: Journal | None = None
        self._lock = journal_lock(self._path)
        self._closing = threading.Event()

    def submit(self, ticket: Ticket) -> None:
        """Take a ticket; its result comes later.

        Raises: BulkError when the outbox is closed.
        """
        if self._process != os.getpid():
            # What the parent has, threads and locks, does not exist in this process.
            self._reset()
        with self._desk.guard:
            if self._closing.is_set():
                raise self._closed()
            self._desk.add(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="sinch-outbox", daemon=True)
                self._thread.start()
            elif self._running is not None:
                self._running.wake()

    def close(self) -> None:
        """Wait for the requests that are running, and let another process send."""
        self._closing.set()
        thread, running = self._thread, self._running
        if running is not None:
            running.wake()
        if thread is not None and self._process == os.getpid():
            thread.join()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def job(self) -> Job:
        """The outbox as a job, opened on first use; raises BulkError."""
        with self._desk.guard:
            journal = self._journal
            if journal is not None and not journal.storage.is_current:
                journal.close()
                journal = None
            if journal is None:
                journal = self._journal = Journal(self._path, lock=self._lock)
        return open_outbox(journal, self._jobs.client.project_id, self._jobs.wall())

    def _work(self) -> None:
        while True:
            try:
                self._serve()
            except BaseException as error:  # noqa: BLE001 (handed to all who wait)
                self._desk.fail(error)
            with self._desk.guard:
                if not self._desk.forget_ended() or self._closing.is_set():
                    self._thread = None
                    # Under the guard: what comes later has a thread of its own.
                    self._desk.fail(self._closed())
                    return

    def _closed(self) -> BulkError:
        return BulkError(f"journal {self._path.name}: this outbox is closed")

    def _serve(self) -> None:
        """Send until nothing is left to do, or wait for the process that sends."""
        job = self.job()
        if self._lock.take():
            try:
                self._send(job)
            finally:
                self._lock.release()
            self._desk.look(job, is_over=True)
            return
        if self._desk.has_word:
            raise BulkError(f"journal {self._path.name}: another process is sending from it")
        self._desk.write(job)
        self._desk.look(job)
        self._closing.wait(POLL)

    def _send(self, job: Job) -> None:
        jobs, running = self._jobs, self._calls()
        planner = OutboxPlanner(self._desk, job, self._settings, jobs.clock(), jobs.wall)
        self._running = running

        def gather() -> None:
            # Many callers hand over what is written together, few without delay.
            running.gather = _GATHER if self._desk.waiting > _FEW else 0.0

        try:
            drive(
                planner, jobs.client.batch, running,
                clock=jobs.clock, stopping=self._closing.is_set, after_step=gather,
            )  # fmt: skip
        finally:
            self._running = None
        planner.sender.check()
        if planner.sender.stopped_by is not None:
            raise planner.sender.stopped_by
