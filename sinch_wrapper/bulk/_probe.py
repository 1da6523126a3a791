"""Measures on a real account how soon, and how completely, look-ups list what was accepted.

Nobody has published it, and the evidence for sending again stands on it. A few batches of one
message each go to a number of the caller's own, and are looked up until all are listed.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypedDict

from sinch_wrapper import _validate
from sinch_wrapper._json import encode
from sinch_wrapper.bulk._calls import BATCH_OPERATIONS, Done, Step, look_call, send_call
from sinch_wrapper.bulk._evidence import read_roll_call
from sinch_wrapper.bulk._metadata import INDEX_MARK
from sinch_wrapper.bulk._responses import Accepted, read_sent
from sinch_wrapper.bulk._schema import pack
from sinch_wrapper.errors import BulkArgumentError, SinchError
from sinch_wrapper.messages import text

_PAUSE: Final = 0.2
# Look-ups in a row that list all before it ends: replicas may differ.
_STEADY: Final = 5
_SETTLE: Final = 600.0
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What look-ups did: of *accepted* batches, *listed* were listed at the end.

    *lags* are the seconds from leaving to the first look-up that listed each. *in_order* says that
    none was listed before one that left earlier, *steady* that nothing vanished again, *readable*
    that every response was a list of ours.
    """

    accepted: int
    listed: int
    lags: tuple[float, ...]
    in_order: bool
    steady: bool
    readable: bool

    @property
    def promise(self) -> str:
        """Which promise holds here, as far as this tells."""
        if not self.accepted:
            return "nothing was accepted, so nothing is known"
        if not self.listed:
            return (
                "look-ups list nothing: what is in doubt stays unknown, and nothing is sent twice, "
                'with "evidence" and with "never"'
            )
        if self.listed < self.accepted:
            return (
                'look-ups do not list all that was accepted: only send_again="never" holds that '
                "nothing is sent twice"
            )
        if max(self.lags) >= _SETTLE:
            return (
                f'requests are listed late: give a settle= above {max(self.lags):.0f}, or "never"'
            )
        return (
            f"all were listed, after {max(self.lags):.1f} s at most: the evidence of "
            'send_again="evidence" holds here, as far as so few batches show'
        )


class Probe:
    """The planner: sends *count* batches one by one, and looks them up side by side."""

    def __init__(
        self, request: Mapping[str, object], item: Mapping[str, object], count: int, patience: float
    ) -> None:
        self._job = secrets.token_hex(8)
        self._request = request
        self._item = pack(encode([item]))
        self._count = count
        self._patience = patience
        self._left: dict[int, float] = {}
        self._accepted: set[int] = set()
        self._lags: dict[int, float] = {}
        self._listed: frozenset[int] = frozenset()
        self._in_order = self._steady = self._readable = True
        self._sending = self._looking = False
        self._again = 0
        self._due = self._last = 0.0
        self.failed_by: SinchError | None = None

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Take what is *done*; send the next batch, and look when it is time."""
        for each in done:
            if each.call.purpose == "send":
                self._take_sent(each, now)
            else:
                self._take_look(each, now)
        calls = []
        is_last = stopping or self.failed_by is not None or len(self._left) == self._count
        if not self._sending and not is_last:
            number = len(self._left)
            self._left[number], self._sending = now, True
            kind = BATCH_OPERATIONS["messages"]
            calls.append(send_call(kind, self._request, self._job, number, self._item, now))
        is_over = is_last and not self._sending and (stopping or self._is_over(now))
        if self._accepted and not self._looking and not is_over and now >= self._due:
            self._looking = True
            calls.append(look_call(self._job, now))
        is_idle = not self._sending and not self._looking
        return Step(tuple(calls), max(0.0, self._due - now), is_over and is_idle)

    def _is_over(self, now: float) -> bool:
        late = now - self._last >= self._patience
        return not self._accepted or late or self._again >= _STEADY

    def _take_sent(self, done: Done, now: float) -> None:
        self._sending, self._last = False, now
        if isinstance(read_sent(done, self._request), Accepted):
            self._accepted.add(done.call.chunk)
        else:
            self.failed_by = done.error

    def _take_look(self, done: Done, now: float) -> None:
        self._looking, self._due = False, now + _PAUSE
        roll = read_roll_call(done, self._job)
        self._readable &= roll.proves
        if not roll.proves and not roll.found:
            return
        found = frozenset(roll.found)
        for number in found - self._lags.keys():
            self._lags[number] = max(0.0, done.call.begun - self._left[number])
        earlier = {number for number in self._accepted if number < max(found, default=0)}
        self._in_order &= earlier <= found
        self._steady &= self._listed <= found
        self._listed = found
        self._again = self._again + 1 if self._accepted <= found else 0

    def result(self) -> ProbeResult:
        """What was measured; raises SinchError when nothing was accepted."""
        if self.failed_by is not None and not self._accepted:
            raise self.failed_by
        return ProbeResult(
            len(self._accepted),
            len(self._listed & self._accepted),
            tuple(self._lags[number] for number in sorted(self._lags)),
            self._in_order,
            self._steady,
            self._readable,
        )


class ProbeOptions(TypedDict, total=False):
    """How to measure; each has a default.

    *count* (5) messages of the text *words* ("Test") are sent. Looking ends when all are listed, or
    *patience* seconds (120) after the last one was accepted.
    """

    count: int
    patience: float
    words: str


def checked_probe(app_id: str, recipient: Mapping[str, object], options: ProbeOptions) -> Probe:
    """The planner for these arguments; raises BulkArgumentError or TypeError for mistakes."""
    if unknown := sorted(options.keys() - ProbeOptions.__annotations__.keys()):
        raise TypeError(f"probe() got an unexpected option {unknown[0]!r}")
    _validate.app_id(app_id, error=BulkArgumentError)
    _validate.mapping("recipient", recipient, error=BulkArgumentError)
    count, patience = options.get("count", 5), options.get("patience", 120.0)
    _validate.whole("count", count, 1, _MOST, error=BulkArgumentError)
    _validate.seconds("patience", patience, error=BulkArgumentError)
    words = _validate.string("words", options.get("words", "Test"), error=BulkArgumentError)
    item = {"recipient": recipient, "message_metadata": {INDEX_MARK: "0"}}
    return Probe({"app_id": app_id, "message": text(words)}, item, count, patience)
