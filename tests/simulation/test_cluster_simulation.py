"""Every schedule of leaders and workers, one database, kills, stops and cuts that a seed gives."""

import pytest

from tests.simulation.cluster import ClusterSimulation
from tests.simulation.cluster_scenario import cluster_scenario_of
from tests.simulation.test_simulation import SEEDS

pytestmark = pytest.mark.once
QUICK, SLICE, LONG_SLICE = 40, 20, 125
# One takes the time of three of a job in one process; a mutant is found below 200.
MANY = SEEDS // 2


def problems(seeds: range) -> list[str]:
    """What is wrong with these seeds, each with the command that replays it."""
    return [
        f"python -m tests.simulation --cluster --seed {seed}: {problem}"
        for seed in seeds
        for problem in ClusterSimulation(cluster_scenario_of(seed)).run().wrong
    ]


@pytest.mark.parametrize("first", range(0, QUICK, SLICE))
def test_no_schedule_of_a_cluster_loses_doubles_or_lies(first: int) -> None:
    """Whoever is killed, stopped or cut off, nothing is sent twice, lost, or said wrongly."""
    assert [] == problems(range(first, first + SLICE))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("first", range(QUICK, MANY, LONG_SLICE))
def test_many_schedules_of_a_cluster(first: int) -> None:
    """The same for as many seeds as wanted, in pieces that workers share."""
    assert [] == problems(range(first, min(MANY, first + LONG_SLICE)))


def test_a_seed_of_a_cluster_gives_the_same_schedule_again() -> None:
    """Whatever a seed finds is found again, event by event."""
    one, two = (ClusterSimulation(cluster_scenario_of(28), traced=True).run() for _ in range(2))
    assert one.trace
    assert one.trace == two.trace
