"""What Bulk does with jobs that are there: report, record, status, cancel."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.bulk._job_runner import JobRunner, OpenJob
from sinch_wrapper.bulk._journal.journal import Journal
from sinch_wrapper.bulk._options import Run, RunOptions, run_of
from sinch_wrapper.bulk._orders import JobPath
from sinch_wrapper.bulk._recorders import Recorders
from sinch_wrapper.bulk._results.report import Report
from sinch_wrapper.bulk._sending.calls import Planner
from sinch_wrapper.bulk._sending.drivers import drive, drive_settings
from sinch_wrapper.bulk._sending.following import Follower
from sinch_wrapper.bulk._sending.sender import Sender
from sinch_wrapper.bulk._sending.targets import Cancellation, ids_of
from sinch_wrapper.callbacks import Event
from sinch_wrapper.errors import SinchError

if TYPE_CHECKING:
    from sinch_wrapper.client import Sinch

__all__ = ["BulkJobs"]

# Seconds for a question whose answer nothing waits for.
_BRIEF = 5.0


class BulkJobs:
    """The jobs of one client that are there."""

    def __init__(self, client: "Sinch") -> None:
        options = client._options  # noqa: SLF001 (a class of this package)
        policy = replace(options.retry, resend="never")
        self._client = client.with_options(retry=policy)
        self._recorders = Recorders()
        self._runner = JobRunner(options.project_id, self._recorders.keep)

    def report(self, job: JobPath) -> Report:
        """Say what became of a job, also while it runs; raises BulkError."""
        return Report(Path(job))

    def record(self, events: Event | Iterable[Event], job: JobPath | None = None) -> int:
        """Write down what callbacks say about the recipients of *job*, else of all jobs run here.

        They may come twice, in any order, and before the request that they are about was
        answered. Several at once cost little more than one.

        Returns: how many were about these jobs.
        Raises: BulkError.
        """
        return self._recorders.record(events, None if job is None else Path(job))

    def status(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Ask the API where each batch of *job* stands, then report.

        Raises: BulkError, and SinchError when nothing can be asked.
        """
        run, journal = run_of(options), Journal(Path(job), must_exist=True)
        try:
            follower = self._runner.survey(journal, run)
            self._drive(follower, run)
            follower.check()
        finally:
            journal.close()
        return Report(Path(job))

    def cancel(
        self, job: JobPath, *, poll_for: float = 30.0, **options: Unpack[RunOptions]
    ) -> Cancellation:
        """Cancel what is left of *job*: what has not left, and the batches that are scheduled.

        The API answers 200 whether or not it worked, so each batch is polled, for *poll_for*
        seconds at most. The job cannot be resumed afterwards.

        Raises: BulkError, also while another process sends from it; SinchError for wrong
        credentials.
        """
        run, opened = run_of(options), self._runner.open(Path(job), must_exist=True)
        try:
            sender, never = self._runner.start_cancelling(opened, run)
            self._drive(sender, run)
            follower = self._runner.canceller(opened, run, poll_for)
            self._drive(follower, run)
            follower.check()
            return follower.cancellation(never)
        finally:
            opened.close()

    def cancel_batches(
        self,
        *batch_ids: str,
        metadata: tuple[str, str] | None = None,
        poll_for: float = 30.0,
        **options: Unpack[RunOptions],
    ) -> Cancellation:
        """Cancel batches by id, and all whose batch metadata have the key and value *metadata*.

        They are polled as by cancel().

        Raises: SinchError when the look-up by *metadata* fails, or the credentials are wrong.
        """
        run, found = run_of(options), list(batch_ids)
        if metadata is not None:
            key, value = metadata
            look = self._client.batch.messages.get_batch_statuses_by_metadata
            found += ids_of(look(metadata_key=key, metadata_value=value))
        follower = Follower.of_batches(found, run.how.concurrency, poll_for)
        self._drive(follower, run)
        follower.check()
        return follower.cancellation()

    def _ask_mode(self, opened: OpenJob) -> None:
        """Ask once for the mode of the app where contact ids depend on it; no answer is fine."""
        app_id = self._runner.app_to_ask(opened)
        if app_id is None:
            return
        brief = self._client.with_options(timeout=_BRIEF, retry=RetryPolicy(attempts=1))
        mode: object = None
        with suppress(SinchError):
            mode = brief.conversation.app.get_app(app_id).processing_mode
        self._runner.note_mode(opened, mode if isinstance(mode, str) and mode else None)

    def _drive(
        self, planner: Planner, run: Run, began: float | None = None, sender: Sender | None = None
    ) -> None:
        settings = drive_settings(run, self._runner.clock, began, sender)
        drive(planner, self._client.batch, settings)
