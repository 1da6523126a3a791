"""When a request whose outcome is unknown may leave again: on evidence, or never; pure.

A request that was sent twice is worse than one that is reported as unknown. So its absence from a
look-up counts only when the same response proves itself: it lists every request of the job that is
known to be accepted, among them an *elder*, accepted before the doubtful one first left, and a
*witness*, which left after the doubt began; and when time enough has passed. Such a
look-up, which asks for all requests of the job at once, is a *roll call*.

Numbers that the journal gives to events say what came first; no clock does. Times
are monotonic seconds of one run, and only measure how long something took.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from math import comb
from typing import Final

from sinch_wrapper.bulk._calls import Done, read_mark
from sinch_wrapper.bulk._metadata import CHUNK_MARK, JOB_MARK
from sinch_wrapper.bulk._responses import Accepted, text_of

# One lag more exceeds the margin with this chance at most, when lags are exponential.
_CHANCE: Final = 1000
# With the usual settle (600) a lag counts for a second at least, a response stays unchanged for
# 300 s before looking ends, and the margin prolongs that by an hour at most.
_USUAL_SETTLE: Final = 600.0
_SMALLEST_LAG: Final = 1.0
_UNCHANGED: Final = 1 / 2
_LONGEST_MARGIN: Final = 6.0
# The lag of a request is known only when a look-up began soon after it left, in seconds.
_WATCHED: Final = 60.0


class DoubtVerdict(Enum):
    """What becomes of a request whose outcome is unknown."""

    ADOPT = auto()
    WAIT = auto()
    SEND_AGAIN = auto()
    UNKNOWN = auto()


class Lack(StrEnum):
    """What is missing for sending a request again, in the words of a report."""

    NOTHING = ""
    LIST = "no look-up was answered with a list of the requests of this job"
    CERTAIN = "it was accepted, but the response could not be read"
    WORD = 'send_again is "never"'
    WITNESS = "the look-up lists no request that left later"
    CALLBACK = "no callback was about a request that left later"
    COMPLETE = "the look-up does not list all requests that were accepted"
    ELDER = "the look-up lists no request that was accepted before it left"
    TIME = "it was on its way too short a time ago"
    LAG = "it is not known how soon the look-up lists a request"
    MARGIN = "requests took so long to be listed that this one may follow"
    ATTEMPTS = "it left as often as attempts= allows"

    @property
    def is_time(self) -> bool:
        """Whether time alone will do."""
        return self in {Lack.TIME, Lack.MARGIN}

    @property
    def is_departure(self) -> bool:
        """Whether another request that leaves may help."""
        return self in {Lack.WITNESS, Lack.CALLBACK, Lack.LAG}


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request known to be accepted: when it left first and last, and when that was known.

    All are numbers of events. *adopted* says that a look-up or a callback told it, and not the
    response, so that any of its departures may be the one that was accepted.
    """

    first_left: int
    last_left: int
    accepted: int
    adopted: bool = False

    def is_witness(self, began: int) -> bool:
        """Whether it certainly left after the event *began*."""
        return (self.first_left if self.adopted else self.last_left) > began


@dataclass(frozen=True, slots=True)
class Doubt:
    """A request whose outcome is unknown.

    *began* is the event with which the doubt began, *first_left* that of its first departure.
    *since* is when it was last on its way, as far as this run knows, and *sent* how often it left.
    *certain* says that it was accepted under an id that is lost, *batch_id* what a callback named.
    *count* is the number of its recipients.
    """

    number: int
    began: int
    first_left: int
    since: float
    sent: int = 1
    certain: bool = False
    batch_id: str | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class RollCall:
    """A look-up that was begun at *begun*: the batches that are listed, by request.

    *proves* says that it was a list in which every entry is one of this job's; only then does
    absence from it mean anything.
    """

    begun: float
    found: Mapping[int, tuple[Accepted, ...]] = field(default_factory=dict)
    proves: bool = True


