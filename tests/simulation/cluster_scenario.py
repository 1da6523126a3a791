"""What one seed says of a cluster: the API, the job, its processes, and what happens to them."""

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.simulation.models import ALL, Model
from tests.simulation.nodes import Fault
from tests.simulation.scenario import JobScript

# Short, so that a request in doubt may leave again while its worker still sleeps.
SETTLE: Final = 60.0
# Models in which what is accepted shows within that time.
MODELS: Final = tuple(
    each
    for each in ALL
    if each.name.split()[0] in {"a", "b1", "c1", "e1", "e2", "h", "k", "f1", "n1", "o1", "j"}
)


@dataclass(frozen=True)
class ClusterScenario:
    """All that follows from a seed, but for the chances that the API takes.

    *faults* are those of each process, the ones that come after a kill included. *outages* are
    when the database goes away, and for how long: all its sessions end.
    """

    seed: int
    model: Model
    stormy: bool
    receiver: bool
    job: JobScript
    processes: int
    faults: tuple[tuple[Fault, ...], ...]
    outages: tuple[tuple[float, float], ...]


def cluster_scenario_of(seed: int) -> ClusterScenario:
    """The scenario of *seed*."""
    chance = Random(seed)  # noqa: S311 (repeatable)
    processes = chance.choice((2, 2, 3))
    return ClusterScenario(
        seed,
        chance.choice(MODELS),
        stormy=chance.random() < 0.3,
        receiver=chance.random() < 0.3,
        job=_job(chance),
        processes=processes,
        faults=tuple(
            tuple(_fault(chance) for _ in range(chance.choice((0, 1, 2, 3))))
            for _ in range(processes + 3)
        ),
        outages=tuple(
            (chance.uniform(0, 40), chance.uniform(0.1, 60)) for _ in range(chance.random() < 0.15)
        ),
    )


def _fault(chance: Random) -> Fault:
    kind = chance.choices(("kill", "stop", "cut"), (3, 4, 3))[0]
    seconds = chance.choice((chance.uniform(0.1, 20), chance.uniform(20, 400)))
    return Fault(chance.randint(1, chance.choice((60, 150))), kind, seconds, chance.random() < 0.5)


def _job(chance: Random) -> JobScript:
    size, chunks = chance.choice((1, 5)), chance.choice((1, 2, 6, 12, 20))
    is_slow = chance.random() < 0.7
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
        queue=2 * size if is_slow else 10**6,
        # A request every few seconds, so that there are witnesses after a death.
        drain=size / chance.choice((3, 10)),
        attempts=chance.choice((5, 5, 2)),
    )
