"""Jobs past one machine: in PostgreSQL, sent by any number of workers.

A job is planned once, and any worker sends it: send() and resume() give it to them, stop() takes it
back, and work() is one of them. prepare() creates what they need in the database. A worker may be
killed, stopped or cut off at any time: its requests are looked up, and leave again only on
evidence, as in one process.
"""

from typing import TYPE_CHECKING

from sinch_wrapper._lazy import Extra, lazy
from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.cluster._api import observe, rate_limiter, resume, send, stop, work
    from sinch_wrapper.cluster._database import prepare
    from sinch_wrapper.cluster._rate_table import KnownRate
    from sinch_wrapper.cluster._status import (
        ClusterStatus,
        DoubtStatus,
        JobStatus,
        QueueStatus,
        WorkerStatus,
        status,
    )

__all__ = [
    "ClusterStatus",
    "DoubtStatus",
    "JobStatus",
    "KnownRate",
    "QueueStatus",
    "WorkerStatus",
    "observe",
    "prepare",
    "rate_limiter",
    "resume",
    "send",
    "status",
    "stop",
    "work",
]

__getattr__ = lazy(
    __name__,
    {
        "_api": ("observe", "rate_limiter", "resume", "send", "stop", "work"),
        "_database": ("prepare",),
        "_rate_table": ("KnownRate",),
        "_status": (
            "ClusterStatus",
            "DoubtStatus",
            "JobStatus",
            "QueueStatus",
            "WorkerStatus",
            "status",
        ),
    },
    extra=Extra(
        "a job that workers send",
        "cluster",
        frozenset({"procrastinate", "psycopg", "sqlalchemy"}),
        BulkError,
    ),
)