@dataclass(frozen=True, slots=True)
class Lags:
    """How long requests of this run took to be listed: how many were measured, and the longest.

    *pending* says that more will be measured.
    """

    count: int = 0
    largest: float = 0.0
    pending: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """*settle* seconds, *attempts* at most; with *never* nothing leaves again by itself."""

    settle: float = _USUAL_SETTLE
    attempts: int = 5
    never: bool = False

    def margin(self, lags: Lags) -> float:
        """Seconds within which one more lag ends, as far as those that were measured foretell."""
        least = _SMALLEST_LAG * min(1.0, self.settle / _USUAL_SETTLE)
        return multiple(lags.count) * max(lags.largest, least) if lags.count else 0.0

    @property
    def longest(self) -> float:
        """The longest margin that is waited for."""
        return self.settle * _LONGEST_MARGIN

    def patience(self, lags: Lags, *, hope: bool) -> float:
        """Seconds without a change after which looking ends; less when there is no *hope*."""
        wait = max(self.settle, min(self.margin(lags), self.longest)) if hope else 0.0
        return self.settle * _UNCHANGED + wait


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a request left again: what its absence was proven by.

    *elder* and *witness* are the numbers of requests, *listed* how many the response listed,
    *waited* the seconds since it was last on its way; *lag* is the longest of *lags* lags.
    """

    elder: int
    witness: int
    listed: int
    waited: float
    lag: float
    lags: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict: with WAIT and UNKNOWN what is lacking, with SEND_AGAIN the evidence.

    *hope* says that what is lacking may still come.
    """

    verdict: DoubtVerdict
    lack: Lack = Lack.NOTHING
    hope: bool = True
    evidence: Evidence | None = None


def multiple(lags: int) -> int:
    """How many times the largest of *lags* lags one more exceeds with a chance of 1 in 1,000.

    It is the smallest m with 1 / C(lags + m, m) <= 1 / 1000, exact for exponential lags.
    """
    if lags >= _CHANCE - 1:
        return 1
    return next(m for m in range(1, _CHANCE) if comb(lags + m, m) >= _CHANCE)


@dataclass(frozen=True, slots=True)
class Known:
    """What a run knows beside a look-up.

    *accepted* has the requests that are known to be accepted, by number, those that the look-up
    adopts included. *told* has those that callbacks were about; None when none are received.
    *unchanged* is for how many seconds nothing has changed, and *more* says that another request
    will still leave.
    """

    accepted: Mapping[int, AcceptedRequest]
    lags: Lags = field(default_factory=Lags)
    told: Collection[int] | None = None
    unchanged: float = 0.0
    more: bool = False


def judge(doubt: Doubt, roll: RollCall, known: Known, rules: EvidenceRules) -> Judgement:
    """Decide about *doubt* after *roll*."""
    if doubt.batch_id or roll.found.get(doubt.number):
        return Judgement(DoubtVerdict.ADOPT)
    found = _weigh(doubt, roll, known, rules)
    if known.unchanged >= rules.patience(known.lags, hope=found.hope or known.more):
        return Judgement(DoubtVerdict.UNKNOWN, found.lack, hope=False)
    return found


def _weigh(doubt: Doubt, roll: RollCall, known: Known, rules: EvidenceRules) -> Judgement:
    """The verdict about a request that is not listed, as long as looking goes on."""
    if lack := _bar(doubt, roll, rules):
        return _wait(lack, hope=lack is Lack.LIST)
    accepted = known.accepted
    later = {number for number, each in accepted.items() if each.is_witness(doubt.began)}
    witnesses = later & roll.found.keys()
    if not witnesses:
        return _wait(Lack.WITNESS, hope=bool(later))
    if known.told is not None and witnesses.isdisjoint(known.told):
        return _wait(Lack.CALLBACK)
    witness = max(witnesses, key=lambda number: accepted[number].last_left)
    missing = accepted.keys() - roll.found.keys()
    if any(accepted[each].first_left < accepted[witness].last_left for each in missing):
        return _wait(Lack.COMPLETE)
    listed = accepted.keys() & roll.found.keys()
    elders = [each for each in listed if accepted[each].accepted < doubt.first_left]
    if not elders:
        return _wait(Lack.ELDER, hope=False)
    waited, lags = roll.begun - doubt.since, known.lags
    return _timed(
        doubt,
        Evidence(min(elders), witness, len(roll.found), waited, lags.largest, lags.count),
        lags,
        rules,
    )


def _bar(doubt: Doubt, roll: RollCall, rules: EvidenceRules) -> Lack:
    """What is lacking whatever the list says."""
    if not roll.proves:
        return Lack.LIST
    if doubt.certain:
        return Lack.CERTAIN
    return Lack.WORD if rules.never else Lack.NOTHING


