"""procrastinate: it carries the numbers of calls, and wakes workers; it decides nothing.

Its tables are in the schema that jobs share. Its jobs are tickets: one that is lost, or comes
twice, does no harm.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text

from sinch_wrapper._lazy import Extra
from sinch_wrapper.bulk._register import SHARED
from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    import procrastinate
    import psycopg

_EXTRA: Final = Extra(
    "bulk work", "cluster", frozenset({"procrastinate", "psycopg"}), ConfigurationError
)
_QUEUE: Final = "sinch"
_TASK: Final = "sinch_wrapper.call"
# Seconds between two looks for tickets whose news was lost.
_POLL: Final = 2.0

# The functions of procrastinate name its tables without their schema.
_PATH: Final = text(f"SELECT set_config('search_path', '{SHARED}', true)")
_ISSUE: Final = text(
    f"""
    SELECT {SHARED}.procrastinate_defer_jobs_v1(ARRAY(
      SELECT ROW('{_QUEUE}', '{_TASK}', 0, NULL, 'call-' || number,
        jsonb_build_object('number', number), NULL)::{SHARED}.procrastinate_job_to_defer_v1
      FROM unnest(CAST(:numbers AS bigint[])) AS number))
    """  # noqa: S608 (constants)
)
_MISSING: Final = text(
    f"""
    SELECT number FROM unnest(CAST(:numbers AS bigint[])) AS number
    WHERE NOT EXISTS (
      SELECT FROM {SHARED}.procrastinate_jobs
      WHERE status = 'todo' AND queueing_lock = 'call-' || number)
    """  # noqa: S608 (constants)
)

_THERE: Final = text(f"SELECT to_regclass('{SHARED}.procrastinate_jobs')")

# Whoever has no handlers for them would see their tracebacks: what matters is said by us.
for _name in ("procrastinate", "psycopg"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def prepare_tickets(connection: Connection) -> bool:
    """Create the tables of procrastinate, unless they exist; returns whether it did."""
    from procrastinate.schema import SchemaManager

    if connection.execute(_THERE).scalar_one() is not None:
        return False
    connection.execute(_PATH)
    # As it is: it contains what looks like parameters.
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    return True


class PostgresTickets:
    """Tickets as jobs of procrastinate, by SQL in the transaction of who issues them."""

    def issue(self, connection: Connection, numbers: Collection[int]) -> None:
        """Issue tickets for calls."""
        connection.execute(_PATH)
        connection.execute(_ISSUE, {"numbers": list(numbers)})

    def missing(self, connection: Connection, numbers: Collection[int]) -> Collection[int]:
        """The calls among *numbers* whose tickets were taken, or are lost."""
        return set(connection.execute(_MISSING, {"numbers": list(numbers)}).scalars())


async def _configure(connection: "psycopg.AsyncConnection[Any]") -> None:
    # Not an option of the connection, which poolers refuse.
    await connection.execute(f"SET search_path TO {SHARED}")
    if not connection.autocommit:
        await connection.commit()


def require_extra() -> None:
    """Raise ConfigurationError, which says what to install, without procrastinate."""
    try:
        import procrastinate  # noqa: F401 (whether it is there)
    except ModuleNotFoundError:
        raise _EXTRA.missing() from None


def ticket_office(address: str, perform: Callable[..., None]) -> "procrastinate.App":
    """What calls *perform* in a thread, with the number= of a call; *address* is for psycopg.

    It makes no connection before it is opened.
    """
    import procrastinate

    connector = procrastinate.PsycopgConnector(
        conninfo=address, configure=_configure, min_size=1, max_size=4
    )
    office = procrastinate.App(connector=connector)
    office.task(name=_TASK, queue=_QUEUE)(perform)
    return office


async def serve(office: "procrastinate.App", slots: int, lease: float) -> None:
    """Hand tickets on, *slots* at a time, until this task is cancelled; waits for what is running.

    Raises: what procrastinate raises when the database is away.
    """
    sweep = asyncio.create_task(_sweep(office, lease))
    try:
        await office.run_worker_async(
            queues=[_QUEUE],
            concurrency=slots,
            name="sinch-wrapper",
            install_signal_handlers=False,
            delete_jobs="always",
            fetch_job_polling_interval=_POLL,
            update_heartbeat_interval=lease / 3,
            stalled_worker_timeout=lease,
        )
    finally:
        sweep.cancel()
        with suppress(asyncio.CancelledError):
            await sweep


async def _sweep(office: "procrastinate.App", lease: float) -> None:
    """Finish the tickets of dead workers; each by itself, because others sweep at the same time."""
    from procrastinate.exceptions import ProcrastinateException
    from procrastinate.jobs import Status

    while True:
        await asyncio.sleep(lease)
        with suppress(ProcrastinateException):
            for each in await office.job_manager.get_stalled_jobs(seconds_since_heartbeat=lease):
                with suppress(ProcrastinateException):
                    await office.job_manager.finish_job(each, Status.FAILED, delete_job=True)
