"""How much is measured."""

from dataclasses import dataclass
from typing import Final

__all__ = ["FULL", "QUICK", "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rounds, and which share of the calls that a full round makes.

    There are *rounds*, and as many again while their figures lie more than *spread* apart, up to
    *most*.
    """

    rounds: int
    most: int
    share: float
    spread: float = 0.15

    def calls(self, full: int) -> int:
        """The calls of a round that makes *full* when nothing is left out."""
        return max(1, round(full * self.share))


FULL: Final = Plan(rounds=7, most=14, share=1.0)
QUICK: Final = Plan(rounds=1, most=1, share=0.02)
