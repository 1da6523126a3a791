"""Bulk: jobs of any size, for threads."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.bulk._callbacks import Recorders
from sinch_wrapper.bulk._calls import Planner
from sinch_wrapper.bulk._driver import drive, drive_async, drive_settings, in_thread, until_halted
from sinch_wrapper.bulk._follower import Cancellation, Follower, ids_of
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._options import (
    JobOptions,
    JobPath,
    Order,
    Run,
    RunOptions,
    SendOptions,
    items_order,
    message_order,
    retry_order,
    run_of,
)
from sinch_wrapper.bulk._report import Report
from sinch_wrapper.bulk._runner import JobRunner, OpenJob
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._sources import Items
from sinch_wrapper.callbacks import Event
from sinch_wrapper.errors import SinchError

if TYPE_CHECKING:
    from sinch_wrapper.client import AsyncSinch, Sinch


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


class Bulk(BulkJobs):
    """Jobs of any size over the Batch API, in threads; `sinch.bulk` is one.

    A job is a journal: a file that knows each recipient, what was sent, and what became of it.
    Without `job=` it is in memory and ends with its report. Nothing is sent before all recipients
    were read and checked; a request is on disk before it leaves; a lost answer is looked up, and
    a request leaves again only when it surely was not accepted.
    """

    def send(
        self,
        *,
        app_id: str,
        message: Mapping[str, object],
        recipients: Items,
        job: JobPath | None = None,
        **options: Unpack[SendOptions],
    ) -> Report:
        """Send *message* to all *recipients*; a job that was begun goes on where it was.

        Args:
            app_id: of the app that sends.
            message: with `${name}` placeholders; see text() and the other builders.
            recipients: path of a CSV, JSON lines (also .gz) or Parquet file, or an iterable of
                Recipient, (Recipient, parameters), or objects.
            job: path of the journal; in memory when absent.
            **options: see SendOptions.

        Raises: BulkError when it cannot start, with nothing sent; BulkStoppedError when the API
        refuses all; TypeError for an unknown option.
        """
        order = message_order(
            app_id=app_id, message=message, recipients=recipients, job=job, options=options
        )
        return self._run(order)

    def resume(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Go on with a job from its file alone.

        Raises: BulkError when it cannot go on, BulkStoppedError when the API refuses all.
        """
        return self._run(Order(Path(job), run_of(options)))

    def create_contacts(
        self,
        contacts: Items,
        *,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Create any number of contacts; a doubtful request is never repeated.

        Raises: as send().
        """
        return self._run(items_order("create-contacts", {}, contacts, job, options))

    def delete_contacts(
        self,
        contact_ids: Items,
        *,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Delete any number of contacts; a doubtful request is repeated, which is harmless.

        Raises: as send().
        """
        return self._run(items_order("delete-contacts", {}, contact_ids, job, options))

    def insert_consents(
        self,
        records: Items,
        *,
        app_id: str,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Insert any number of consent records (`identification`, `consent_type`).

        They are not atomic: a request that failed may have stored a part, and is repeated as the
        documentation advises.

        Raises: as send().
        """
        request = {"app_id": app_id}
        return self._run(items_order("insert-consents", request, records, job, options))

    def retry_failed(
        self,
        job: JobPath,
        *,
        new_job: JobPath,
        reasons: Collection[str],
        **options: Unpack[JobOptions],
    ) -> Report:
        """Send again to the recipients of *job* that failed or were rejected for one of *reasons*.

        *new_job* is a job of its own that points to the old one; keys stay.

        Raises: as send().
        """
        return self._run(retry_order(job, new_job, reasons, options))

    def _run(self, order: Order) -> Report:
        opened = self._runner.open(order.path, must_exist=order.plan is None)
        try:
            sender = self._runner.start(opened, order)
            self._ask_mode(opened)
            self._drive(sender, order.run, opened.began, sender)
            return self._runner.finish(opened, order)
        finally:
            opened.close()


# Seconds for a question whose answer nothing waits for.
_BRIEF = 5.0


class AsyncBulkJobs:
    """The jobs of one client that are there."""

    def __init__(self, client: "AsyncSinch") -> None:
        options = client._options  # noqa: SLF001 (a class of this package)
        policy = replace(options.retry, resend="never")
        self._client = client.with_options(retry=policy)
        self._recorders = Recorders()
        self._runner = JobRunner(options.project_id, self._recorders.keep)

    async def report(self, job: JobPath) -> Report:
        """Say what became of a job, also while it runs; raises BulkError."""
        return await in_thread(Report, Path(job))

    async def record(self, events: Event | Iterable[Event], job: JobPath | None = None) -> int:
        """Write down what callbacks say about the recipients of *job*, else of all jobs run here.

        They may come twice, in any order, and before the request that they are about was
        answered. Several at once cost little more than one.

        Returns: how many were about these jobs.
        Raises: BulkError.
        """
        path = None if job is None else Path(job)
        return await in_thread(self._recorders.record, events, path)

    async def status(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Ask the API where each batch of *job* stands, then report.

        Raises: BulkError, and SinchError when nothing can be asked.
        """
        run = run_of(options)
        journal = await in_thread(Journal, Path(job), must_exist=True)
        try:
            follower = self._runner.survey(journal, run)
            await self._drive(follower, run)
            follower.check()
        finally:
            journal.close()
        return await in_thread(Report, Path(job))

    async def cancel(
        self, job: JobPath, *, poll_for: float = 30.0, **options: Unpack[RunOptions]
    ) -> Cancellation:
        """Cancel what is left of *job*: what has not left, and the batches that are scheduled.

        The API answers 200 whether or not it worked, so each batch is polled, for *poll_for*
        seconds at most. The job cannot be resumed afterwards.

        Raises: BulkError, also while another process sends from it; SinchError for wrong
        credentials.
        """
        run = run_of(options)
        opened = await in_thread(self._runner.open, Path(job), must_exist=True)
        try:
            sender, never = await in_thread(self._runner.start_cancelling, opened, run)
            await self._drive(sender, run)
            follower = self._runner.canceller(opened, run, poll_for)
            await self._drive(follower, run)
            follower.check()
            return follower.cancellation(never)
        finally:
            opened.close()

    async def cancel_batches(
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
            found += ids_of(await look(metadata_key=key, metadata_value=value))
        follower = Follower.of_batches(found, run.how.concurrency, poll_for)
        await self._drive(follower, run)
        follower.check()
        return follower.cancellation()

    async def _ask_mode(self, opened: OpenJob) -> None:
        """Ask once for the mode of the app where contact ids depend on it; no answer is fine."""
        app_id = await in_thread(self._runner.app_to_ask, opened)
        if app_id is None:
            return
        brief = self._client.with_options(timeout=_BRIEF, retry=RetryPolicy(attempts=1))
        mode: object = None
        with suppress(SinchError):
            mode = (await brief.conversation.app.get_app(app_id)).processing_mode
        known = mode if isinstance(mode, str) and mode else None
        await in_thread(self._runner.note_mode, opened, known)

    async def _drive(
        self, planner: Planner, run: Run, began: float | None = None, sender: Sender | None = None
    ) -> None:
        await drive_async(
            planner, self._client.batch, drive_settings(run, self._runner.clock, began, sender)
        )


class AsyncBulk(AsyncBulkJobs):
    """Jobs of any size over the Batch API, in tasks; `sinch.bulk` of an AsyncSinch is one.

    A job is a journal: a file that knows each recipient, what was sent, and what became of it.
    Without `job=` it is in memory and ends with its report. Nothing is sent before all recipients
    were read and checked; a request is on disk before it leaves; a lost answer is looked up, and
    a request leaves again only when it surely was not accepted.
    """

    async def send(
        self,
        *,
        app_id: str,
        message: Mapping[str, object],
        recipients: Items,
        job: JobPath | None = None,
        **options: Unpack[SendOptions],
    ) -> Report:
        """Send *message* to all *recipients*; a job that was begun goes on where it was.

        Args:
            app_id: of the app that sends.
            message: with `${name}` placeholders; see text() and the other builders.
            recipients: path of a CSV, JSON lines (also .gz) or Parquet file, or an iterable of
                Recipient, (Recipient, parameters), or objects.
            job: path of the journal; in memory when absent.
            **options: see SendOptions.

        Raises: BulkError when it cannot start, with nothing sent; BulkStoppedError when the API
        refuses all; TypeError for an unknown option.
        """
        order = message_order(
            app_id=app_id, message=message, recipients=recipients, job=job, options=options
        )
        return await self._run(order)

    async def resume(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Go on with a job from its file alone.

        Raises: BulkError when it cannot go on, BulkStoppedError when the API refuses all.
        """
        return await self._run(Order(Path(job), run_of(options)))

    async def create_contacts(
        self,
        contacts: Items,
        *,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Create any number of contacts; a doubtful request is never repeated.

        Raises: as send().
        """
        return await self._run(items_order("create-contacts", {}, contacts, job, options))

    async def delete_contacts(
        self,
        contact_ids: Items,
        *,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Delete any number of contacts; a doubtful request is repeated, which is harmless.

        Raises: as send().
        """
        return await self._run(items_order("delete-contacts", {}, contact_ids, job, options))

    async def insert_consents(
        self,
        records: Items,
        *,
        app_id: str,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Insert any number of consent records (`identification`, `consent_type`).

        They are not atomic: a request that failed may have stored a part, and is repeated as the
        documentation advises.

        Raises: as send().
        """
        request = {"app_id": app_id}
        return await self._run(items_order("insert-consents", request, records, job, options))

    async def retry_failed(
        self,
        job: JobPath,
        *,
        new_job: JobPath,
        reasons: Collection[str],
        **options: Unpack[JobOptions],
    ) -> Report:
        """Send again to the recipients of *job* that failed or were rejected for one of *reasons*.

        *new_job* is a job of its own that points to the old one; keys stay.

        Raises: as send().
        """
        order = await in_thread(retry_order, job, new_job, reasons, options)
        return await self._run(order)

    async def _run(self, order: Order) -> Report:
        opened = await in_thread(self._runner.open, order.path, must_exist=order.plan is None)
        try:
            halt = opened.halted.set
            sender = await until_halted(halt, self._runner.start, opened, order)
            await self._ask_mode(opened)
            await self._drive(sender, order.run, opened.began, sender)
            return await in_thread(self._runner.finish, opened, order)
        finally:
            opened.close()
