"""The requests in doubt of one run: when to look them up, and what a look-up decides; no I/O.

One look-up by the mark of the job is for all of them. *now* is monotonic seconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from sinch_wrapper._backoff import backoff
from sinch_wrapper.bulk._evidence import (
    AcceptedRequest,
    Doubt,
    DoubtVerdict,
    EvidenceRules,
    Judgement,
    Known,
    Lack,
    LagMeter,
    RollCall,
    judge,
)

_FIRST_LOOK: Final = 1.0
# With a short settle, as against a sandbox, the first pause is this part of it.
_LOOKS: Final = 40
# How many times as long as the first pause the longest one is.
_MOST_TIMES: Final = 60


class Doubts:
    """The doubts of a run, by the *rules* of its job; *patience* look-ups in a row may fail.

    A doubt is *ripe* when its request may leave again but others are to leave before it: then it
    is looked up once more when its turn has come.
    """

    def __init__(self, rules: EvidenceRules, patience: int) -> None:
        self.rules = rules
        self.meter = LagMeter()
        self.open: dict[int, Doubt] = {}
        self._patience = patience
        self._judged: dict[int, Judgement] = {}
        self._ripe: set[int] = set()
        self._due = 0.0
        self._looks = self._failed = 0
        self._looking = False
        self._is_fresh = False
        self._changed = 0.0
        self._listed: dict[int, int] = {}
        self._told = 0

    def begin(self, doubt: Doubt, now: float) -> None:
        """Take up a doubt."""
        self.open[doubt.number] = doubt
        self.change(now)
        self._looks, self._due = 0, now + self._first

    def end(self, number: int) -> None:
        """Forget a doubt that has an outcome, or that stays one."""
        self.open.pop(number, None)
        self._judged.pop(number, None)
        self._ripe.discard(number)

    def change(self, now: float) -> None:
        """Note that something has changed: a request was accepted, for example."""
        self._changed, self._is_fresh = now, False

    def leave(self, number: int, now: float, *, again: bool) -> None:
        """Note that a request leaves, *again* when it has left before."""
        self.change(now)
        if again:
            self.meter.forget(number)
        else:
            self.meter.trim(now)
            self.meter.left(number, now)
        if any(found.lack.is_departure for found in self._judged.values()):
            self._looks, self._due = 0, min(self._due, now + self._first)

    @property
    def unproven(self) -> int:
        """The doubts that lack more than time: perhaps nothing gets through any more."""
        timed = sum(found.lack.is_time for found in self._judged.values())
        return len(self.open) - len(self._ripe) - timed

    def wants_piece(self, now: float) -> bool:
        """Whether a request that was held back must leave, as evidence for others.

        Only after a look-up that the one before could be in: they are few.
        """
        return self._is_fresh and any(
            self._is_without(found, now)
            for number, found in self._judged.items()
            if number not in self._ripe
        )

    def _is_without(self, found: Judgement, now: float) -> bool:
        # The callback about the last one may be on its way.
        if found.lack is Lack.CALLBACK:
            return now - self._changed >= self._longest
        if found.lack is Lack.MARGIN:
            # With one lag more it may be short enough.
            return self.rules.margin(self.meter.lags) > self.rules.longest
        return found.lack.is_departure and not found.hope

    def wait(self, now: float) -> float | None:
        """Seconds until the next look-up; None while none is needed."""
        if self._looking or len(self._ripe) == len(self.open):
            return None
        return max(0.0, self._due - now)

    def wake(self, now: float) -> None:
        """Look up those that are ripe: nothing else is left to leave before them."""
        if self._ripe:
            self._ripe.clear()
            self.change(now)
            self._looks, self._due = 0, now

    def look(self, now: float) -> None:
        """Note that a look-up begins."""
        self._looking = True
        self.meter.asked(now)

    def take(
        self,
        roll: RollCall,
        accepted: Mapping[int, AcceptedRequest],
        told: Collection[int] | None,
        now: float,
        *,
        more: bool,
    ) -> dict[int, Judgement]:
        """Decide after a look-up; returns the verdicts other than WAIT.

        *more* says that a request will leave that is not in doubt.
        """
        self._looking = False
        is_fresh = roll.begun >= self._changed
        self._note(roll, now)
        if told is not None and len(told) != self._told:
            self._told = len(told)
            self.change(now)
        known = Known(accepted, self.meter.lags, told, roll.begun - self._changed, more)
        self._judged = {
            number: judge(doubt, roll, known, self.rules) for number, doubt in self.open.items()
        }
        if self._failed >= self._patience:
            for number, found in self._judged.items():
                self._judged[number] = replace(found, verdict=DoubtVerdict.UNKNOWN)
        self._due, self._is_fresh = now + self._pause(now), is_fresh
        self._looks += 1
        return {
            n: found for n, found in self._judged.items() if found.verdict is not DoubtVerdict.WAIT
        }

    def ripen(self, number: int) -> None:
        """Let a request that may leave again wait for its turn."""
        self._ripe.add(number)

    def prove(self, number: int) -> None:
        """Note that a callback was about a request, without naming its batch."""
        self.open[number] = replace(self.open[number], certain=True)

    def _note(self, roll: RollCall, now: float) -> None:
        self.meter.listed(roll)
        listed = {number: len(batches) for number, batches in roll.found.items()}
        self._failed = 0 if roll.proves else self._failed + 1
        if roll.proves and listed != self._listed:
            self._listed = listed
            self.change(now)
            self._looks = 0

    @property
    def _first(self) -> float:
        return min(_FIRST_LOOK, self.rules.settle / _LOOKS)

    @property
    def _longest(self) -> float:
        return self._first * _MOST_TIMES

    def _pause(self, now: float) -> float:
        """Seconds to the next look-up: soon, then less often, and right when time is up."""
        pause = backoff(self._looks, self._first, self._longest)
        wait = max(self.rules.settle, self.rules.margin(self.meter.lags))
        ends = [
            self.open[number].since + wait - now
            for number, found in self._judged.items()
            if found.lack.is_time
        ]
        return min([pause, *(each for each in ends if each > 0)])
