"""Requests that became two batches: what finds them, and the line in the log that reports each.

One look-up at the end of a job in which something left again, and one more with each `status`, find
what was accepted later than any client can wait; look-ups before and callbacks find the others.
"""

import logging
from typing import Final

from sqlalchemy import select

from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._evidence import only_own, other_batches, read_roll_call
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._schema import resends

_LOG: Final = logging.getLogger("sinch_wrapper.bulk")
_ANY_RESEND: Final = select(resends.c.event).limit(1)


def has_sent_again(journal: Journal) -> bool:
    """Whether any request left again, so that one may show twice."""
    with journal.read() as connection:
        return connection.execute(_ANY_RESEND).first() is not None


def warn_of_double(journal: str, number: int, first: str | None, second: str) -> None:
    """Write a line into the log about a request that is known to have become two batches."""
    _LOG.warning(
        "journal %s: request %d was accepted twice, as the batches %s and %s: its recipients get "
        "the message twice",
        journal,
        number,
        first,
        second,
    )


def note_doubles(job: Job, done: Done) -> None:
    """Write down which accepted requests of *job* a look-up lists as two batches; no I/O but that.

    A look-up that failed shows none.
    """
    with job.journal.write() as connection:
        rows = {row.id: row for row in job.journal.departed(connection)}
        owners = {row.batch_id: row.id for row in rows.values() if row.batch_id}
        roll = only_own(read_roll_call(done, job.id), owners, rows)
        for number, batches in roll.found.items():
            row = rows[number]
            others = other_batches(row.batch_id, batches) if row.batch_id else ()
            if others and not row.twice:
                job.journal.set(connection, number, twice=others[0])
                warn_of_double(job.journal.name, number, row.batch_id, others[0])
