"""Every schedule of sender, API, look-ups, callbacks and crashes that a seed gives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sinch_wrapper
from tests.simulation.models import ALL, Model
from tests.simulation.mutants import ALL_MUTANTS
from tests.simulation.run import Simulation
from tests.simulation.scenario import scenario_of

# SINCH_WRAPPER_SEEDS=1000000 tries that many.
SEEDS = int(os.environ.get("SINCH_WRAPPER_SEEDS", "2000"))
QUICK, SLICE, LONG_SLICE = 150, 25, 125
# Each model with as many seeds.
NEVER = 25


def problems(seeds: range, model: Model | None = None, send_again: str = "") -> list[str]:
    """What is wrong with these seeds, each with the command that replays it."""
    found = []
    for seed in seeds:
        for problem in Simulation(scenario_of(seed, model, send_again)).run().problems:
            more = f" --model {model.name.split()[0]}" if model else ""
            more += f" --send-again {send_again}" if send_again else ""
            found.append(f"python -m tests.simulation --seed {seed}{more}: {problem}")
    return found


@pytest.mark.parametrize("first", range(0, QUICK, SLICE))
def test_no_schedule_loses_doubles_or_lies(first: int) -> None:
    """Nothing is sent twice where the rule covers it, nothing is lost, no state is wrong."""
    assert [] == problems(range(first, first + SLICE))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("first", range(QUICK, SEEDS, LONG_SLICE))
def test_many_schedules(first: int) -> None:
    """The same for as many seeds as wanted, in pieces that workers share."""
    assert [] == problems(range(first, min(SEEDS, first + LONG_SLICE)))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("model", ALL, ids=[model.name for model in ALL])
def test_never_means_never_whatever_the_api_does(model: Model) -> None:
    """With send_again="never" nothing is sent twice, also where the rule covers nothing."""
    many = NEVER * max(1, SEEDS // 2000)
    assert [] == problems(range(many), model, "never")


def test_a_seed_gives_the_same_schedule_again() -> None:
    """Whatever a seed finds is found again, event by event."""
    one, two = (Simulation(scenario_of(51), traced=True).run() for _ in range(2))
    assert one.trace
    assert one.trace == two.trace


@pytest.mark.slow
def test_what_no_client_can_close_is_counted() -> None:
    """Where a request may be accepted hours later, some are sent twice: the check can fail."""
    (model,) = (each for each in ALL if each.name.startswith("D4"))
    twice = sum(Simulation(scenario_of(seed, model, "evidence")).run().twice for seed in range(150))
    assert twice > 0


def test_each_mutant_changes_a_line_that_is_there() -> None:
    """Whoever changes such a line learns at once that a mutant stands on it."""
    folder = Path(sinch_wrapper.__file__).parent
    texts = {
        each.name: (folder / each.package / f"{each.module}.py").read_text()
        for each in ALL_MUTANTS.values()
    }
    changed = [
        name
        for name, each in ALL_MUTANTS.items()
        if any(texts[each.name].count(old) != 1 for old, _ in each.changes)
    ]
    assert [] == changed


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ALL_MUTANTS)
def test_each_rule_is_needed(name: str) -> None:
    """With any one rule broken, a seed below 10,000 finds it; in a cluster one below 200."""
    command = [sys.executable, "-m", "tests.simulation.mutants", name]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == found.returncode, found.stdout + found.stderr
