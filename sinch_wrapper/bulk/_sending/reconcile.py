"""What to do about a request whose outcome is unknown; pure.

A request that was sent twice is worse than one that is reported as unknown: it is sent again
only when a look-up, begun after everything on the way had time to settle, did not find it.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal, TypeAlias

__all__ = ["Answer", "Doubt", "Verdict", "judge", "next_look"]

Answer: TypeAlias = Literal["found", "absent", "no_such_path", "failed"]
"""What a look-up brought; `no_such_path` is a 404, which may mean either."""

_FIRST_LOOK: Final = 1.0


class Verdict(Enum):
    """What becomes of a doubtful request."""

    ADOPT = auto()
    WAIT = auto()
    SEND_AGAIN = auto()
    REJECT = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A doubtful request: *since* when (monotonic seconds), and what was tried.

    *accepted* is True after a 2xx that could not be read: then it is never sent again.
    *sent* counts the requests that left, *looks* the look-ups, *failed* those without an answer
    in a row.
    """

    since: float
    sent: int = 1
    accepted: bool = False
    looks: int = 0
    failed: int = 0


def judge(  # noqa: PLR0913 (all that a pure decision needs)
    doubt: Doubt,
    answer: Answer,
    *,
    asked_at: float,
    settle: float,
    trusted: bool,
    attempts: int,
    patience: int,
) -> Verdict:
    """Decide after a look-up that was begun at *asked_at*.

    Args:
        doubt: the request.
        answer: of the look-up.
        asked_at: monotonic seconds.
        settle: seconds after which a request that is not found was surely not accepted.
        trusted: whether the look-up has found anything before in this run; a 404 of an
            operation that may not exist proves nothing.
        attempts: how often a request may leave.
        patience: how many look-ups in a row may fail.

    """
    if answer == "found":
        return Verdict.ADOPT
    if answer == "failed":
        return Verdict.GIVE_UP if doubt.failed + 1 >= patience else Verdict.WAIT
    if asked_at - doubt.since < settle:
        return Verdict.WAIT
    if doubt.accepted or (answer == "no_such_path" and not trusted):
        return Verdict.GIVE_UP
    return Verdict.SEND_AGAIN if doubt.sent < attempts else Verdict.REJECT


def next_look(doubt: Doubt, now: float, settle: float) -> float:
    """When to look next, in monotonic seconds: soon, then rarer, and right after *settle*."""
    end = doubt.since + settle
    pause = min(_FIRST_LOOK, settle / 4) * 2.0 ** min(doubt.looks, 6)
    return min(now + pause, end) if now < end else now + min(pause, max(settle, _FIRST_LOOK))
