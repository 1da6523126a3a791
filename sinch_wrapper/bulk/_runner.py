"""What the sync and the async half share: opening jobs, preparing them, and their end."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sinch_wrapper._sqlite import FileLock
from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._follower import Follower, note_status, targets_of
from sinch_wrapper.bulk._job_spec import is_due
from sinch_wrapper.bulk._journal import Job, Journal, open_job, read_job, sending_lock
from sinch_wrapper.bulk._options import Order, Run
from sinch_wrapper.bulk._prepare import app_to_ask, mode_warning, prepare
from sinch_wrapper.bulk._report import BulkStoppedError, Report
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import BulkError

_CANCELLED = '{"line": "the job was cancelled before it left", "status": "CANCELLED"}'


@dataclass(slots=True)
class OpenJob:
    """A journal that is locked for sending, and since when; *halted* ends the reading."""

    journal: Journal
    lock: FileLock
    began: float
    sender: Sender | None = None
    halted: threading.Event = field(default_factory=threading.Event)
    _closed: bool = field(default=False)

    def close(self, *, keep: bool = False) -> None:
        """Let others send from it; *keep* leaves the journal open, for a report."""
        if not self._closed:
            self._closed = True
            if not keep:
                self.journal.close()
            self.lock.release()


class JobRunner:
    """Opens the jobs of one project; *clock* is monotonic, *wall* the time of day."""

    def __init__(
        self,
        project: str,
        keep: Callable[[Journal], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.project = project
        self.clock = clock
        self.wall = wall
        self._keep = keep

    def open(self, path: Path | None, *, must_exist: bool = False) -> OpenJob:
        """Open and lock a journal; raises BulkError."""
        lock = sending_lock(path, must_exist=must_exist)
        try:
            journal = Journal(path)
            journal.storage.check()
        except BaseException:
            lock.release()
            raise
        return OpenJob(journal, lock, self.clock())

    def start(self, opened: OpenJob, order: Order) -> Sender:
        """Prepare the job of *order* in *opened*, and what sends it; raises BulkError."""
        run, journal = order.run, opened.journal
        is_new = read_job(journal) is None
        if order.plan is None or order.source is None:
            job = self._own(journal)
        else:

            def stopped() -> bool:
                return run.stop.is_set() or opened.halted.is_set()

            job = prepare(journal, order.plan, order.source, self.project, self.wall, stopped)
        if job.facts.get("cancelled"):
            raise BulkError(f"journal {journal.name}: the job was cancelled")
        if not is_new and not run.send_now:
            self._refuse_late(job)
        self._keep(journal)
        opened.sender = Sender(job, run.how, self.clock(), self.wall)
        return opened.sender

    def app_to_ask(self, opened: OpenJob) -> str | None:
        """The app whose processing mode should be asked for; None for none."""
        return app_to_ask(open_job(opened.journal))

    def note_mode(self, opened: OpenJob, mode: str | None) -> None:
        """Write down what *mode* (None: not known) means for the contact ids of the job."""
        job = open_job(opened.journal)
        known = job.facts.get("warnings")
        warnings = [*(known if isinstance(known, list) else ()), mode_warning(mode)]
        with job.journal.write() as connection:
            job.journal.note(connection, mode=mode or "", warnings=[*filter(None, warnings)])

    def finish(self, opened: OpenJob, order: Order) -> Report:
        """Close *opened* and say what became of its job; raises BulkStoppedError."""
        stopped_by = opened.sender.stopped_by if opened.sender is not None else None
        opened.journal.forget_early()
        opened.close(keep=order.path is None)
        report = Report(order.path, _memory=opened.journal if order.path is None else None)
        if stopped_by is not None and report.pending:
            left = f"{counted(report.pending, 'recipient')} left to send"
            if opened.sender is not None and opened.sender.is_refused:
                left += (
                    ", with the same in every request: correct it in a new job, or, when it was "
                    "not at fault,"
                )
            else:
                left += ":"
            raise BulkStoppedError(f"{stopped_by}; {left} resume the job", report) from stopped_by
        if not report.complete:
            report.stopped = self._why(opened, order.run)
        return report

    def start_cancelling(self, opened: OpenJob, run: Run) -> tuple[Sender, int]:
        """Take back what has not left, and settle what is in doubt without sending it again.

        Returns: what settles the doubts, and the recipients that never leave.
        """
        job = self._own(opened.journal)
        never, last = 0, -1
        # First of all: a cancelling that is cut off must not be followed by sending.
        with job.journal.write() as connection:
            job.journal.note(connection, cancelled=True)
        while found := job.journal.after(last, state=ChunkState.PLANNED):
            with job.journal.write() as connection:
                for chunk in found:
                    last, never = chunk.id, never + chunk.count
                    job.journal.move(connection, chunk, ChunkState.REJECTED, error=_CANCELLED)
        job.journal.flush()
        once = replace(run.how, attempts=1)
        opened.sender = Sender(job, once, self.clock(), self.wall)
        return opened.sender, never

    def survey(self, journal: Journal, run: Run) -> Follower:
        """What asks for the status of each batch; raises BulkError."""
        job = self._own(journal)
        return Follower(targets_of(job), note_status(job), concurrency=run.how.concurrency)

    def canceller(self, opened: OpenJob, run: Run, patience: float) -> Follower:
        """What cancels each batch that was accepted, and polls it."""
        job = self._own(opened.journal)
        return Follower(
            targets_of(job),
            note_status(job),
            concurrency=run.how.concurrency,
            cancel=True,
            patience=patience,
        )

    def _own(self, journal: Journal) -> Job:
        job = open_job(journal)
        if job.project != self.project:
            raise BulkError(f"journal {journal.name}: it belongs to another project")
        return job

    def _refuse_late(self, job: Job) -> None:
        """Raise BulkError when the time of a job has passed while it lay."""
        states = (ChunkState.PLANNED, ChunkState.SENDING, ChunkState.UNKNOWN)
        totals = job.journal.totals()
        left = sum(totals.get(state, (0, 0))[1] for state in states)
        if left and is_due(job.request, datetime.fromtimestamp(self.wall(), UTC)):
            raise BulkError(
                f"journal {job.journal.name}: its send_after ({job.request['send_after']}) has "
                f"passed with {counted(left, 'recipient')} not accepted: resume it with "
                "send_now=True (--send-now) to send to them at once, or cancel it"
            )

    def _why(self, opened: OpenJob, run: Run) -> str:
        if run.stop.is_set():
            return "stopped"
        deadline = run.how.deadline
        if deadline is not None and self.clock() - opened.began >= deadline:
            return "deadline"
        return "unknown outcomes"
