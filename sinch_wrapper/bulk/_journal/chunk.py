"""The requests of a job as the journal has them, and what is asked for each of them."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Row, bindparam, select

from sinch_wrapper.bulk._journal.tables import bodies, chunks
from sinch_wrapper.bulk._states import ChunkState

__all__ = ["BODY", "NEXT", "ONE", "Chunk", "Planned", "chunk_of"]

# Questions for each request, put together once.
ONE: Final = select(chunks).where(chunks.c.id == bindparam("chunk"))
BODY: Final = select(bodies.c.content, bodies.c.places).where(bodies.c.chunk == bindparam("chunk"))
NEXT: Final = (
    select(chunks).where(chunks.c.state == ChunkState.PLANNED).order_by(chunks.c.id).limit(1)
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that shall leave: its number, its recipients, and both parts of its body packed."""

    id: int
    count: int
    content: bytes = field(repr=False)
    places: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One request: *sent* counts how often it left, *certain* says it was accepted surely."""

    id: int
    state: ChunkState
    count: int
    sent: int
    certain: bool
    batch_id: str | None
    send_after: str | None
    batch_status: str | None
    error: str | None = field(repr=False)


def chunk_of(row: Row[tuple[object, ...]]) -> Chunk:
    """The request of one row."""
    known = row._mapping  # noqa: SLF001 (the public name of it, says SQLAlchemy)
    values = {name: known[name] for name in Chunk.__slots__}
    values |= {"state": ChunkState(values["state"]), "certain": bool(values["certain"])}
    return Chunk(**values)
