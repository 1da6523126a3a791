"""Giving a job to workers, and following it from where it was given."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sinch_wrapper.bulk._arguments import JobRun
from sinch_wrapper.bulk._job_url import JobURL
from sinch_wrapper.bulk._jobs import JobClient, Jobs
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._journal_file import JobBusyError
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._queue import eta
from sinch_wrapper.bulk._register import JOB
from sinch_wrapper.bulk._report import BulkStoppedError, Report
from sinch_wrapper.bulk._states import JobStage, Progress, StopReason, Tally
from sinch_wrapper.cluster._assignments import (
    Assignment,
    AssignmentStage,
    assign,
    assignments_of,
    end,
    withdraw,
)
from sinch_wrapper.cluster._call_table import token_of
from sinch_wrapper.cluster._database import ClusterDatabase, database_time
from sinch_wrapper.errors import BulkArgumentError, BulkError, DatabaseAwayError

# Seconds between two looks at a job that is followed.
_LOOK: Final = 0.5
# What a job that workers send cannot take from the call, and where it is instead.
_ELSEWHERE: Final = {
    "concurrency": "it is that of each worker (bulk work --concurrency)",
    "deadline": "stop waiting for it, or cancel the job",
}


def refuse_elsewhere(options: Mapping[str, object]) -> None:
    """Raise BulkArgumentError for options that say nothing to workers."""
    for name, words in _ELSEWHERE.items():
        if options.get(name) is not None:
            raise BulkArgumentError(f"{name}= is not for a job that workers send: {words}")


def options_of(settings: RunSettings) -> dict[str, object]:
    """What the leaders of a job need of *settings*, as JSON."""
    names = ("settle", "attempts", "patience", "send_again", "send_now", "go_on")
    limits = [settings.limits.queue, settings.limits.drain]
    return {name: getattr(settings, name) for name in names} | {"limits": limits}


def take_back(database: ClusterDatabase, name: str, patience: float) -> None:
    """Let workers send the job *name* no longer; waits *patience* seconds for what is on its way.

    Raises: BulkError when it still is.
    """
    ends = time.monotonic() + patience
    with database.storage.write() as connection:
        number = JOB.existing(connection, name)
        withdraw(connection, number)
    while True:
        with database.storage.write() as connection:
            if database.is_free(connection, number):
                end(connection, number, token_of(connection, number), StopReason.STOPPED)
                return
        if time.monotonic() >= ends:
            raise BulkError(f"{JOB.words(name)}: workers still have requests on the way: try again")
        time.sleep(_LOOK)


@dataclass(frozen=True, slots=True)
class GivenJob:
    """A job of *client* in *database* that workers send."""

    client: JobClient
    database: ClusterDatabase
    address: JobURL

    def give(self, run: JobRun) -> None:
        """Read the recipients of a job, unless workers send it already, and give it to them.

        Raises: BulkError when it cannot begin; nothing was sent.
        """
        try:
            Jobs(self.client).plan(run)
        except JobBusyError:
            if not self._is_led():
                raise
            return
        with self.database.storage.write() as connection:
            number = JOB.existing(connection, self.address.name)
            assign(connection, number, self.client.project_id, options_of(run.settings))

    def follow(
        self,
        stop: threading.Event,
        progress: Callable[[Progress], None] | None,
        limits: RunSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> Report:
        """Wait until workers have sent it, or until *stop* is set; the job goes on then.

        Raises: BulkError, also what ended the job.
        """
        watch = _Watch(clock, limits)
        while not stop.is_set():
            try:
                number, job = self._assignment()
                step = watch.step(self.database.job(number))
            except DatabaseAwayError:
                stop.wait(_LOOK)
                continue
            if progress is not None:
                progress(step)
            if job is None or job.stage == AssignmentStage.ENDED:
                return self._report("" if job is None else job.why)
            stop.wait(_LOOK)
        return self._report(StopReason.STOPPED)

    def _report(self, why: str) -> Report:
        report = Report(self.address)
        if why not in set(StopReason):
            raise BulkStoppedError(why, report)
        if not report.complete:
            report.stopped = StopReason(why)
        return report

    def _assignment(self) -> tuple[int, Assignment | None]:
        """The number of the job, and how far workers are with it; None before they have it."""
        with self.database.storage.read() as connection:
            number = JOB.existing(connection, self.address.name)
            found = assignments_of(connection, database_time(), job=number)
        return number, found[0] if found else None

    def _is_led(self) -> bool:
        """Whether workers send it, so that its lock is theirs."""
        _, job = self._assignment()
        return job is not None and job.stage == AssignmentStage.READY


class _Watch:
    """How far a job is that others send, since the first look at it."""

    def __init__(self, clock: Callable[[], float], settings: RunSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._began = clock()
        self._start: int | None = None

    def step(self, job: Job) -> Progress:
        """How far *job* is."""
        tally, limits = Tally(job.journal.totals()), self._settings.limits
        queued = job.outstanding_at(time.time(), limits)
        if self._start is None:
            self._start = tally.accepted
        elapsed, done = self._clock() - self._began, tally.accepted - self._start
        rest = eta(tally.left, queued, limits, done, elapsed)
        found = tally.progress(rest, waiting=False)
        is_out = not found.pending and not found.unknown and bool(queued)
        return replace(
            found,
            stage=JobStage.DELIVERING if is_out else JobStage.SENDING,
            elapsed=elapsed,
            rate=done / elapsed if elapsed > 0 else None,
            to_deliver=(queued + tally.left) / limits.drain,
        )
