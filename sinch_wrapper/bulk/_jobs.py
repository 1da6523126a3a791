"""The jobs of one client: opened, sent, asked about, cancelled, reported; for threads and tasks.

Everything here runs in the thread of the planner. Only the calls of the API run elsewhere, in
threads or as tasks: `calls` decides.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, Self, cast

from sinch_wrapper._rate_limit import RateLimiter
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._storage import ProcessLock
from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._arguments import JobRun
from sinch_wrapper.bulk._callbacks import JobRecorders
from sinch_wrapper.bulk._calls import BatchCall, Done, OneCall, Planner, look_call
from sinch_wrapper.bulk._campaign import ExcludeOption
from sinch_wrapper.bulk._consents import consent_keys
from sinch_wrapper.bulk._dispatch_mode import app_to_ask, mode_warning, warn
from sinch_wrapper.bulk._doubles import has_sent_again, note_doubles
from sinch_wrapper.bulk._driver import RunningCalls, ThreadCalls, brief, drive
from sinch_wrapper.bulk._exclusions import exclude, known_exclusions
from sinch_wrapper.bulk._intake import Intake
from sinch_wrapper.bulk._job_spec import JobSpec, is_due
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.bulk._journal import Job, Journal, open_job, read_job
from sinch_wrapper.bulk._journal_file import sending_lock
from sinch_wrapper.bulk._keys import refuse_outbox
from sinch_wrapper.bulk._loader import Notify, unheard
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._polling import (
    BatchPoller,
    Cancellation,
    accepted_batches,
    batch_ids,
    forget_late,
    status_writer,
    withdraw,
)
from sinch_wrapper.bulk._prepare import look_ahead, prepare
from sinch_wrapper.bulk._preview import Preview
from sinch_wrapper.bulk._probe import Probe, ProbeResult
from sinch_wrapper.bulk._report import BulkStoppedError, MemoryReport, Report, what_next
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._states import ChunkState, JobStage, Progress, StopReason, reading
from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.bulk._sources import Source

# Seconds for a response that the job can do without.
_BRIEF: Final = 5.0


class JobClient(Protocol):
    """What jobs need of a client: its project and policy, two of its APIs, and views of it."""

    @property
    def project_id(self) -> str:
        """The project whose jobs these are."""

    @property
    def retry(self) -> RetryPolicy:
        """Which requests the client repeats."""

    @property
    def batch(self) -> object:
        """The Batch API."""

    @property
    def conversation(self) -> object:
        """The Conversation API."""

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        limits: RateLimiter | None = None,
    ) -> Self:
        """A view with other options."""


@dataclass(slots=True)
class OpenJob:
    """A journal that is locked for sending; *began* is when, in monotonic seconds."""

    journal: Journal
    lock: ProcessLock
    began: float
    is_closed: bool = False

    def close(self, *, keep: bool = False) -> None:
        """Let others send from it; *keep* leaves the journal open, for a report."""
        if not self.is_closed:
            self.is_closed = True
            if not keep:
                self.journal.close()
            self.lock.release()


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of *client*; *clock* gives monotonic seconds, *wall* Unix seconds.

    *rest* is that of drive(). *calls* makes what runs that many calls at a time. *cancelled* is
    set when nobody waits for the result any more.
    """

    client: JobClient
    calls: Callable[[int], RunningCalls] = ThreadCalls
    recorders: JobRecorders = field(default_factory=JobRecorders)
    cancelled: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    rest: Callable[[float], float] = brief

    def run(self, run: JobRun) -> Report:
        """Send a job to its end; raises BulkError when it cannot begin, BulkStoppedError."""
        with self._open(run.path, must_exist=run.spec is None) as opened:
            job = self._prepared(opened, run)
            running = self.calls(run.settings.concurrency)
            sender = Sender(
                job, run.settings, self.clock(), self.wall,
                by_hand=run.by_hand, dispatch=running.dispatch(job),
            )  # fmt: skip
            self._ask_mode(opened.journal)
            sender.check_rules()
            try:
                self._drive(sender, run.settings, opened.began, sender, running)
            finally:
                sender.close()
            sender.check()
            return self._finish(opened, sender, run)

    def plan(self, run: JobRun) -> None:
        """Read and check the recipients of a job, which others send; raises BulkError."""
        with self._open(run.path, must_exist=run.spec is None) as opened:
            self._prepared(opened, run)
            self._ask_mode(opened.journal)

    def status(self, path: JobAddress, settings: RunSettings) -> Report:
        """Ask where each batch stands, and for doubles; raises BulkError, SinchError."""
        journal = Journal(path, must_exist=True)
        try:
            job = self._own(journal)
            self._poll(job, settings)
            if job.kind.doubt == "look_up" and has_sent_again(journal):
                note_doubles(job, self._one(self.client.batch, look_call(job.id, self.clock())))
        finally:
            journal.close()
        return Report(path)

    def cancel(self, path: JobAddress, settings: RunSettings, patience: float) -> Cancellation:
        """Cancel what is left of a job, polling each batch; raises BulkError, SinchError."""
        with self._open(path, must_exist=True) as opened:
            job = self._own(opened.journal)
            refuse_outbox(job)
            never = withdraw(job)
            # What is in doubt is looked up, and not sent again.
            brief = patience if settings.deadline is None else settings.deadline
            looking = replace(settings, send_again="never", deadline=brief)
            self._drive(Sender(job, looking, self.clock(), self.wall), looking)
            done = self._poll(job, settings, patience).cancellation(never)
            forget_late(job, done)
            return done

    def cancel_batches(
        self,
        ids: Iterable[str],
        metadata: tuple[str, str] | None,
        settings: RunSettings,
        patience: float,
    ) -> Cancellation:
        """Cancel the batches with these *ids* or *metadata*; raises SinchError."""
        found = list(ids)
        if metadata is not None:
            arguments = dict(zip(("metadata_key", "metadata_value"), metadata, strict=True))
            method = "get_batch_statuses_by_metadata"
            call = BatchCall("look", "messages", method, arguments, -1, self.clock())
            found += batch_ids(self._one(self.client.batch, call).result())
        poller = BatchPoller.of_ids(found, settings.concurrency, patience)
        self._drive(poller, settings)
        poller.check()
        return poller.cancellation()

    def probe(self, planner: Probe) -> ProbeResult:
        """Measure; raises SinchError when nothing is accepted."""
        self._drive(planner, RunSettings(concurrency=2))
        return planner.result()

    @contextmanager
    def _open(self, path: JobAddress | None, *, must_exist: bool) -> Iterator[OpenJob]:
        lock = sending_lock(path, must_exist=must_exist)
        try:
            journal = Journal(path, lock=lock)
            journal.storage.check()
        except BaseException:
            lock.release()
            raise
        opened = OpenJob(journal, lock, self.clock())
        try:
            yield opened
        finally:
            opened.close()

    def _prepared(self, opened: OpenJob, run: JobRun) -> Job:
        journal, settings = opened.journal, run.settings
        known = read_job(journal)
        if known is not None:
            refuse_outbox(known)
        excluded = self._consents(journal, run)
        if run.spec is None or run.source is None:
            self._own(journal)
            exclude(journal, ExcludeOption(), excluded)
            job = open_job(journal)
        else:
            heard = _heard(settings.progress, self.calls(1), self.clock, opened.began)
            intake = _intake(run, self.wall(), self.cancelled.is_set, heard)
            job = prepare(journal, intake, self.client.project_id, excluded)
        if job.facts.get("cancelled"):
            raise BulkError(f"journal {journal.name}: the job was cancelled")
        if known is not None and not settings.send_now:
            self._refuse_late(job)
        if _note_choices(journal, settings):
            job = open_job(journal)
        self.recorders.keep(journal)
        return job

    def _consents(self, journal: Journal, run: JobRun) -> dict[str, list[str]]:
        """The keys of those who have opted out by the lists of the API, when the job asks."""
        job, spec = read_job(journal), run.spec
        is_asked = job is not None and known_exclusions(journal.address, job.facts).consents
        if not is_asked and (spec is None or not spec.campaign.exclude.consents):
            return {}
        request = {**(job.request if job else {}), **(spec.request if spec else {})}
        ask = partial(self._one, self.client.conversation)
        return {"consents": list(consent_keys(str(request.get("app_id")), ask))}

    def _own(self, journal: Journal) -> Job:
        job = open_job(journal)
        if job.project != self.client.project_id:
            raise BulkError(f"journal {journal.name}: it belongs to another project")
        return job

    def _refuse_late(self, job: Job) -> None:
        """Raise BulkError when the `send_after` of a job passed while nothing sent from it."""
        states = (ChunkState.PLANNED, ChunkState.SENDING, ChunkState.UNKNOWN)
        totals = job.journal.totals()
        left = sum(totals.get(state, (0, 0))[1] for state in states)
        if left and is_due(job.request, datetime.fromtimestamp(self.wall(), UTC)):
            raise BulkError(
                f"journal {job.journal.name}: its send_after ({job.request['send_after']}) has "
                f"passed with {counted(left, 'recipient')} not accepted: resume it with "
                "send_now=True to send to them at once, or cancel it"
            )

    def _ask_mode(self, journal: Journal) -> None:
        """Ask once for the mode of the app where contact ids depend on it, and write it down."""
        job = open_job(journal)
        app_id = app_to_ask(job)
        if app_id is None:
            return
        brief = self.client.with_options(timeout=_BRIEF, retry=RetryPolicy(attempts=1))
        call = BatchCall("mode", "app", "get_app", {"app_id": app_id}, -1, self.clock())
        found = getattr(self._one(brief.conversation, call).value, "processing_mode", None)
        mode = found if isinstance(found, str) and found else None
        with journal.write() as connection:
            journal.note(connection, mode=mode or "")
        warn(journal, [mode_warning(mode)])

    def _one(self, api: object, call: BatchCall) -> Done:
        planner = OneCall(call)
        drive(planner, api, self.calls(1), clock=self.clock, stopping=lambda: False)
        return planner.done or Done(call)

    def _poll(self, job: Job, settings: RunSettings, patience: float | None = None) -> BatchPoller:
        """Ask about each accepted batch of *job*; with *patience* cancel them."""
        poller = BatchPoller(
            accepted_batches(job),
            status_writer(job),
            concurrency=settings.concurrency,
            cancel=patience is not None,
            patience=30.0 if patience is None else patience,
        )
        self._drive(poller, settings)
        poller.check()
        return poller

    def _drive(
        self,
        planner: Planner,
        settings: RunSettings,
        began: float | None = None,
        sender: Sender | None = None,
        running: RunningCalls | None = None,
    ) -> None:
        """Run *planner*; the deadline counts from *began*, and *sender* is whose progress it is."""
        began = self.clock() if began is None else began
        running = running or self.calls(settings.concurrency)

        def notify() -> None:
            if settings.progress is not None and sender is not None:
                now = self.clock()
                running.notify(
                    settings.progress, replace(sender.progress(now), elapsed=now - began)
                )

        drive(
            planner,
            self.client.batch,
            running,
            clock=self.clock,
            stopping=lambda: settings.stop.is_set() or self._is_late(settings, began),
            is_late=lambda: self._is_late(settings, began),
            after_step=notify,
            rest=self.rest,
        )

    def _is_late(self, settings: RunSettings, began: float) -> bool:
        return settings.deadline is not None and self.clock() - began >= settings.deadline

    def _finish(self, opened: OpenJob, sender: Sender, run: JobRun) -> Report:
        """Close *opened* and report; raises BulkStoppedError."""
        journal, stopped_by = opened.journal, sender.stopped_by
        journal.forget_early()
        warn(journal, sender.remarks())
        opened.close(keep=run.path is None)
        report = MemoryReport(journal) if run.path is None else Report(run.path)
        if stopped_by is not None and (report.pending or sender.is_refused):
            what = what_next(report.pending, is_refused=sender.is_refused)
            raise BulkStoppedError(f"{stopped_by}; {what}", report) from stopped_by
        if not report.complete:
            why = self._reason(run.settings, opened.began)
            report.stopped = sender.campaign_stop or why
        return report

    def _reason(self, settings: RunSettings, began: float) -> StopReason:
        if settings.stop.is_set():
            return StopReason.STOPPED
        late = self._is_late(settings, began)
        return StopReason.DEADLINE if late else StopReason.UNKNOWN_OUTCOMES


