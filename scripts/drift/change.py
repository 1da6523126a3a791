"""A change between two documents: where it is, its kind and its direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Flag, IntEnum


class Kind(IntEnum):
    """What a change does to callers who do not change; the value is the exit code."""

    NEUTRAL = 0
    """Only prose, names inside the document or the order of things."""
    ADDITIVE = 1
    """The contract changes, and existing calls go on working."""
    BREAKING = 2
    """An existing call, or code that reads its response, may fail."""

    def __str__(self) -> str:
        return self.name.lower()


class Direction(Flag):
    """Whether a change is about what is sent, what comes back, or both."""

    NONE = 0
    REQUEST = 1
    RESPONSE = 2
    BOTH = 3

    def __str__(self) -> str:
        return {0: "document", 1: "request", 2: "response", 3: "both"}[self.value]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of meaning, or of prose."""

    pointer: str
    """JSON pointer into the newer document; into the older one for what was removed."""
    kind: Kind
    direction: Direction
    text: str


def merged(changes: Iterable[Change]) -> list[Change]:
    """The changes sorted, the worst first, each place and text once.

    A schema may be used in both directions: its change then has both, and the worse kind.
    """
    found: dict[tuple[str, str], Change] = {}
    for change in changes:
        known = found.get((change.pointer, change.text), change)
        found[change.pointer, change.text] = replace(
            change,
            kind=max(known.kind, change.kind),
            direction=known.direction | change.direction,
        )
    return sorted(found.values(), key=lambda one: (-one.kind, one.pointer, one.text))


def worst(kinds: Iterable[Kind]) -> Kind:
    """The worst of some kinds; neutral for none."""
    return max(kinds, default=Kind.NEUTRAL)
