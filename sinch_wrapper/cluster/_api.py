"""What callers use: give a job to workers, work, and prepare the database for both."""

import threading
from collections.abc import Callable, Mapping
from typing import Final, Unpack

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.bulk._api import BulkClient, careful
from sinch_wrapper.bulk._arguments import JobRun, resume_run, send_run
from sinch_wrapper.bulk._job_spec import warn_of_end
from sinch_wrapper.bulk._job_url import JobPath, JobURL, database_url
from sinch_wrapper.bulk._options import RunOptions, SendOptions
from sinch_wrapper.bulk._report import Report
from sinch_wrapper.bulk._sources import Items
from sinch_wrapper.bulk._states import StopReason
from sinch_wrapper.cluster._database import ClusterDatabase
from sinch_wrapper.cluster._follow import GivenJob, refuse_elsewhere
from sinch_wrapper.cluster._work import WorkerProcess, reached
from sinch_wrapper.errors import BulkArgumentError

_MOST_SLOTS: Final = 200
_SHORTEST_LEASE: Final = 1.0


@forgetting
def send(  # noqa: PLR0913 (keyword-only, those of Bulk.send)
    client: BulkClient,
    *,
    app_id: str,
    message: Mapping[str, object],
    recipients: Items,
    job: JobPath,
    wait: bool = True,
    **options: Unpack[SendOptions],
) -> Report:
    """Read all *recipients* into *job*, and let workers send it; see work().

    The arguments are those of `sinch.bulk.send()`, but *job* is the address of a job in PostgreSQL,
    and *concurrency* and *deadline* are not for workers. With *wait* it returns when the job has
    ended, or when *stop* is set, and the job goes on then; without, when all recipients are read.

    Raises: as `sinch.bulk.send()`.
    """
    refuse_elsewhere(options)
    warn_of_end(options)
    return _given(client, send_run(app_id, message, recipients, job, options), wait=wait)


@forgetting
def resume(
    client: BulkClient, job: JobPath, *, wait: bool = True, **options: Unpack[RunOptions]
) -> Report:
    """Let workers go on with *job*, the address of a job in PostgreSQL; *wait* as in send().

    Raises: as `sinch.bulk.resume()`.
    """
    refuse_elsewhere(options)
    return _given(client, resume_run(job, options), wait=wait)


def work(  # noqa: PLR0913 (keyword-only)
    client: BulkClient,
    url: str,
    *,
    concurrency: int = 4,
    lease: float = 30.0,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Send jobs of the project of *client* in the database at *url*, until *stop* is set.

    *concurrency* requests run at a time. *say* gets a line for what happens. A worker that the
    others have not heard of for *lease* seconds is not waited for any more; all workers of a
    database need the same. Any number of processes may work, and each may be killed at any time.

    While the database cannot be reached it waits, at the beginning as well.

    Raises: BulkError when it cannot begin (BulkArgumentError or TypeError for an argument).
    """
    fault = BulkArgumentError
    _validate.whole("concurrency", concurrency, 1, _MOST_SLOTS, error=fault)
    _validate.number("lease", lease, _SHORTEST_LEASE, error=fault)
    _validate.function("say", say, "a function that takes a line", error=fault)
    found = threading.Event() if stop is None else stop
    address = database_url(url)
    careful(client, "a Sinch")
    database = reached(address, found, say)
    if database is not None:
        WorkerProcess(client, database, slots=concurrency, lease=lease, stop=found, say=say).run()


def _given(client: BulkClient, run: JobRun, *, wait: object) -> Report:
    _validate.boolean("wait", wait, error=BulkArgumentError)
    if not isinstance(run.path, JobURL):
        raise BulkArgumentError(
            "job= must be the address of a job in PostgreSQL, because workers send it: "
            "postgresql://user@host/database?job=spring"
        )
    database = ClusterDatabase(run.path.database)
    try:
        job = GivenJob(careful(client, "a Sinch"), database, run.path)
        job.give(run)
        if wait:
            return job.follow(run.settings.stop, run.settings.progress, run.settings)
        report = Report(run.path)
        report.stopped = StopReason.NONE
        return report
    finally:
        database.close()
