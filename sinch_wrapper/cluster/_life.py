"""Whether a worker lives, and whether it may send; pure."""

from enum import StrEnum


class WorkerLife(StrEnum):
    """How a worker is, as others see it."""

    WORKING = "working"
    """It is heard of."""
    SILENT = "silent"
    """It is not heard of, but its session lives: it was stopped, and may go on at any time."""
    DEAD = "dead"
    """It is not heard of, and its session has ended."""


def life(silence: float, lease: float, *, has_session: bool) -> WorkerLife:
    """How a worker is that was not heard of for *silence* seconds, of *lease* that it may be."""
    if silence <= lease:
        return WorkerLife.WORKING
    return WorkerLife.SILENT if has_session else WorkerLife.DEAD


def may_leave(silence: float, lease: float) -> bool:
    """Whether a request may leave from a worker that was last confirmed *silence* seconds ago.

    Half of the *lease* is left to a request that has begun: nobody thinks that its worker is dead
    before it has left.
    """
    return silence < lease / 2
