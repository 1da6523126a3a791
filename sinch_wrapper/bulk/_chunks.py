"""The requests of a job, as its journal has them."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Row

from sinch_wrapper.bulk._schema import CHUNK_KINDS
from sinch_wrapper.bulk._states import ChunkState

# The kinds of the values in rows that were found to be sound.
_SOUND: Final = set[tuple[type, ...]]()


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A request that will leave: its number, its recipients, and both parts of its body packed."""

    id: int
    count: int
    content: bytes = field(repr=False)
    places: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One request: *sent* counts how often it left, *certain* says that it was accepted.

    *first_left*, *last_left*, *doubted* and *known* are the numbers of events: when it left, when
    its outcome became doubtful, when its acceptance was known; *adopted* says that a look-up or a
    callback told that. *twice* is the id of a second batch that it became. *left_at* and
    *settled_at* are Unix milliseconds, for reports.
    """

    id: int
    state: ChunkState
    count: int
    sent: int
    certain: bool
    batch_id: str | None
    send_after: str | None
    batch_status: str | None
    error: str | None = field(repr=False)
    first_left: int | None = None
    last_left: int | None = None
    doubted: int | None = None
    known: int | None = None
    adopted: bool = False
    twice: str | None = None
    left_at: int | None = None
    settled_at: int | None = None


def chunk_of(row: Row[tuple[object, ...]]) -> Chunk:
    """The chunk in one row; raises TypeError or ValueError for what is damaged."""
    values = dict(row._mapping)  # noqa: SLF001 (public, as the documentation of SQLAlchemy says)
    kinds = tuple(map(type, values.values()))
    if kinds not in _SOUND:
        if not all(map(issubclass, kinds, map(CHUNK_KINDS.__getitem__, values))):
            raise TypeError
        _SOUND.add(kinds)
    values |= {"state": ChunkState(values["state"]), "certain": bool(values["certain"])}
    values["adopted"] = bool(values["adopted"])
    return Chunk(**values)
