"""Batches that are followed, and what became of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sinch_wrapper.bulk._journal.job import Job
from sinch_wrapper.bulk._states import ChunkState

__all__ = ["Cancellation", "Target", "ids_of", "note_status", "targets_of"]


@dataclass(frozen=True, slots=True)
class Target:
    """A batch, and the number of its chunk; -1 for batches of no job."""

    batch_id: str
    chunk: int = -1
    recipients: int = 0


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What was really cancelled: batch ids, and recipients where a job knows them.

    *too_late* were handed over before; *unknown* had no final status within the patience.
    *never_sent* counts recipients of the job that had not left and now never will.
    """

    cancelled: tuple[str, ...]
    too_late: tuple[str, ...]
    unknown: tuple[str, ...]
    recipients: int = 0
    never_sent: int = 0


def targets_of(job: Job) -> Iterator[Target]:
    """The batches of a job that were accepted."""
    last = -1
    while found := job.journal.after(last, state=ChunkState.ACCEPTED):
        for chunk in found:
            last = chunk.id
            if chunk.batch_id:
                yield Target(chunk.batch_id, chunk.id, chunk.count)


def ids_of(statuses: Iterable[object]) -> list[str]:
    """The ids in the answer of a look-up by metadata."""
    ids = (getattr(status, "batch_id", None) for status in statuses)
    return [batch_id for batch_id in ids if isinstance(batch_id, str)]


def note_status(job: Job) -> Callable[[Target, str], None]:
    """What writes the status of a batch into the journal of *job*."""

    def note(target: Target, status: str) -> None:
        with job.journal.write() as connection:
            job.journal.set(connection, target.chunk, batch_status=status)

    return note
