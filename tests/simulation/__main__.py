"""Replays one seed with a trace, or tries many: `python -m tests.simulation --seed N`."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.models import ALL
from tests.simulation.run import Outcome, Simulation
from tests.simulation.scenario import scenario_of


def replay(seed: int, model: str, send_again: str) -> int:
    """Run one seed and print what happened."""
    known = next((each for each in ALL if each.name.split()[0] == model), None)
    scenario = scenario_of(seed, known, send_again)
    outcome = Simulation(scenario, traced=True).run()
    lines = [f"seed {seed}: {scenario.model.name}, {scenario}", *outcome.trace]
    lines += [f"twice: {outcome.twice}, unknown: {outcome.unknown}"]
    lines += [f"PROBLEM {problem}" for problem in outcome.problems]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(outcome.problems)


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one, with a trace")
    parser.add_argument("--model", default="", help="with another model, such as D4")
    parser.add_argument("--send-again", default="", choices=("", "evidence", "never"))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--many", type=int, default=200)
    given = parser.parse_args()
    if given.seed is not None:
        sys.exit(replay(given.seed, given.model, given.send_again))
    sys.exit(try_many(given.first, given.many))
