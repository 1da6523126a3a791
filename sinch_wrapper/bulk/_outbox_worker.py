"""The thread behind an outbox: it writes what callers hand over, sends it, and settles the rest.

Of all processes that use one outbox, one sends at a time: the one that holds its lock. The others
write their messages into the file and wait until it has sent them, or has died.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sinch_wrapper.bulk._calls import Done, Step
from sinch_wrapper.bulk._driver import RunningCalls, drive
from sinch_wrapper.bulk._jobs import Jobs
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._journal_file import journal_lock
from sinch_wrapper.bulk._keys import KeyedMessage, enqueue, find_key, open_numbers, open_outbox
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._results import RecipientResult, result_of
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import BulkError

# Seconds: how long the lock is kept without work, and how often the file is looked at without it.
_LINGER: Final = 0.5
_POLL: Final = 0.05
# So long messages are gathered that are written in one transaction.
_GATHER: Final = 0.005
_FEW: Final = 4
_PLANNED: Final = ChunkState.PLANNED
_IN_DOUBT: Final = (ChunkState.UNKNOWN, ChunkState.SENDING)


@dataclass(slots=True, eq=False)
class Ticket:
    """One message that somebody waits for, or a person's *word* that it may leave again.

    *written* ends when it is on disk, or never will be; *result* when its outcome is known.
    """

    key: str = field(repr=False)
    message: KeyedMessage | None = field(default=None, repr=False)
    is_word: bool = False
    number: int = -1
    result: "Future[RecipientResult | None]" = field(default_factory=Future, repr=False)

    written: "Future[None]" = field(default_factory=Future, repr=False)

    def end(self, found: RecipientResult | BaseException | None) -> None:
        """Hand over what became of it, to a caller who may have gone."""
        self.note()
        with suppress(InvalidStateError):
            if isinstance(found, BaseException):
                self.result.set_exception(found)
            else:
                self.result.set_result(found)

    def note(self) -> None:
        """Note that it is on disk."""
        with suppress(InvalidStateError):
            self.written.set_result(None)


class OutboxWorker:
    """Serves one outbox in a thread of its own, which ends when nothing is left to do."""

    def __init__(
        self, jobs: Jobs, path: Path, settings: RunSettings, calls: Callable[[], RunningCalls]
    ) -> None:
        self._jobs = jobs
        self._path = path
        self._settings = settings
        self._calls = calls
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._new: list[Ticket] = []
        self._waiting: list[Ticket] = []
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
        with self._guard:
            if self._closing.is_set():
                raise BulkError(f"journal {self._path.name}: this outbox is closed")
            self._new.append(ticket)
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
        with self._guard:
            journal = self._journal
            if journal is not None and not journal.storage.is_current:
                journal.close()
                journal = None
            if journal is None:
                journal = self._journal = Journal(self._path)
        return open_outbox(journal, self._jobs.client.project_id, self._jobs.wall())

    def _work(self) -> None:
        while True:
            try:
                self._serve()
            except BaseException as error:  # noqa: BLE001 (handed to all who wait)
                self._fail(error)
            with self._guard:
                self._waiting = [each for each in self._waiting if not each.result.done()]
                if not (self._new or self._waiting) or self._closing.is_set():
                    self._thread = None
                    break
        self._fail(BulkError(f"journal {self._path.name}: this outbox is closed"))

    def _fail(self, error: BaseException) -> None:
        with self._guard:
            left, self._new, self._waiting = self._new + self._waiting, [], []
        for ticket in left:
            ticket.end(error)

    def _serve(self) -> None:
        """Send until nothing is left to do, or wait for the process that sends."""
        job = self.job()
        if self._lock.take():
            try:
                self._send(job)
            finally:
                self._lock.release()
            self.look(job, is_over=True)
            return
        if any(each.is_word for each in self._new):
            raise BulkError(f"journal {self._path.name}: another process is sending from it")
        self.write(job)
        self.look(job)
        self._closing.wait(_POLL)

    def _send(self, job: Job) -> None:
        planner = _OutboxPlanner(self, job, self._jobs, self._settings)
        running = self._running = self._calls()
        try:
            drive(
                planner, self._jobs.client.batch, running,
                clock=self._jobs.clock, stopping=self._closing.is_set,
            )  # fmt: skip
        finally:
            self._running = None
        planner.sender.check()
        if planner.sender.stopped_by is not None:
            raise planner.sender.stopped_by

    def write(self, job: Job) -> tuple[int, list[Ticket]]:
        """Write the new messages in one transaction; returns how many, and the words."""
        with self._guard:
            new, self._new = self._new, []
            # From here on they are failed together with the others.
            self._waiting += new
        messages = [each for each in new if each.message is not None]
        if messages:
            with job.journal.write() as connection:
                found = enqueue(
                    job.journal, connection, [each.message for each in messages if each.message]
                )
            for ticket, number in zip(messages, found, strict=True):
                if isinstance(number, BulkError):
                    ticket.end(number)
                else:
                    ticket.number = number
                    ticket.note()
        return len(messages), [each for each in new if each.is_word]

    def gather(self) -> None:
        """Write together what many callers hand over, and without delay what few do."""
        if self._running is not None:
            self._running.gather = _GATHER if len(self._waiting) > _FEW else 0.0

    def look(self, job: Job, *, is_over: bool = False) -> None:
        """Hand over what is settled; when sending *is_over*, what is in doubt too."""
        with self._guard:
            self._waiting = [each for each in self._waiting if not each.result.done()]
            waiting = [each for each in self._waiting if each.number >= 0]
        if not waiting:
            return
        with job.journal.read() as connection:
            still = open_numbers(connection, (_PLANNED,) if is_over else (_PLANNED, *_IN_DOUBT))
            ended = {each.number for each in waiting} - still
            found = [job.journal.chunk(connection, number) for number in ended]
        results = {chunk.id: result_of(job, chunk) for chunk in found if chunk is not None}
        for ticket in waiting:
            if ticket.number in ended:
                ticket.end(results.get(ticket.number))

    @property
    def is_idle(self) -> bool:
        """Whether nobody has handed over anything."""
        return not self._new


class _OutboxPlanner:
    """The planner of a job to which messages are added while it runs."""

    def __init__(self, worker: OutboxWorker, job: Job, jobs: Jobs, settings: RunSettings) -> None:
        self.sender = Sender(job, settings, jobs.clock(), jobs.wall)
        self._worker = worker
        self._job = job
        self._busy = jobs.clock()

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Write what is new, take what is *done*, and hand out what leaves."""
        self._worker.gather()
        many, words = (0, []) if stopping else self._worker.write(self._job)
        self.sender.add(many)
        for ticket in words:
            self._take_word(ticket, now)
        step = self.sender.step(now, done, stopping=stopping)
        if many or done or words:
            self._busy = now
        self._worker.look(self._job)
        lingers = now - self._busy < _LINGER or not self._worker.is_idle
        if step.finished and lingers and not stopping and self.sender.stopped_by is None:
            return Step(step.calls, _POLL)
        return step

    def _take_word(self, ticket: Ticket, now: float) -> None:
        with self._job.journal.read() as connection:
            known = find_key(connection, ticket.key)
        if known is None:
            ticket.end(None)
        else:
            ticket.number = known[0]
            self.sender.take_word_for(known[0], now)
