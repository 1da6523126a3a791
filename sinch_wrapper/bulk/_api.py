"""Bulk: what callers use in threads; Jobs does the work."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar, Unpack

from sinch_wrapper._forget import forgetting, forgetting_methods
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._validate import wrong_kind
from sinch_wrapper.bulk._arguments import (
    checked_ids,
    consents_run,
    contacts_run,
    lookup_pair,
    patience,
    preview_run,
    resume_run,
    retry_run,
    run_settings,
    send_again_run,
    send_run,
)
from sinch_wrapper.bulk._job_spec import warn_of_end
from sinch_wrapper.bulk._job_url import JobPath, job_address
from sinch_wrapper.bulk._jobs import JobClient, Jobs, look
from sinch_wrapper.bulk._options import JobOptions, RunOptions, SendOptions
from sinch_wrapper.bulk._polling import Cancellation
from sinch_wrapper.bulk._preview import Preview
from sinch_wrapper.bulk._probe import ProbeOptions, ProbeResult, checked_probe
from sinch_wrapper.bulk._report import Report
from sinch_wrapper.bulk._sources import Items
from sinch_wrapper.callbacks import Event

if TYPE_CHECKING:
    import sinch_batch_api


@forgetting
def preview(
    *,
    message: Mapping[str, object],
    recipients: Items,
    app_id: str | None = None,
    **options: Unpack[SendOptions],
) -> Preview:
    """Say what send() with these arguments would do: it needs no credentials, and nothing leaves.

    *message*, *recipients*, *app_id* and the options are those of send().
    Rows that cannot be sent are in the preview, and so are the reasons for which the job would not
    begin (`refusals`); *approve* is not asked.

    Raises: BulkError for a source that cannot be read (BulkArgumentError, which is a ValueError, or
    TypeError for an argument).
    """
    warn_of_end(options)
    return look(preview_run(app_id, message, recipients, options))


ClientT = TypeVar("ClientT", bound=JobClient)
T = TypeVar("T")


class BulkClient(JobClient, Protocol):
    """What Bulk needs of a client, such as a Sinch."""

    @property
    def batch(self) -> "sinch_batch_api.Client":
        """The Batch API, for threads."""


def careful(client: ClientT, wanted: str) -> ClientT:
    """A view of *client* that never repeats a request whose outcome is unknown."""
    policy = getattr(client, "retry", None)
    if not isinstance(policy, RetryPolicy):
        raise wrong_kind("client", wanted, client)
    return client.with_options(retry=replace(policy, resend="never"))


@forgetting_methods
class Bulk:
    """Jobs of any size over the Batch API, in threads; `sinch.bulk` is one.

    A job is a journal: a file that knows each recipient, what was sent, and what became of it.
    Without `job=` it is in memory and ends with its report. Nothing is sent before all recipients
    were read and checked. A request is on disk before it leaves; when its response is lost it is
    looked up, and it leaves again only on evidence that it was not accepted, or never.
    """

    def __init__(self, client: BulkClient) -> None:
        self._jobs = Jobs(careful(client, "a Sinch"))

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

        Raises: BulkError when it cannot start, with nothing sent (BulkArgumentError, which is a
        ValueError, or TypeError for an argument); BulkStoppedError when the API refuses all.
        """
        warn_of_end(options)
        return self._jobs.run(send_run(app_id, message, recipients, job, options))

    def preview(
        self,
        *,
        message: Mapping[str, object],
        recipients: Items,
        app_id: str | None = None,
        **options: Unpack[SendOptions],
    ) -> Preview:
        """What send() with these arguments would do; see sinch_wrapper.bulk.preview()."""
        return preview(message=message, recipients=recipients, app_id=app_id, **options)

    def resume(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Go on with a job from its file alone.

        Raises: BulkError when it cannot go on, BulkStoppedError when the API refuses all.
        """
        return self._jobs.run(resume_run(job, options))

    def send_again(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Send what is unknown in *job* again: on your word, not on evidence.

        It is looked up once more; what was accepted after all is sent twice. Raises: as resume().
        """
        return self._jobs.run(send_again_run(job, options))

    def create_contacts(
        self, contacts: Items, *, job: JobPath | None = None, **options: Unpack[JobOptions]
    ) -> Report:
        """Create any number of *contacts*; a request whose outcome is unknown is never repeated.

        *job* is the path of the journal, in memory when absent.

        Raises: as send().
        """
        return self._jobs.run(contacts_run("create_contacts", contacts, job, options))

    def delete_contacts(
        self, contact_ids: Items, *, job: JobPath | None = None, **options: Unpack[JobOptions]
    ) -> Report:
        """Delete contacts by *contact_ids*; what is unknown is repeated, which is harmless.

        *job* is the path of the journal, in memory when absent.

        Raises: as send().
        """
        return self._jobs.run(contacts_run("delete_contacts", contact_ids, job, options))

    def insert_consents(
        self,
        records: Items,
        *,
        app_id: str,
        job: JobPath | None = None,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Insert any number of consent *records* (`identification`, `consent_type`) for *app_id*.

        *job* is the path of the journal, in memory when absent.

        They are not atomic: a request that failed may have stored a part of its records, and is
        repeated as the documentation advises.

        Raises: as send().
        """
        return self._jobs.run(consents_run(app_id, records, job, options))

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
        return self._jobs.run(retry_run(job, new_job, reasons, options))

    def report(self, job: JobPath) -> Report:
        """Report what became of a job, also while it runs; raises BulkError."""
        return Report(job_address(job))

    def record(self, events: Event | Iterable[Event], job: JobPath | None = None) -> int:
        """Write down what *events* say about the recipients of *job*, else of all jobs run here.

        They may come twice, in any order, and before the response to the request that they are
        about. Several at once cost little more than one.

        Returns: how many were about these jobs.
        Raises: BulkError; TypeError for what is not an Event.
        """
        return self._jobs.recorders.record(events, None if job is None else job_address(job))

    def status(self, job: JobPath, **options: Unpack[RunOptions]) -> Report:
        """Ask the API for the status of each batch of *job*, then report.

        Raises: BulkError, and SinchError when the API cannot be asked.
        """
        return self._jobs.status(job_address(job), run_settings("status()", options))

    def cancel(
        self, job: JobPath, *, poll_for: float = 30.0, **options: Unpack[RunOptions]
    ) -> Cancellation:
        """Cancel what is left of *job*: what has not left, and the batches that are scheduled.

        The API responds with 200 whether or not it worked, so each batch is polled, for *poll_for*
        seconds at most. The job cannot be resumed afterwards.

        Raises: BulkError, also while another process sends from it; SinchError for wrong
        credentials.
        """
        return self._jobs.cancel(
            job_address(job), run_settings("cancel()", options), patience(poll_for)
        )

    def cancel_batches(
        self,
        *batch_ids: str,
        metadata: tuple[str, str] | None = None,
        poll_for: float = 30.0,
        **options: Unpack[RunOptions],
    ) -> Cancellation:
        """Cancel *batch_ids*, and all whose batch metadata have the key and value *metadata*.

        They are polled for *poll_for* seconds at most, as by cancel().

        Raises: SinchError when the look-up by *metadata* fails, or the credentials are wrong.
        """
        return self._jobs.cancel_batches(
            checked_ids(batch_ids),
            lookup_pair(metadata),
            run_settings("cancel_batches()", options),
            patience(poll_for),
        )

    def probe(
        self, *, app_id: str, recipient: Mapping[str, object], **options: Unpack[ProbeOptions]
    ) -> ProbeResult:
        """Measure how look-ups list what was accepted; sends from *app_id* to your own *recipient*.

        Raises: BulkArgumentError or TypeError for mistakes; SinchError when nothing is accepted.
        """
        return self._jobs.probe(checked_probe(app_id, recipient, options))
