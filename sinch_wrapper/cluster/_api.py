"""What callers use: give a job to workers, work, and prepare the database for both."""

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Final, Unpack

from sqlalchemy import URL

from sinch_wrapper import RateLimiter, RateLimits, __version__, _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.bulk._api import BulkClient, careful
from sinch_wrapper.bulk._arguments import JobRun, resume_run, send_run
from sinch_wrapper.bulk._job_spec import warn_of_end
from sinch_wrapper.bulk._job_url import JobAddress, JobPath, JobURL, database_url, job_address
from sinch_wrapper.bulk._options import RunOptions, SendOptions
from sinch_wrapper.bulk._register import JOB, connected, is_given
from sinch_wrapper.bulk._report import Report
from sinch_wrapper.bulk._sources import Items
from sinch_wrapper.cluster._database import ClusterDatabase
from sinch_wrapper.cluster._follow import GivenJob, refuse_elsewhere, take_back
from sinch_wrapper.cluster._rate import SharedRateLimiter, WorkerPace
from sinch_wrapper.cluster._status import ClusterStatus, status
from sinch_wrapper.cluster._tickets import require_extra
from sinch_wrapper.cluster._work import WorkerProcess, reached
from sinch_wrapper.errors import BulkArgumentError, ConfigurationError

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


def stop(job: JobPath, *, patience: float = 60.0) -> None:
    """Let workers send *job*, the address of a job in PostgreSQL, no longer, if they have it.

    Waits *patience* seconds for the requests that are on their way. Then resume() gives it to them
    again, and `sinch.bulk.cancel()` withdraws what is left of it.

    Raises: BulkError when some are still on their way (BulkArgumentError or TypeError for an
    argument).
    """
    seconds = _validate.seconds("patience", patience, error=BulkArgumentError)
    address = _url_of(job_address(job))
    with connected(address.database, JOB.words(address.name)) as connection:
        if not is_given(connection, address):
            return
    database = ClusterDatabase(address.database)
    try:
        take_back(database, address.name, seconds)
    finally:
        database.close()


def work(  # noqa: PLR0913 (keyword-only)
    client: BulkClient,
    url: str,
    *,
    concurrency: int = 4,
    lease: float = 30.0,
    limits: RateLimits | None = None,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Send jobs of the project of *client* in the database at *url*, until *stop* is set.

    *concurrency* requests run at a time. All workers of the project share one rate, which *limits*
    sets for all of them. *say* gets a line for what happens. A worker that the others have not
    heard of for *lease* seconds is not waited for any more; all workers of a database need the
    same. Any number of processes may work, and each may be killed at any time.

    While the database cannot be reached it waits, at the beginning as well.

    Raises: BulkError when it cannot begin (BulkArgumentError or TypeError for an argument).
    """
    fault = BulkArgumentError
    _validate.whole("concurrency", concurrency, 1, _MOST_SLOTS, error=fault)
    _validate.number("lease", lease, _SHORTEST_LEASE, error=fault)
    _validate.function("say", say, "a function that takes a line", error=fault)
    found = threading.Event() if stop is None else stop
    _validate.instance("stop", found, threading.Event, error=fault)
    _check_limits(limits)
    address = database_url(url, "url")
    careful(client, "a Sinch")
    require_extra()
    parts = reached(lambda: _opened(address, client.project_id, limits), found, say)
    if parts is None:
        return
    database, limiter = parts
    WorkerProcess(
        client.with_options(limits=limiter), database, slots=concurrency, lease=lease, stop=found,
        say=say, pace=WorkerPace(limiter),
    ).run()  # fmt: skip


def _opened(
    address: URL, project: str, limits: RateLimits | None
) -> tuple[ClusterDatabase, SharedRateLimiter]:
    database = ClusterDatabase(address)
    return database, database.limiter(project, limits)


def rate_limiter(url: str, *, project_id: str, limits: RateLimits | None = None) -> RateLimiter:
    """The limiter that all processes of a project share, in the database at *url*; for `Sinch`.

    Workers of the project share it, too. *limits* sets the rate of the project for all of them;
    without it the project keeps the one that it has, at first that of RateLimits().

    Raises: BulkError when the database is not prepared or cannot be reached; BulkArgumentError or
    TypeError for a wrong argument.
    """
    _validate.string("project_id", project_id, error=BulkArgumentError)
    _check_limits(limits)
    database = ClusterDatabase(database_url(url, "url"))
    try:
        limiter = database.limiter(project_id, limits)
    except BaseException:
        database.close()
        raise
    weakref.finalize(limiter, database.close)
    return limiter


def observe(
    url: str,
    *,
    read: Callable[[str], ClusterStatus] = status,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Offer the gauges of the database at *url* to the global provider of OpenTelemetry.

    For one process: each of those that offer them reports the whole cluster. Attributes are names
    of jobs, ids of apps and projects, and states: never a phone number or text. While the database
    is away there are no values. *read* and *clock* are for tests.

    Raises: BulkError when the database cannot be read now; BulkArgumentError for a wrong argument;
    ConfigurationError without the extra otel.
    """
    try:
        from opentelemetry.metrics import get_meter

        from sinch_wrapper.cluster._metrics import ClusterGauges
    except ImportError:
        message = "observe() needs opentelemetry-api: install sinch-wrapper[otel]"
        raise ConfigurationError(message) from None
    read(url)
    ClusterGauges(lambda: read(url), clock).offer(get_meter("sinch_wrapper", __version__))


def _check_limits(limits: object) -> None:
    wanted = "RateLimits, or None for the rate that the project has"
    if limits is not None:
        _validate.instance("limits", limits, RateLimits, wanted, error=BulkArgumentError)


def _given(client: BulkClient, run: JobRun, *, wait: object) -> Report:
    _validate.boolean("wait", wait, error=BulkArgumentError)
    address, sending = _url_of(run.path), careful(client, "a Sinch")
    database = ClusterDatabase(address.database)
    try:
        limiter = database.limiter(client.project_id)
        job = GivenJob(sending.with_options(limits=limiter), database, address)
        job.give(run)
        if wait:
            return job.follow(run.settings.stop, run.settings.progress, run.settings)
        return Report(address)
    finally:
        database.close()


def _url_of(address: JobAddress | None) -> JobURL:
    if not isinstance(address, JobURL):
        raise BulkArgumentError(
            "job= must be the address of a job in PostgreSQL, because workers send it: "
            "postgresql://user@host/database?job=spring"
        )
    return address
