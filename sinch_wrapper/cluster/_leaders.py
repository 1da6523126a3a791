"""Leading: one process at a time plans a job and hands its requests out, in a thread for each job.

Which process leads is decided by the lock of the job, and by the token that taking it raises.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sinch_wrapper._backoff import backoff
from sinch_wrapper.bulk._arguments import JobRun
from sinch_wrapper.bulk._jobs import JobClient, Jobs
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._journal_file import JobBusyError
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.cluster._assignments import (
    Assignment,
    AssignmentStage,
    assignments_of,
    end,
    step_down,
)
from sinch_wrapper.cluster._calls import ClusterCalls
from sinch_wrapper.cluster._database import ClusterDatabase
from sinch_wrapper.cluster._desk import CallDesk, Surroundings
from sinch_wrapper.cluster._worker import Worker
from sinch_wrapper.errors import BulkError, DatabaseAwayError

# Threads of a leader for its own calls, which only look.
_LOOKS: Final = 2
# A job that was led until this many seconds ago goes on, although its `send_after` has passed.
_RECENT: Final = 600.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


def settings_of(options: Mapping[str, Any], *, is_recent: bool) -> RunSettings:
    """How a job with these *options* is sent; *is_recent* when it was being sent just now."""
    values = dict(options)
    limits = MessageLimits(*values.pop("limits"))
    values["send_now"] = values.get("send_now", False) or is_recent
    return RunSettings(**values, limits=limits)


@dataclass(slots=True)
class Lead:
    """One job that is being led: *desk* once it is, *calls* what runs, *misses* how often not."""

    name: str
    thread: threading.Thread | None = None
    calls: ClusterCalls | None = None
    desk: CallDesk | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    misses: int = 0
    due: float = 0.0
    said: str = ""

    @property
    def is_running(self) -> bool:
        """Whether its thread runs."""
        return self.thread is not None and self.thread.is_alive()


class Leaders:
    """Leads the jobs of *client* in *database* that nobody leads, *most* at a time.

    *worker* is who takes part, and *say* tells people what becomes of jobs, in one line.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        client: JobClient,
        database: ClusterDatabase,
        worker: Worker,
        around: Surroundings,
        *,
        say: Callable[[str], None],
        most: int = 4,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._database = database
        self._worker = worker
        self._around = around
        self._say = say
        self._most = most
        self._clock = clock
        self._leads: dict[int, Lead] = {}
        self._is_closed = False

    @property
    def names(self) -> list[str]:
        """The jobs that are being led here."""
        return [each.name for each in self._leads.values() if each.desk is not None]

    def look(self) -> None:
        """Lead what nobody leads, and let go what was taken away; raises BulkError."""
        project = self._client.project_id
        with self._database.storage.read() as connection:
            found = assignments_of(connection, self._around.time(), project=project)
        ready = {each.job: each for each in found if each.stage == AssignmentStage.READY}
        for job, lead in self._leads.items():
            if job not in ready:
                lead.stop.set()
        for job, each in ready.items():
            lead = self._leads.setdefault(job, Lead(each.name))
            running = sum(other.is_running for other in self._leads.values())
            is_due = running < self._most and self._clock() >= lead.due
            if is_due and not lead.is_running and self._database.may_lead(each, self._around):
                self._start(each, lead)

    def _start(self, job: Assignment, lead: Lead) -> None:
        lead.stop.clear()
        name = f"sinch-lead-{job.job}"
        lead.thread = threading.Thread(target=self._lead, args=(job, lead), name=name, daemon=True)
        lead.thread.start()

    def close(self) -> None:
        """Step down everywhere: what is on its way is taken up by the next leaders."""
        # Before the rest: one that is just beginning ends itself.
        self._is_closed = True
        leads = list(self._leads.values())
        for lead in leads:
            if lead.calls is not None:
                lead.calls.cancelled.set()
        for lead in leads:
            if lead.thread is not None:
                lead.thread.join()

    def _lead(self, job: Assignment, lead: Lead) -> None:
        try:
            why = self._run(job, lead)
        except asyncio.CancelledError:
            self._step_down(job)
        except (DatabaseAwayError, JobBusyError):
            self._miss(lead)
        except BulkError as error:
            self._end(job, lead, str(error))
        except Exception as error:  # noqa: BLE001 (the other jobs go on)
            self._miss(lead, f"job {job.name}: cannot be led: {type(error).__name__}")
        else:
            self._end(job, lead, why)
        finally:
            lead.desk = lead.calls = None

    def _run(self, job: Assignment, lead: Lead) -> str:
        """Lead a job to its end; returns what stopped it, empty for nothing."""
        is_recent = job.silence is not None and job.silence < _RECENT
        settings = settings_of(job.options, is_recent=is_recent)

        def desk_of(opened: Job) -> CallDesk:
            lead.desk = CallDesk(opened, job.job, self._worker.number or 0, self._around)
            self._say(f"leads job {job.name}")
            return lead.desk

        def calls(_concurrency: int) -> ClusterCalls:
            lead.calls = ClusterCalls(_LOOKS, desk_of, lead.stop.is_set, self._around.lease)
            if self._is_closed:
                lead.calls.cancelled.set()
            return lead.calls

        run = JobRun(self._database.job_url(job.name), replace(settings, stop=lead.stop))
        report = Jobs(self._client, calls=calls).run(run)
        return str(report.stopped)

    def _end(self, job: Assignment, lead: Lead, why: str) -> None:
        """Note that a job has ended, unless another process leads it by now."""
        # Without a desk it failed right after the lock was taken, which raised the token.
        token = job.token + 1 if lead.desk is None else lead.desk.token
        try:
            with self._database.storage.write() as connection:
                is_mine = self._database.is_free(connection, job.job)
                is_mine = is_mine and end(connection, job.job, token, why)
        except BulkError:
            is_mine = False
        if is_mine:
            lead.misses = 0
            self._say(f"job {job.name} {'stopped: ' + why if why else 'is complete'}")
        else:
            self._miss(lead)

    def _step_down(self, job: Assignment) -> None:
        with suppress(BulkError), self._database.storage.write() as connection:
            step_down(connection, job.job, self._worker.number or 0)

    def _miss(self, lead: Lead, words: str = "") -> None:
        """Try again later, and later each time; say once what is wrong."""
        lead.due = self._clock() + backoff(lead.misses, _FIRST_PAUSE, _LONGEST_PAUSE)
        lead.misses += 1
        if words and words != lead.said:
            lead.said = words
            self._say(words)
