"""Peers in processes of their own, measured in turns: what disturbs one disturbs all."""

import contextlib
import json
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks._environments import ROOT, Environments, clean_variables
from benchmarks._plan import Plan

__all__ = ["Figures", "Peer", "Sample", "Worker", "figures", "in_turns"]

_WARM_UP: Final = 20


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is measured: a name of `_worker`, the environment, and the HTTP library forced on it."""

    kind: str
    environment: str
    library: str = ""

    def start(self, environments: Environments, url: str) -> "Worker | None":
        """Start it against *url*; None when its environment is left out."""
        python = environments.python(self.environment)
        if python is None:
            return None
        return Worker(python, self.kind, url, clean_variables(SINCH_WRAPPER_HTTP=self.library))


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one peer; *cpu* and *passed* are in seconds."""

    calls: int
    accepted: int
    cpu: float
    passed: float


class Worker(contextlib.AbstractContextManager["Worker"]):
    """The process of a peer."""

    def __init__(
        self, python: str, kind: str, url: str, variables: dict[str, str], folder: Path = ROOT
    ) -> None:
        self._kind = kind
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks._worker", kind, url],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def run(self, calls: int, ways: int) -> Sample:
        """Make *calls* calls, *ways* at once."""
        assert self._process.stdin is not None  # noqa: S101 (narrows the type)
        assert self._process.stdout is not None  # noqa: S101 (as above)
        with contextlib.suppress(BrokenPipeError):
            print(calls, ways, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"benchmarks: the peer {self._kind} failed; its error is above")
        return Sample(**json.loads(answer))


@dataclass(frozen=True, slots=True)
class Figures:
    """The medians of a peer: CPU time a call in microseconds, calls per second.

    *spread* is the distance of the CPU time's quartiles, as a share of its median.
    """

    cpu: float
    rate: float
    spread: float


def figures(samples: list[Sample]) -> Figures:
    """The medians of *samples*."""
    costs = [sample.cpu / sample.calls * 1e6 for sample in samples]
    cpu = statistics.median(costs)
    low, _, high = statistics.quantiles(costs, n=4) if len(costs) > 1 else (cpu, cpu, cpu)
    rate = statistics.median(sample.calls / sample.passed for sample in samples)
    return Figures(cpu, rate, (high - low) / cpu)


def in_turns(
    workers: Mapping[str, Worker], calls: int, ways: int, plan: Plan
) -> dict[str, Figures]:
    """Measure each worker once a round, every second round in the opposite order."""
    calls = max(plan.calls(calls), ways)
    samples: dict[str, list[Sample]] = {name: [] for name in workers}
    for worker in workers.values():
        worker.run(min(_WARM_UP * ways, calls), ways)
    for number in range(plan.most):
        for name in sorted(workers, reverse=number % 2 == 1):
            samples[name].append(workers[name].run(calls, ways))
        found = {name: figures(those) for name, those in samples.items()}
        is_block_full = (number + 1) % plan.rounds == 0
        if is_block_full and all(each.spread <= plan.spread for each in found.values()):
            break
    return found
