"""What kinds of API there may be: how soon a look-up lists a batch, and what is accepted late.

Nobody knows which one the real API is. In the models that are `covered` nothing may be sent twice;
in the others nobody can exclude it from outside, so it is counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random
from typing import Final


@dataclass
class Entry:
    """A batch in the index: when it was accepted, and when it is listed."""

    batch_id: str
    accepted: float
    listed: float


@dataclass
class Index:
    """What look-ups see; *lag* says how long a batch that is accepted at a time takes."""

    chance: Random
    lag: Callable[[float], float] = lambda _at: 0.0
    replicas: tuple[float, ...] = (0.0,)
    sticky: bool = False
    kept: float = inf
    newest: int = 10**9
    failing: float = 0.0
    cached: float = 0.0
    hidden: float = 0.0
    breaks: float = inf
    # The share that is never listed, by what became of the request.
    hides: Mapping[str, float] = field(default_factory=dict)
    entries: dict[int, list[Entry]] = field(default_factory=dict)
    cache: dict[int, tuple[float, list[str]]] = field(default_factory=dict)
    replica: dict[int, float] = field(default_factory=dict)

    def add(self, job: int, batch_id: str, at: float, truth: str) -> None:
        """A batch of *job* is accepted; *truth* is what became of the request."""
        hidden = self.hides.get(truth, self.hidden)
        gone = at >= self.breaks or self.chance.random() < hidden
        listed = inf if gone else at + self.lag(at)
        self.note(job, batch_id, at, listed)

    def note(self, job: int, batch_id: str, at: float, listed: float) -> None:
        """A batch was accepted at *at*, and is listed from *listed* on."""
        self.entries.setdefault(job, []).append(Entry(batch_id, at, listed))

    def look(self, job: int, now: float) -> list[str] | None:
        """The batches of *job* that a look-up lists; None when it fails."""
        if self.chance.random() < self.failing:
            return None
        begun, known = self.cache.get(job, (-inf, []))
        if now - begun < self.cached:
            return known
        late = self.chance.choice(self.replicas)
        if self.sticky:
            late = self.replica.setdefault(job, late)
        found = [
            each.batch_id
            for each in self.entries.get(job, ())
            if each.listed + late <= now < each.accepted + self.kept
        ][-self.newest :]
        self.cache[job] = (now, found)
        return found


@dataclass
class Segments(Index):
    """Four batches after the other are in one segment, and every other segment is listed late.

    At least one in it has a response, so that its absence tells that something is missing.
    """

    slow: dict[int, float] = field(default_factory=dict)
    filled: dict[int, int] = field(default_factory=dict)

    def add(self, job: int, batch_id: str, at: float, truth: str) -> None:
        """A batch of *job* is accepted."""
        number = self.filled[job] = self.filled.get(job, -1) + 1
        if number % 4 == 0:
            self.slow.pop(job, None)
        if (number // 4) % 2 and truth == "ok":
            self.slow.setdefault(job, at + 1500.0)
        self.note(job, batch_id, at, self.slow.get(job, at))


def _queue(chance: Random) -> Callable[[float], float]:
    """One by one, in the order in which they were accepted."""
    free = 0.0

    def lag(at: float) -> float:
        nonlocal free
        free = max(free, at) + chance.expovariate(1 / 3)
        return free - at

    return lag


def _crowd(chance: Random) -> Callable[[float], float]:
    """The slower the more there are, and not in order."""
    listed: list[float] = []

    def lag(at: float) -> float:
        waiting = sum(each > at for each in listed)
        listed.append(at + chance.expovariate(1 / (1 + waiting)))
        return min(listed[-1] - at, 300.0)

    return lag


Delay = Callable[[Random], float]


def _no_delay(_chance: Random) -> float:
    return 0.0


class Pipeline:
    """Callbacks in the order of acceptance, which stand still for half an hour once."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._stands: dict[int, tuple[float, float]] = {}
        self._order = count()

    def delay(self, job: int, at: float) -> float:
        """After how many seconds the callback about what is accepted at *at* comes."""
        if job not in self._stands:
            begins = at + self._chance.uniform(0.5, 15)
            self._stands[job] = begins, begins + self._chance.uniform(1200, 2400)
            return 0.01
        begins, ends = self._stands[job]
        waits = ends - at if begins <= at < ends else 0.01
        return waits + next(self._order) / 1000


class AboutTenMinutes(Pipeline):
    """Callbacks that come when a request may leave again."""

    def delay(self, job: int, at: float) -> float:
        """Ten minutes or more."""
        del job, at
        return self._chance.uniform(595, 900)


@dataclass(frozen=True)
class Model:
    """A kind of API. *late* is how long a fifth of the doubtful requests wait to be accepted.

    In a model that is *killed* all processes are, in one that is *spared* none. *again* is what
    becomes of a request that comes once more, *weather* changes what becomes of all, *look* is how
    long a look-up takes. With *calls* a receiver runs, and callbacks come by it.
    """

    name: str
    index: Callable[[Random], Index]
    covered: bool = True
    late: Delay | None = None
    killed: bool = False
    # The share of batches whose metadata look-ups show in another form.
    odd: float = 0.0
    spared: bool = False
    again: str = ""
    weather: Mapping[str, float] = field(default_factory=dict)
    look: tuple[float, float] = (0.02, 0.5)
    calls: Callable[[Random], Pipeline] | None = None


