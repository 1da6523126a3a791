"""The pilot and the brake of a job: what receipts say so far decides whether it goes on; pure.

*now* is monotonic seconds in this file.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

# With fewer ends known a share says little.
_ENOUGH: Final = 50


@dataclass(frozen=True, slots=True)
class Ends:
    """How many recipients are known to have got the message, and how many not.

    *failed* has those whose request was refused, too. *people* are all that are counted, and
    *receipts* says whether callbacks came at all.
    """

    people: int
    delivered: int = 0
    failed: int = 0
    receipts: bool = False


class PilotVerdict(Enum):
    """What becomes of a job after its pilot."""

    WAIT = auto()
    GO_ON = auto()
    FAILED = auto()
    NO_RECEIPTS = auto()


def judge_pilot(ends: Ends, share: float, waited: float, most: float) -> PilotVerdict:
    """Whether enough of the pilot is delivered, after *waited* of at most *most* seconds."""
    wanted = share * ends.people
    if ends.delivered >= wanted:
        return PilotVerdict.GO_ON
    if ends.people - ends.failed < wanted:
        return PilotVerdict.FAILED
    if waited < most:
        return PilotVerdict.WAIT
    return PilotVerdict.FAILED if ends.receipts else PilotVerdict.NO_RECEIPTS


def must_brake(ends: Ends, share: float) -> bool:
    """Whether more than the *share* of those whose end is known have failed.

    They count once 50 ends are known, in a small job once a quarter is.
    """
    known = ends.delivered + ends.failed
    return known >= max(1, min(_ENOUGH, ends.people // 4)) and ends.failed > share * known
