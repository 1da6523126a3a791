"""A steady run against a server that enforces the quota: how much is used, and how often 429."""

import statistics
from typing import Final

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._rounds import Peer, Worker
from benchmarks._service import Service

__all__ = ["measure"]

_PEERS: Final = {
    "httpx2, no pacing": Peer("bare", "fast", "httpx2"),
    "sinch": Peer("official", "sinch"),
    "wrapper, httpx": Peer("wrapper-paced", "base", "httpx"),
    "wrapper, httpx2": Peer("wrapper-paced", "fast", "httpx2"),
    "wrapper, httpx, tasks": Peer("wrapper-paced-async", "base", "httpx"),
    "wrapper, httpx2, tasks": Peer("wrapper-paced-async", "fast", "httpx2"),
}
_WAYS: Final = 32
_CALLS: Final = 8000
_WARM_UP: Final = 64
_QUOTA: Final = 800
_USED: Final = 95.0
_LIMITED: Final = 0.1
"""Percent, both."""


def measure(environments: Environments, plan: Plan) -> Report:
    """Run each peer alone for about ten seconds a round."""
    report = Report(
        f"Steady, {_WAYS} at once, a server that takes {_QUOTA}/s",
        ("peer", "accepted/s", "% of the limit", "% of responses 429"),
    )
    for name, peer in _PEERS.items():
        with Service(limit=_QUOTA) as service:
            worker = peer.start(environments, service.url)
            if worker is None:
                continue
            with worker:
                used, limited = _run(worker, service, plan)
        report.rows.append((name, f"{used * _QUOTA / 100:.0f}", f"{used:.1f}", f"{limited:.2f}"))
        if name.startswith("wrapper"):
            report.targets += [
                Target(f"% of the limit, {name}", used, _USED, at_least=True),
                Target(f"% of responses 429, {name}", limited, _LIMITED),
            ]
    return report


def _run(worker: Worker, service: Service, plan: Plan) -> tuple[float, float]:
    """Percent of the limit that is used, the median of three rounds; and of responses 429."""
    worker.run(_WARM_UP, _WAYS)
    before, used = service.counts(), []
    for _ in range(min(plan.rounds, 3)):
        earlier = service.counts()
        passed = worker.run(max(plan.calls(_CALLS), _WAYS), _WAYS).passed
        used.append((service.counts() - earlier).sent / passed / _QUOTA * 100)
    seen = service.counts() - before
    return statistics.median(used), seen.limited / (seen.sent + seen.limited) * 100
