"""Replays one seed with a trace, or tries many: `python -m tests.simulation --seed N`.

With --cluster the seeds are those of workers and leaders.
"""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.cluster import ClusterOutcome, ClusterSimulation
from tests.simulation.cluster_scenario import ClusterScenario, cluster_scenario_of
from tests.simulation.models import ALL
from tests.simulation.run import Outcome, Simulation
from tests.simulation.scenario import Scenario, scenario_of


def replay(seed: int, model: str, send_again: str) -> int:
    """Run one seed and print what happened."""
    known = next((each for each in ALL if each.name.split()[0] == model), None)
    scenario = scenario_of(seed, known, send_again)
    outcome = Simulation(scenario, traced=True).run()
    return tell(scenario, outcome, outcome.problems)


def tell(
    scenario: Scenario | ClusterScenario, outcome: Outcome | ClusterOutcome, wrong: list[str]
) -> int:
    """Print what happened in one seed, and what is *wrong* with it; returns the exit code."""
    lines = [f"seed {scenario.seed}: {scenario.model.name}, {scenario}", *outcome.trace]
    lines += [f"twice: {outcome.twice}, unknown: {outcome.unknown}"]
    lines += [f"PROBLEM {problem}" for problem in wrong]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(wrong)


def try_many(first: int, many: int) -> int:
    """Run *many* seeds and print a table by model."""
    began = time.perf_counter()
    by_model: dict[str, list[tuple[int, Outcome]]] = {}
    for seed in range(first, first + many):
        scenario = scenario_of(seed)
        found = Simulation(scenario).run()
        by_model.setdefault(scenario.model.name, []).append((seed, found))
        if found.problems:
            sys.stdout.write(f"seed {seed} ({scenario.model.name}): {found.problems}\n")
    for name, outcomes in sorted(by_model.items()):
        totals: Counter[str] = Counter()
        for _, each in outcomes:
            for field in (
                "posts",
                "doubts",
                "again",
                "twice",
                "told",
                "unknown",
                "looks",
                "kills",
                "retries",
                "keys",
            ):
                totals[field] += getattr(each, field)
        words = ", ".join(f"{field} {value}" for field, value in totals.items())
        sys.stdout.write(f"{name:22} {len(outcomes):6} seeds: {words}\n")
    sys.stdout.write(f"{many} seeds in {time.perf_counter() - began:.1f} s\n")
    return any(each.problems for outcomes in by_model.values() for _, each in outcomes)


def replay_cluster(seed: int) -> int:
    """Run one seed of a cluster and print what happened."""
    scenario = cluster_scenario_of(seed)
    outcome = ClusterSimulation(scenario, traced=True).run()
    return tell(scenario, outcome, outcome.wrong)


def try_many_of_cluster(first: int, many: int) -> int:
    """Run *many* seeds of a cluster and print what came out of all."""
    began, totals, wrong = time.perf_counter(), ClusterOutcome(), 0
    for seed in range(first, first + many):
        found = ClusterSimulation(cluster_scenario_of(seed)).run()
        totals.add(found)
        if found.wrong:
            wrong += 1
            sys.stdout.write(f"seed {seed}: {found.wrong}\n")
    sys.stdout.write(f"{many} seeds in {time.perf_counter() - began:.1f} s: {totals.counts()}\n")
    return bool(wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--cluster", action="store_true", help="workers and leaders of one job")
    parser.add_argument("--seed", type=int, help="replay this one, with a trace")
    parser.add_argument("--model", default="", help="with another model, such as D4")
    parser.add_argument("--send-again", default="", choices=("", "evidence", "never"))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--many", type=int, default=200)
    given = parser.parse_args()
    if given.cluster and (given.model or given.send_again):
        parser.error("--model and --send-again are not for --cluster: its seeds say both")
    if given.cluster and given.seed is not None:
        sys.exit(replay_cluster(given.seed))
    if given.cluster:
        sys.exit(try_many_of_cluster(given.first, given.many))
    if given.seed is not None:
        sys.exit(replay(given.seed, given.model, given.send_again))
    sys.exit(try_many(given.first, given.many))
