"""The rule by which a doubtful request leaves again: its table as 18 stories, and its laws."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import APIConnectionError
from sinch_wrapper.bulk import _evidence
from sinch_wrapper.bulk._calls import BatchCall, Done, mark_of
from sinch_wrapper.bulk._evidence import (
    DoubtVerdict,
    EvidenceRules,
    Known,
    Lack,
    LagMeter,
    RollCall,
    multiple,
    other_batches,
    read_roll_call,
)
from sinch_wrapper.bulk._metadata import CHUNK_MARK, JOB_MARK
from sinch_wrapper.bulk._responses import Accepted

JOB = "0123456789abcdef"
DOUBTED = 1


@dataclass
class Story:
    """What happens to a job, told event by event; request 1 is the doubtful one."""

    rule: Any = _evidence
    event: int = 0
    left: dict[int, list[int]] = field(default_factory=dict)
    accepted: dict[int, Any] = field(default_factory=dict)
    began: int = 0
    since: float = 0.0
    certain: bool = False
    named: str | None = None
    told: set[int] | None = None
    over: bool = False
    verdict: Any = None
    twice: bool = False

    def __post_init__(self) -> None:
        self.meter = self.rule.LagMeter()

    def leaves(self, number: int, at: float) -> None:
        """A request leaves."""
        self.event += 1
        self.left.setdefault(number, []).append(self.event)
        self.meter.left(number, at)

    def answered(self, number: int) -> None:
        """Its acceptance is written down."""
        self.event += 1
        left = self.left[number]
        self.accepted[number] = self.rule.AcceptedRequest(left[0], left[-1], self.event)

    def sent(self, number: int, at: float) -> None:
        """A request leaves and is accepted."""
        self.leaves(number, at)
        self.answered(number)

    def three(self) -> None:
        """Requests 2, 3 and 4 leave one after the other, and are accepted."""
        for number in (2, 3, 4):
            self.sent(number, number + 13)

    def doubt(self, at: float) -> None:
        """The POST of request 1 ends without a response; the first look-up begins at once."""
        self.event += 1
        self.began, self.since = self.event, at
        self.roll(at, *([0] if 0 in self.accepted else []))

    def killed(self) -> None:
        """The process is killed, and the job resumed at second 0 of a new run."""
        self.meter = self.rule.LagMeter()
        self.event += 1
        self.began, self.since = self.event, 0.0

    def callback(self, batch_id: str) -> None:
        """A callback names the batch of request 1."""
        self.named = batch_id

    def roll(self, at: float, *listed: int, proves: bool = True) -> None:
        """A look-up, and the verdict after it."""
        found: dict[int, tuple[Accepted, ...]] = {}
        for number in listed:
            found[number] = (*found.get(number, ()), Accepted(f"B{number}.{len(found)}"))
        roll = self.rule.RollCall(at, found, proves)
        self.meter.asked(at)
        self.meter.listed(roll)
        judgement = self.rule.judge(
            self.rule.Doubt(
                DOUBTED, self.began, self.left[DOUBTED][0], self.since, len(self.left[DOUBTED]),
                self.certain, self.named,
            ),
            roll,
            self.rule.Known(
                self.accepted, self.meter.lags, self.told, unchanged=1e9 if self.over else 0.0
            ),
            self.rule.EvidenceRules(),
        )  # fmt: skip
        self.verdict, self.lack = judgement.verdict.name, str(judgement.lack)
        self.twice = bool(self.rule.other_batches(self.named, found.get(DOUBTED, ())))


def begun(story: Story) -> Story:
    """Request 0 was accepted, and request 1 has left after it."""
    story.sent(0, 0)
    story.leaves(DOUBTED, 2)
    return story


def told(*steps: Callable[[Story], object], bare: bool = False) -> Callable[[Story], None]:
    """A story of these steps."""

    def tell(story: Story) -> None:
        if not bare:
            begun(story)
        for step in steps:
            step(story)

    return tell


def doubt(at: float = 12) -> Callable[[Story], object]:
    """The doubt begins."""
    return lambda story: story.doubt(at)


def roll(at: float, *listed: int, proves: bool = True) -> Callable[[Story], object]:
    """A look-up."""
    return lambda story: story.roll(at, *listed, proves=proves)


def sent(number: int, at: float) -> Callable[[Story], object]:
    """A request is accepted."""
    return lambda story: story.sent(number, at)


def leaves(number: int, at: float) -> Callable[[Story], object]:
    """A request leaves."""
    return lambda story: story.leaves(number, at)


def answered(*numbers: int) -> Callable[[Story], object]:
    """Requests are accepted."""

    def tell(story: Story) -> None:
        for number in numbers:
            story.answered(number)

    return tell


def given_that(**values: object) -> Callable[[Story], object]:
    """Something that the story says of itself."""

    def tell(story: Story) -> None:
        for name, value in values.items():
            setattr(story, name, value)

    return tell


three, killed = Story.three, Story.killed
five_times = [leaves(DOUBTED, 2) for _ in range(4)]

ALL = (0, 2, 3, 4)
# The vectors of the reference, in its order: a story, its verdict, and what is lacking.
VECTORS: dict[str, tuple[Callable[[Story], None], str, Lack]] = {
    "1 listed": (told(doubt(), roll(13, 0, 1)), "ADOPT", Lack.NOTHING),
    "2 listed twice": (
        told(doubt(), three, roll(700, 0, 1, 1, 2, 3, 4)), "ADOPT, TWICE", Lack.NOTHING,
    ),
    "3 named by a callback": (
        told(doubt(), given_that(named="B1"), roll(13, proves=False)), "ADOPT", Lack.NOTHING,
    ),
    "4 nothing left after": (told(doubt(), roll(3600, 0)), "WAIT", Lack.WITNESS),
    "5 nothing can change": (
        told(doubt(), given_that(over=True), roll(3600, 0)), "UNKNOWN", Lack.WITNESS,
    ),
    "6 left before the doubt began": (
        told(leaves(2, 11), leaves(3, 11), leaves(4, 11), doubt(), answered(2, 3, 4),
             roll(700, *ALL)), "WAIT", Lack.WITNESS,
    ),
    "7 one second too early": (
        told(doubt(), three, roll(19, *ALL), roll(611, *ALL)), "WAIT", Lack.TIME,
    ),
    "8 after 600 s": (
        told(doubt(), three, roll(19, *ALL), roll(612, *ALL)), "SEND_AGAIN", Lack.NOTHING,
    ),
    "9 two lags, the longest 25 s": (
        told(doubt(), sent(2, 15), roll(39, 0), roll(40, 0, 2), roll(700, 0, 2)),
        "WAIT", Lack.MARGIN,
    ),
    "10 one is missing": (told(doubt(), three, roll(700, 0, 2, 4)), "WAIT", Lack.COMPLETE),
    "11 no witness listed": (told(doubt(), three, roll(700, 0)), "WAIT", Lack.WITNESS),
    "12 a look-up that fails": (
        told(doubt(), three, roll(700, proves=False)), "WAIT", Lack.LIST,
    ),
    "13 witnesses of the run before": (
        told(three, killed, roll(1, *ALL), roll(700, *ALL)), "WAIT", Lack.WITNESS,
    ),
    "14 killed, and three after it": (
        told(killed, three, roll(19, *ALL), roll(700, *ALL)), "SEND_AGAIN", Lack.NOTHING,
    ),
    "15 killed, and no elder": (
        told(leaves(DOUBTED, 2), killed, three, roll(19, 2, 3, 4), roll(700, 2, 3, 4), bare=True),
        "WAIT", Lack.ELDER,
    ),
    "16 the first of the job": (
        told(leaves(DOUBTED, 0), doubt(10), three, roll(700, 2, 3, 4), bare=True),
        "WAIT", Lack.ELDER,
    ),
    "17 left five times": (
        told(*five_times, doubt(), three, roll(19, *ALL), roll(700, *ALL)),
        "UNKNOWN", Lack.ATTEMPTS,
    ),
    "18 accepted, unreadable": (
        told(doubt(), three, given_that(certain=True), roll(700, *ALL)), "WAIT", Lack.CERTAIN,
    ),
}  # fmt: skip
# What the reference's table says, and its vectors do not hold.
MORE: dict[str, tuple[Callable[[Story], None], str, Lack]] = {
    "no lag measured": (
        told(killed, three, roll(700, *ALL)), "WAIT", Lack.LAG,
    ),
    "callbacks are received, none about a witness": (
        told(doubt(), three, given_that(told={0}), roll(19, *ALL), roll(700, *ALL)),
        "WAIT", Lack.CALLBACK,
    ),
    "a callback was about a witness": (
        told(doubt(), three, given_that(told={3}), roll(19, *ALL), roll(700, *ALL)),
        "SEND_AGAIN", Lack.NOTHING,
    ),
    "unreadable to the end": (
        told(doubt(), three, given_that(certain=True, over=True), roll(700, *ALL)),
        "UNKNOWN", Lack.CERTAIN,
    ),
    "an entry of others": (
        told(doubt(), three, roll(19, *ALL), roll(700, *ALL, proves=False)), "WAIT", Lack.LIST,
    ),
}  # fmt: skip


def end_of(tell: Callable[[Story], None], rule: Any = _evidence) -> tuple[str, str]:
    """The last verdict of a story, and what is lacking."""
    story = Story(rule)
    tell(story)
    return story.verdict + (", TWICE" if story.twice else ""), story.lack


@pytest.mark.parametrize(
    ("tell", "verdict", "lack"),
    [pytest.param(*vector, id=name) for name, vector in (VECTORS | MORE).items()],
)
def test_each_story_has_its_verdict(
    tell: Callable[[Story], None], verdict: str, lack: Lack
) -> None:
    """The table decides as the reference says, and says what is lacking."""
    assert (verdict, str(lack)) == end_of(tell)


# One condition each, and the rule without it.
MUTANTS = {
    "found is not adopted": ("doubt.batch_id or roll.found.get(doubt.number)", "doubt.batch_id"),
    "callbacks adopt nothing": (
        "doubt.batch_id or roll.found.get(doubt.number)", "roll.found.get(doubt.number)",
    ),
    "looking never ends": ("if known.unchanged >= rules.patience(", "if -1 >= rules.patience("),
    "an unreadable 2xx is no acceptance": ("    if doubt.certain:\n", "    if False:\n"),
    "no witness is needed": (
        "if not witnesses:\n",
        "witnesses = witnesses or accepted.keys() & roll.found.keys()\n    if not witnesses:\n",
    ),
    "a witness may have left before": ("self.last_left) > began", "self.accepted) > began"),
    "callbacks are not asked": ("if known.told is not None and ", "if False and "),
    "the list may lack some": ("for each in missing)", "for each in ())"),
    "no elder is needed": (
        "if not elders:\n        return _wait(Lack.ELDER, hope=False)", "elders = elders or [0]",
    ),
    "an elder may be younger": (
        "accepted[each].accepted < doubt.first_left]", "accepted[each].accepted < 10**9]",
    ),
    "no time is needed": ("if evidence.waited < rules.settle:", "if False:"),
    "time is a second short": (
        "if evidence.waited < rules.settle:", "if evidence.waited < rules.settle - 1:",
    ),
    "no lag is needed": ("if not lags.count:", "if False:"),
    "no margin": ("if evidence.waited < rules.margin(lags):", "if False:"),
    "no end of attempts": ("if doubt.sent >= rules.attempts:", "if False:"),
    "twice is not told": ("if each != (known or next(iter(ids)))", "if False"),
}  # fmt: skip
SOURCE = Path(_evidence.__file__).read_text(encoding="utf-8")


@contextmanager
def mutated(old: str, new: str) -> Iterator[ModuleType]:
    """The module of the rule with a change."""
    assert 1 == SOURCE.count(old), old
    module = ModuleType("mutated_evidence")
    sys.modules[module.__name__] = module
    try:
        exec(compile(SOURCE.replace(old, new), module.__name__, "exec"), module.__dict__)  # noqa: S102 (our own source)
        yield module
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("name", MUTANTS)
def test_each_condition_is_held_by_a_story(name: str) -> None:
    """Without any one of its conditions the rule fails at least one story."""
    with mutated(*MUTANTS[name]) as rule:
        failed = [
            story for story, (tell, verdict, lack) in (VECTORS | MORE).items()
            if (verdict, str(lack)) != end_of(tell, rule)
        ]  # fmt: skip
    assert failed


def test_the_reference_has_eighteen_vectors() -> None:
    """None is left out."""
    assert 18 == len(VECTORS)


@given(count=st.integers(1, 3000))
def test_the_margin_is_exact_and_the_smallest(count: int) -> None:
    """One lag more exceeds it with a chance of at most 1 in 1,000, and not with one less."""
    m = multiple(count)
    assert Fraction(1, comb(count + m, m)) <= Fraction(1, 1000)
    assert 1 == m or Fraction(1, comb(count + m - 1, m - 1)) > Fraction(1, 1000)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 999), (2, 44), (3, 17), (5, 8), (10, 4), (20, 3), (44, 2)]
)
def test_the_margin_is_that_of_the_reference(count: int, expected: int) -> None:
    """The values that the reference names."""
    assert expected == multiple(count)


@given(count=st.integers(1, 2000), more=st.integers(0, 2000))
def test_more_lags_never_need_a_larger_margin(count: int, more: int) -> None:
    """Each lag that is measured makes the margin smaller, or leaves it."""
    assert multiple(count + more) <= multiple(count)


@given(data=st.data())
def test_nothing_leaves_again_without_evidence(data: st.DataObject) -> None:
    """Whatever happened: SEND_AGAIN has a complete list, an elder, a witness, and time."""
    numbers = range(6)
    events = st.integers(1, 30)
    accepted = {
        number: _evidence.AcceptedRequest(
            first, first + data.draw(st.integers(0, 9)), data.draw(events), data.draw(st.booleans())
        )
        for number in numbers
        if (first := data.draw(events)) % 3
    }  # fmt: skip
    listed = [number for number in numbers if data.draw(st.booleans())]
    roll = RollCall(
        data.draw(st.floats(0, 5000)), {n: (Accepted(f"B{n}"),) for n in listed},
        data.draw(st.booleans()),
    )  # fmt: skip
    doubted = _evidence.Doubt(7, data.draw(events), data.draw(events), data.draw(st.floats(0, 900)))
    lags = _evidence.Lags(data.draw(st.integers(0, 50)), data.draw(st.floats(0, 60)))
    rules = EvidenceRules(never=data.draw(st.booleans()))
    found = _evidence.judge(doubted, roll, Known(accepted, lags), rules)
    if found.verdict is DoubtVerdict.SEND_AGAIN:
        assert found.evidence is not None
        witness, elder = (accepted[n] for n in (found.evidence.witness, found.evidence.elder))
        assert roll.proves
        assert not rules.never
        assert {found.evidence.witness, found.evidence.elder} <= set(listed)
        assert elder.accepted < doubted.first_left
        assert (witness.first_left if witness.adopted else witness.last_left) > doubted.began
        assert {n for n, each in accepted.items() if each.first_left < witness.last_left} <= set(
            listed
        )
        assert roll.begun - doubted.since >= max(600, multiple(lags.count) * lags.largest)


def test_never_means_never() -> None:
    """With all the evidence there is, nothing leaves again by itself."""
    doubted = _evidence.Doubt(1, 3, 2, 0.0)
    accepted = {0: _evidence.AcceptedRequest(0, 0, 1), 2: _evidence.AcceptedRequest(4, 4, 5)}
    roll = RollCall(1e6, {0: (Accepted("B0"),), 2: (Accepted("B2"),)})
    known = Known(accepted, _evidence.Lags(50, 1.0))
    ends = [
        _evidence.judge(doubted, roll, known, EvidenceRules(never=never)).verdict
        for never in (False, True)
    ]
    assert [DoubtVerdict.SEND_AGAIN, DoubtVerdict.WAIT] == ends


def test_a_lag_is_measured_only_where_somebody_asked_in_time() -> None:
    """A request that left long before the first look-up tells nothing about the lag."""
    meter = LagMeter()
    meter.left(0, 0)
    meter.left(1, 100)
    meter.asked(130)
    meter.left(2, 140)
    assert meter.lags.pending
    meter.listed(RollCall(130, {0: (Accepted("B0"),)}))
    assert 0 == meter.lags.count
    meter.asked(190)
    meter.listed(RollCall(190, {n: (Accepted(f"B{n}"),) for n in range(3)}))
    assert (2, 90, False) == (meter.lags.count, meter.lags.largest, meter.lags.pending)


def test_requests_that_nobody_asks_about_take_no_memory() -> None:
    """What left more than a minute ago is forgotten."""
    meter = LagMeter()
    for number in range(1000):
        meter.left(number, number)
        meter.trim(number)
    assert 61 == len(meter._left)  # noqa: SLF001 (what is kept)


def entry(number: object, batch_id: object = None, **more: object) -> SimpleNamespace:
    """One entry of the response to a look-up."""
    marks = {JOB_MARK: JOB, CHUNK_MARK: mark_of(JOB, number)} if isinstance(number, int) else number
    batch = f"B{number}" if batch_id is None else batch_id
    return SimpleNamespace(**{"batch_id": batch, "meta_data": marks, "send_after": None, **more})


def read(value: object = None, error: Any = None) -> RollCall:
    """The response to a look-up, read."""
    call = BatchCall("look", "messages", "get_batch_statuses_by_metadata", {}, -1, 5.0)
    return read_roll_call(Done(call, value, error), JOB)


def test_a_list_of_ours_is_read() -> None:
    """Each entry is found by both its marks; the same batch listed twice is one."""
    found = read([entry(0), entry(3), entry(3), entry(4), entry(4, "C4")])
    assert (5.0, True) == (found.begun, found.proves)
    ids = {number: [each.batch_id for each in batches] for number, batches in found.found.items()}
    assert {0: ["B0"], 3: ["B3"], 4: ["B4", "C4"]} == ids


ODD = {
    "an error": [],
    "an object": SimpleNamespace(batch_id="B1"),
    "nothing": None,
    "an error object": [SimpleNamespace()],
    "an entry without metadata": [entry(0), entry(None)],
    "metadata in another form": [entry(0), entry({})],
    "the mark of a request alone": [entry(0), entry({CHUNK_MARK: mark_of(JOB, 1)})],
    "the mark of the job alone": [entry(0), entry({JOB_MARK: JOB})],
    "of another job": [entry(0), entry({JOB_MARK: "f", CHUNK_MARK: mark_of("f", 1)})],
    "without an id": [entry(0), entry(1, "")],
    "an id that is not a string": [entry(0), entry(1, 7)],
    "one batch, two requests": [entry(0), entry(1, "B"), entry(2, "B")],
    "one batch, ours and another's": [entry(0), entry(1, "B"), entry({}, "B")],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_responses_prove_nothing(name: str) -> None:
    """Nobody is absent from them, and nothing but what is beyond doubt is adopted."""
    error = APIConnectionError("lost", outcome="unknown") if name == "an error" else None
    found = read(ODD[name], error)
    assert not found.proves
    assert set(found.found) <= {0}


def test_a_second_batch_is_told() -> None:
    """The first is the one that is known, else the first that is listed."""
    listed = [Accepted("B1"), Accepted("B2"), Accepted("B1")]
    assert ("B2",) == other_batches(None, listed)
    assert ("B1",) == other_batches("B2", listed)
    assert () == other_batches(None, listed[:1])
    assert () == other_batches("B1", [])
