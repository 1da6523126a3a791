"""Bulk: jobs of any size, for threads."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Unpack

from sinch_wrapper.bulk._bulk_jobs import BulkJobs
from sinch_wrapper.bulk._options import JobOptions, RunOptions, SendOptions, run_of
from sinch_wrapper.bulk._orders import JobPath, Order, items_order, message_order, retry_order
from sinch_wrapper.bulk._recipients.sources import Items
from sinch_wrapper.bulk._results.report import Report

__all__ = ["Bulk"]


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
