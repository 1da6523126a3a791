"""AsyncBulk: jobs of any size, for tasks."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Unpack

from sinch_wrapper.bulk._async_bulk_jobs import AsyncBulkJobs
from sinch_wrapper.bulk._options import JobOptions, RunOptions, SendOptions, run_of
from sinch_wrapper.bulk._orders import JobPath, Order, items_order, message_order, retry_order
from sinch_wrapper.bulk._recipients.sources import Items
from sinch_wrapper.bulk._results.report import Report
from sinch_wrapper.bulk._sending.drivers import in_thread, until_halted

__all__ = ["AsyncBulk"]


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