def _timed(doubt: Doubt, evidence: Evidence, lags: Lags, rules: EvidenceRules) -> Judgement:
    """The verdict of a response that is complete."""
    if evidence.waited < rules.settle:
        return _wait(Lack.TIME)
    if not lags.count:
        return _wait(Lack.LAG, hope=lags.pending)
    if evidence.waited < rules.margin(lags):
        return _wait(Lack.MARGIN)
    if doubt.sent >= rules.attempts:
        return Judgement(DoubtVerdict.UNKNOWN, Lack.ATTEMPTS, hope=False)
    return Judgement(DoubtVerdict.SEND_AGAIN, evidence=evidence)


def _wait(lack: Lack, *, hope: bool = True) -> Judgement:
    return Judgement(DoubtVerdict.WAIT, lack, hope)


class LagMeter:
    """Measures how long requests take to be listed, from leaving to the first look-up that has it.

    Only those count that a look-up asked for soon after they had left: whether one counts must not
    depend on how long it takes.
    """

    def __init__(self) -> None:
        self._left: dict[int, float] = {}
        self._watched: dict[int, float] = {}
        self._count = 0
        self._largest = 0.0

    def left(self, number: int, now: float) -> None:
        """Note that a request leaves, for the first time."""
        self._left[number] = now

    def forget(self, number: int) -> None:
        """Measure nothing of a request that leaves again, or that did not leave after all."""
        self._left.pop(number, None)
        self._watched.pop(number, None)

    def asked(self, now: float) -> None:
        """Note that a look-up begins."""
        self._watched |= {n: at for n, at in self._left.items() if now - at <= _WATCHED}
        self._left = {}

    def trim(self, now: float) -> None:
        """Forget those that no look-up asked for in time."""
        while self._left and now - self._left[first := next(iter(self._left))] > _WATCHED:
            del self._left[first]

    def listed(self, roll: RollCall) -> None:
        """Take the lags of those that are listed for the first time."""
        for number in self._watched.keys() & roll.found.keys():
            lag = max(0.0, roll.begun - self._watched.pop(number))
            self._count, self._largest = self._count + 1, max(self._largest, lag)

    @property
    def lags(self) -> Lags:
        """What was measured."""
        return Lags(self._count, self._largest, bool(self._watched))


def read_roll_call(done: Done, job: str) -> RollCall:
    """Read the response to the look-up by the mark of *job*, strictly.

    A batch is ours by both its marks alone. An entry without them, or a batch that claims to be
    two requests, makes the whole response prove nothing; what it names beyond doubt is adopted.
    """
    if done.error is not None or not isinstance(done.value, list | tuple):
        return RollCall(done.call.begun, {}, proves=False)
    entries = [(_named(each, job), _batch_of(each)) for each in done.value]
    owners: dict[str, set[int | None]] = {}
    for number, batch in entries:
        owners.setdefault(batch.batch_id or "", set()).add(number)
    found: dict[int, dict[str, Accepted]] = {}
    proves = True
    for number, batch in entries:
        if number is None or not batch.batch_id or len(owners[batch.batch_id]) > 1:
            proves = False
        else:
            found.setdefault(number, {})[batch.batch_id] = batch
    listed = {number: tuple(batches.values()) for number, batches in found.items()}
    return RollCall(done.call.begun, listed, proves)


def _named(status: object, job: str) -> int | None:
    metadata = getattr(status, "meta_data", None)
    if not isinstance(metadata, Mapping) or metadata.get(JOB_MARK) != job:
        return None
    return read_mark(metadata.get(CHUNK_MARK), job)


def _batch_of(status: object) -> Accepted:
    names = ("batch_id", "send_after")
    return Accepted(*(text_of(getattr(status, name, None)) for name in names))


def other_batches(known: str | None, listed: Iterable[Accepted]) -> tuple[str, ...]:
    """The ids of *listed* that are not the one that is *known*: a second one was sent twice."""
    ids = dict.fromkeys(each.batch_id for each in listed if each.batch_id)
    return tuple(each for each in ids if each != (known or next(iter(ids))))


def only_own(roll: RollCall, owners: Mapping[str, int], departed: Collection[int]) -> RollCall:
    """*roll* without what the journal contradicts; with any such entry it proves nothing.

    A batch belongs to one request: *owners* has those that are known. Only requests that have
    *departed* can be listed.
    """
    found = {
        number: tuple(each for each in batches if owners.get(each.batch_id or "", number) == number)
        for number, batches in roll.found.items()
        if number in departed
    }
    found = {number: batches for number, batches in found.items() if batches}
    return RollCall(roll.begun, found, roll.proves and found == roll.found)
