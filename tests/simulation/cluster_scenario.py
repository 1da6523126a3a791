"""What one seed says of a cluster: the API, the job, its processes, and what happens to them."""

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.simulation.models import ALL, Model
from tests.simulation.nodes import Fault
from tests.simulation.scenario import JobScript

# Short, so that a request in doubt may leave again while its worker still stands still.
SETTLE: Final = 20.0
# Models in which what is accepted shows within that time.
MODELS: Final = tuple(
    each
    for each in ALL
    if each.name.split()[0] in {"a", "b1", "c1", "e1", "e2", "h", "k", "f1", "n1", "o1", "j"}
)
# Those in which evidence comes soon, so that what is wrong with a take-over shows as a double.
PLAIN: Final = MODELS[:1]


@dataclass(frozen=True)
class FaultMix:
    """The faults of one seed: a few kinds at a few places, for times that are alike.

    So that what must come together does so in some seeds, rather than a little of all in each.
    *noticed* is the share of which the database hears.
    """

    kinds: tuple[str, ...]
    places: tuple[str, ...]
    spans: tuple[tuple[float, float], ...]
    noticed: float

    def fault(self, chance: Random) -> Fault:
        """One of them."""
        place = chance.choice(self.places)
        return Fault(
            chance.randint(1, chance.choice(_PLACES[place])),
            chance.choice(self.kinds),
            chance.uniform(*chance.choice(self.spans)),
            chance.random() < self.noticed,
            place,
        )


_KINDS: Final = ("kill", "stop", "sleep", "cut")
_SHORT, _MIDDLE, _LONG = (0.05, 3.0), (3.0, 40.0), (100.0, 300.0)
# Where a fault may happen, and after how many places there at most.
_PLACES: Final = {"": (50, 150), "lead": (60, 300), "work": (30,), "take": (5, 20), "leave": (8,)}
# Those in which one rule alone keeps a request from being doubled or lost.
_THEMES: Final = (
    # It stands still for so long that others think of sending it again.
    FaultMix(("stop", "sleep"), ("leave",), (_LONG,), 0.0),
    # The same before it has looked whether it may.
    FaultMix(("stop", "sleep"), ("take",), (_LONG,), 1.0),
    # Whether a call is taken is not known, and others take it meanwhile.
    FaultMix(("cut",), ("take",), (_SHORT,), 0.0),
    # A leader dies between two statements, and comes back.
    FaultMix(("kill", "cut"), ("lead",), (_SHORT, _MIDDLE), 0.5),
)


def _mix(chance: Random) -> FaultMix:
    return FaultMix(
        tuple(chance.sample(_KINDS, chance.randint(1, 2))),
        tuple(chance.sample([*_PLACES], chance.randint(1, 2))),
        tuple(chance.sample((_SHORT, _MIDDLE, _LONG), chance.randint(1, 2))),
        chance.choice((0.0, 0.5, 1.0)),
    )


@dataclass(frozen=True)
class ClusterScenario:
    """All that follows from a seed, but for the chances that the API takes.

    *faults* are those of each process, the ones that come after a kill included. *outages* are
    when the database goes away, and for how long: all its sessions end. *repeats* is the share of
    tickets that come twice, *pace* how many seconds a request waits for its slot at most.
    *opt_outs* says when who opts out, by the number of the person.
    """

    seed: int
    model: Model
    stormy: bool
    job: JobScript
    processes: int
    faults: tuple[tuple[Fault, ...], ...]
    outages: tuple[tuple[float, float], ...]
    repeats: float
    pace: float
    receivers: int
    receiver_faults: tuple[tuple[Fault, ...], ...]
    opt_outs: tuple[tuple[float, int], ...]


def cluster_scenario_of(seed: int) -> ClusterScenario:
    """The scenario of *seed*."""
    chance = Random(seed)  # noqa: S311 (repeatable)
    processes = chance.choice((2, 2, 3))
    is_plain = chance.random() < 0.6
    mix = chance.choice((*_THEMES, _mix(chance))) if is_plain else _mix(chance)
    job = _long_job(chance) if is_plain else _job(chance)
    receivers = chance.choice((0, 0, 2))
    return ClusterScenario(
        seed,
        chance.choice(PLAIN if is_plain else MODELS),
        stormy=not is_plain and chance.random() < 0.5,
        job=job,
        processes=processes,
        faults=tuple(
            tuple(mix.fault(chance) for _ in range(chance.choice((0, 1, 1, 3))))
            for _ in range(processes + 3)
        ),
        outages=tuple(
            (chance.uniform(0, 40), chance.uniform(0.1, 60)) for _ in range(chance.random() < 0.15)
        ),
        repeats=chance.choice((0.1, 0.5)),
        pace=chance.choice((0.0, 2.0, 25.0)),
        receivers=receivers,
        receiver_faults=tuple(
            tuple(Fault(chance.randint(1, 40), *_fault_of_receiver(chance)) for _ in range(2))
            for _ in range(receivers)
        ),
        opt_outs=tuple(
            (chance.uniform(0, 60), number)
            for number in range(job.recipients if receivers and chance.random() < 0.5 else 0)
            if chance.random() < 0.3
        ),
    )


def _fault_of_receiver(chance: Random) -> tuple[str, float, bool]:
    return chance.choice(_KINDS), chance.uniform(0.1, 40), chance.random() < 0.5


def _job(chance: Random) -> JobScript:
    size, chunks = chance.choice((1, 5)), chance.choice((1, 2, 4, 8))
    return _script(size, chunks, chance.choice((10**6, 2 * size)), size / 2, chance)


def _long_job(chance: Random) -> JobScript:
    """A request every few seconds, so that there are witnesses after a death."""
    return _script(1, 18, 2, 1 / chance.choice((3, 5)), chance)


def _script(size: int, chunks: int, queue: int, drain: float, chance: Random) -> JobScript:
    return JobScript(
        recipients=size * chunks,
        chunk_size=size,
        concurrency=4,
        send_again="evidence",
        kills=(),
        moved=False,
        stop=None,
        pause=0.0,
        last="",
        queue=queue,
        drain=drain,
        attempts=chance.choice((5, 5, 2)),
    )
