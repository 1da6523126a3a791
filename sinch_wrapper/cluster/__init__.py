"""Jobs past one machine: in PostgreSQL, sent by any number of workers.

A job is planned once, and any worker sends it: send() and resume() give it to them, work() is one
of them. prepare() creates what they need in the database. A worker may be killed, stopped or cut
off at any time: its requests are looked up, and leave again only on evidence, as in one process.
"""

from typing import TYPE_CHECKING

from sinch_wrapper._lazy import Extra, lazy
from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.cluster._api import resume, send, work
    from sinch_wrapper.cluster._database import prepare

__all__ = ["prepare", "resume", "send", "work"]

__getattr__ = lazy(
    __name__,
    {"_api": ("resume", "send", "work"), "_database": ("prepare",)},
    extra=Extra(
        "a job that workers send",
        "cluster",
        frozenset({"procrastinate", "psycopg", "sqlalchemy"}),
        BulkError,
    ),
)
