"""What a step reads at once about all requests that have come back, instead of one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, select

from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._responses import text_of
from sinch_wrapper.bulk._schema import chunks, early

_OWNERS: Final = select(chunks.c.batch_id, chunks.c.id).where(
    chunks.c.batch_id.in_(bindparam("batches", expanding=True))
)
_ANY_EARLY: Final = select(early.c.batch_id).limit(1)


@dataclass(slots=True)
class ReadAhead:
    """The chunks that are about to change, who has their batches, and whether callbacks wait.

    It holds for one transaction, in which nobody else writes. *owners* has the batches that it
    knows about, with the number of the request, or None for nobody.
    """

    chunks: dict[int, Chunk] = field(default_factory=dict)
    owners: dict[str, int | None] = field(default_factory=dict)
    may_be_early: bool = True


def read_ahead(journal: Journal, connection: Connection, done: Sequence[Done]) -> ReadAhead:
    """Read what is needed for *done*; nothing when a look-up among them may change it."""
    if len(done) < 2 or any(each.call.purpose != "send" for each in done):  # noqa: PLR2004 (several)
        return ReadAhead()
    ids = [text_of(getattr(each.value, "batch_id", None)) for each in done]
    owners: dict[str, int | None] = dict.fromkeys(each for each in ids if each)
    owners |= {row.batch_id: row.id for row in connection.execute(_OWNERS, {"batches": [*owners]})}
    known = journal.chunks(connection, [each.call.chunk for each in done])
    return ReadAhead(known, owners, connection.execute(_ANY_EARLY).first() is not None)