def _exponential(mean: float) -> Callable[[Random], Index]:
    return lambda chance: Index(chance, lambda _: chance.expovariate(1 / mean))


def _by_key(chance: Random) -> Index:
    lag = chance.choice((0.0, 5.0, 40.0))
    return Index(chance, lambda _: lag)


def _mixed(chance: Random) -> Index:
    lags: list[Callable[[float], float]] = [
        lambda _: 0.0,
        lambda _: 5.0,
        lambda _: chance.expovariate(1 / 8),
        _queue(chance),
        _crowd(chance),
    ]
    return Index(
        chance,
        chance.choice(lags),
        replicas=chance.choice([(0.0,), (0.0, 5.0, 40.0)]),
        failing=chance.choice([0.0, 0.3]),
        cached=chance.choice([0.0, 60.0]),
        hidden=chance.choice([0.0, 0.005]),
    )


def _hiding(share: float, *truths: str) -> Callable[[Random], Index]:
    return lambda chance: Index(chance, hides=dict.fromkeys(truths, share))


def _uniform(least: float, most: float) -> Callable[[Random], Index]:
    return lambda chance: Index(chance, lambda _: chance.uniform(least, most))


_IN_DOUBT = ("timeout", "cut", "odd")

# Section 3 of the study: a to k, late acceptance, all mixed; and more, each of which only one
# condition of the rule keeps from sending twice.
ALL: Final = (
    Model("a immediate", Index),
    Model("b1 lag 5 s", lambda chance: Index(chance, lambda _: 5.0)),
    Model("b2 lag 45 s", lambda chance: Index(chance, lambda _: 45.0)),
    Model("c1 exp mean 8 s", _exponential(8)),
    Model("c2 uniform 0-60 s", _uniform(0, 60)),
    Model("c3 Pareto 1.5", lambda c: Index(c, lambda _: 2 * c.paretovariate(1.5)), covered=False),
    Model("c4 exp mean 5 min", _exponential(300), covered=False),
    # Not in the study: metadata that cannot be read.
    Model("o1 odd metadata", Index, odd=0.1),
    # Nor this: only the margin tells that a request may follow.
    Model("c5 uniform 5-25 min", _uniform(300, 1500)),
    Model("d1 load, in order", lambda chance: Index(chance, _queue(chance))),
    Model("d2 load, overtaking", lambda chance: Index(chance, _crowd(chance))),
    Model("e1 3 replicas 0/5/40", lambda chance: Index(chance, replicas=(0.0, 5.0, 40.0))),
    Model("e2 same, sticky", lambda chance: Index(chance, replicas=(0.0, 5.0, 40.0), sticky=True)),
    Model(
        "e3 lag by key 0/5/40",
        _by_key,
    ),
    Model("f1 broken later", lambda chance: Index(chance, breaks=chance.uniform(0, 60))),
    Model("f2 2% hidden", lambda chance: Index(chance, hidden=0.02), covered=False),
    Model("g kept 15 min", lambda chance: Index(chance, kept=900.0), killed=True),
    Model("h look-up fails 30%", lambda chance: Index(chance, failing=0.3)),
    Model("j cached 60 s", lambda chance: Index(chance, cached=60.0)),
    Model("k newest 10 only", lambda chance: Index(chance, newest=10)),
    Model("D1 delay exp 60 s", Index, late=lambda c: min(c.expovariate(1 / 60), 590.0)),
    Model("D2 delay 0-600 s", Index, late=lambda chance: chance.uniform(0, 590)),
    Model("D3 delay to 1 h", Index, covered=False, late=lambda chance: chance.uniform(0, 3600)),
    Model("D4 delay to 6 h", Index, covered=False, late=lambda chance: chance.uniform(0, 21600)),
    Model("l1 slow look-ups, uniform 5-25 min", _uniform(300, 1500), look=(60, 150)),
    Model("n1 nothing is accepted that comes again", Index, again="mute"),
    Model(
        "p1 hidden, callbacks after 10 min",
        _hiding(1, *_IN_DOUBT),
        covered=False,
        weather={"timeout": 40.0},
        again="mute",
        calls=AboutTenMinutes,
    ),
    Model(
        "q1 hidden, callbacks in order",
        _hiding(1, *_IN_DOUBT),
        killed=True,
        weather={"timeout": 40.0},
        calls=Pipeline,
    ),
    Model(
        "r1 delay to 6 h, what comes again is refused",
        Index,
        covered=False,
        again="refused",
        late=lambda chance: chance.uniform(0, 21600),
    ),
    Model("s1 segments, some late", Segments, spared=True),
    Model(
        "u1 unreadable is never listed",
        _hiding(1, "unreadable"),
        spared=True,
        weather={"unreadable": 10.0},
    ),
    Model("X all mixed", _mixed, covered=False, late=lambda c: c.expovariate(1 / 20)),
)
