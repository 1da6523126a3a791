"""A journal whose job was never accepted anywhere is free for the corrected one."""

from sqlalchemy import delete, select

from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._schema import chunks, early, facts
from sinch_wrapper.bulk._states import ChunkState

_KEPT = chunks.c.state.not_in((ChunkState.PLANNED, ChunkState.REJECTED))
_DOUBTED = chunks.c.doubted.is_not(None) | chunks.c.batch_id.is_not(None) | (chunks.c.certain != 0)


def is_free(journal: Journal) -> bool:
    """Whether nothing of the job in *journal* was accepted, or may have been.

    A request that was ever in doubt counts, whatever was found out about it later.
    """
    with journal.read() as connection:
        first = connection.execute(select(chunks.c.id).where(_KEPT | _DOUBTED).limit(1)).first()
        return first is None and connection.execute(select(early).limit(1)).first() is None


def forget_job(journal: Journal) -> None:
    """Delete the job in *journal*, so that another one takes its place."""
    with journal.write() as connection:
        journal.empty(connection)
        connection.execute(delete(facts))
