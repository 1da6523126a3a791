"""What a request costs the sandbox, beside an endpoint that checks nothing and keeps nothing."""

import statistics
from typing import Final

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks.sandbox_rate import CONNECTIONS, REQUESTS, batch_milliseconds, one_round

__all__ = ["measure"]

_NAMES: Final = {"bare": "bare Starlette endpoint", "sandbox": "sandbox of the wrapper"}
_SHARE: Final = 0.4
_BATCH: Final = 5.0
"""Milliseconds."""


def measure(_environments: Environments, plan: Plan) -> Report:
    """Measure both in this environment, in turns, each in a process of its own."""
    report = Report("Sandbox: messages:send", ("server", "requests/s", "CPU us a request"))
    requests = max(CONNECTIONS, plan.calls(REQUESTS))
    rounds: dict[str, list[tuple[float, float]]] = {kind: [] for kind in _NAMES}
    for _ in range(min(plan.rounds, 5)):
        for kind, found in rounds.items():
            found.append(one_round(kind, requests))
    cpu = {}
    for kind, name in _NAMES.items():
        rate, cpu[kind] = (statistics.median(each) for each in zip(*rounds[kind], strict=True))
        report.rows.append((name, f"{rate:.0f}", f"{cpu[kind]:.0f}"))
    share = cpu["bare"] / cpu["sandbox"]
    report.targets += [
        Target("rate on one core, of that of the bare endpoint", share, _SHARE, at_least=True),
        Target("ms to check a batch of 1000 recipients", batch_milliseconds(), _BATCH),
    ]
    return report