def look(run: JobRun, running: RunningCalls | None = None) -> Preview:
    """What the job *run* would do; *running* hands on its progress.

    Raises: BulkError when its source cannot be read.
    """
    told = running or RunningCalls()
    heard = _heard(run.settings.progress, told, time.monotonic, time.monotonic())
    return look_ahead(_intake(run, time.time(), told.cancelled.is_set, heard))


def _intake(run: JobRun, now: float, cancelled: Callable[[], bool], notify: Notify) -> Intake:
    """What *run* reads; it ends early when *run* is stopped, or *cancelled* returns True."""
    spec, source = cast("JobSpec", run.spec), cast("Source", run.source)
    settings = run.settings

    def stopped() -> bool:
        return settings.stop.is_set() or cancelled()

    return Intake(spec, source, now, stopped, run.caps, settings.limits, notify)


def _heard(
    progress: Callable[[Progress], None] | None,
    running: RunningCalls,
    clock: Callable[[], float],
    began: float,
) -> Notify:
    """What tells *progress* how far the reading of rows is."""
    if progress is None:
        return unheard

    def notify(stage: JobStage, rows: int) -> None:
        running.notify(progress, reading(stage, rows, clock() - began))

    return notify


def _note_choices(journal: Journal, settings: RunSettings) -> bool:
    """Write down what a job remembers of *settings*; returns whether that is anything."""
    # Without the rules of the pilot and the brake from now on.
    facts: dict[str, object] = {"piloted": True, "limits": None} if settings.go_on else {}
    facts |= {"send_again": settings.send_again} if settings.send_again else {}
    if facts:
        with journal.write() as connection:
            journal.note(connection, **facts)
    return bool(facts)
