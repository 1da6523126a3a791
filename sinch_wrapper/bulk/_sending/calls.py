"""What a planner asks for, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from sinch_wrapper.errors import SinchError

__all__ = ["Call", "Done", "Planner", "Purpose", "Step"]

Purpose: TypeAlias = Literal["send", "look", "status", "cancel"]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the Batch API: a method of a resource, and its arguments.

    *chunk* is the request it is about, *begun* the time it was asked for, in monotonic seconds.
    """

    purpose: Purpose
    resource: str
    method: str
    arguments: Mapping[str, object] = field(repr=False)
    chunk: int
    begun: float


@dataclass(frozen=True, slots=True)
class Done:
    """How a call ended: with a value, or with an error."""

    call: Call
    value: object = field(default=None, repr=False)
    error: SinchError | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next.

    Make *calls* at once; come back when one of the running calls has ended, or after *wait*
    seconds when it is given. *finished* means that nothing is left to do or to wait for.
    """

    calls: tuple[Call, ...] = ()
    wait: float | None = None
    finished: bool = False


class Planner(Protocol):
    """Hands out calls and takes what came of them; it never waits and never sends."""

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Take what is *done* and say what comes next at *now*, in monotonic seconds."""
        ...
