"""How far a job is; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from sinch_wrapper.bulk._states import ChunkState

__all__ = ["Progress", "Tally"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far sending is, in recipients.

    *eta* is the seconds until the last one is accepted, None while nothing is known; *waiting*
    says that the queue of the app has no room, or that the API asked for a pause.
    """

    total: int
    accepted: int
    rejected: int
    unknown: int
    pending: int
    eta: float | None = None
    waiting: bool = False

    @property
    def settled(self) -> int:
        """Recipients whose request has an outcome."""
        return self.accepted + self.rejected


class Tally:
    """Recipients by the state of their chunk, kept up to date by moves."""

    def __init__(self, totals: Mapping[ChunkState, tuple[int, int]]) -> None:
        self._count = {state: totals.get(state, (0, 0))[1] for state in ChunkState}

    def move(self, count: int, old: ChunkState, new: ChunkState) -> None:
        """Note that *count* recipients went from *old* to *new*."""
        self._count[old] -= count
        self._count[new] += count

    @property
    def left(self) -> int:
        """Recipients that have not left."""
        return self._count[ChunkState.PLANNED]

    @property
    def accepted(self) -> int:
        """Recipients that were accepted."""
        return self._count[ChunkState.ACCEPTED]

    def progress(self, eta: float | None, *, waiting: bool) -> Progress:
        """The counts as a value."""
        count = self._count
        return Progress(
            total=sum(count.values()),
            accepted=count[ChunkState.ACCEPTED],
            rejected=count[ChunkState.REJECTED],
            unknown=count[ChunkState.UNKNOWN],
            pending=count[ChunkState.PLANNED] + count[ChunkState.SENDING],
            eta=eta,
            waiting=waiting,
        )
