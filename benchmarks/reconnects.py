"""How often a connection is made anew, 32 threads against a server that takes 50 ms."""

from typing import Final

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._rounds import Peer
from benchmarks._service import Service

__all__ = ["measure"]

_PEERS: Final = {
    "httpx, default limits": Peer("bare-untuned", "base", "httpx"),
    "wrapper, httpx": Peer("wrapper", "base", "httpx"),
    "wrapper, httpx, tasks": Peer("wrapper-async", "base", "httpx"),
    "httpx2, default limits": Peer("bare-untuned", "fast", "httpx2"),
    "wrapper, httpx2": Peer("wrapper", "fast", "httpx2"),
    "wrapper, httpx2, tasks": Peer("wrapper-async", "fast", "httpx2"),
    "sinch": Peer("official", "sinch"),
}
_WAYS: Final = 32
_CALLS: Final = 3200
_DELAY: Final = 0.05
_SHARE: Final = 3.0


def measure(environments: Environments, plan: Plan) -> Report:
    """Count the connections that the server sees, the first 32 among them."""
    report = Report(
        f"Connections, {_WAYS} at once, 50 ms an answer",
        ("peer", "calls", "connections", "% of calls"),
    )
    for name, peer in _PEERS.items():
        with Service(delay=_DELAY) as service:
            worker = peer.start(environments, service.url)
            if worker is None:
                continue
            with worker:
                calls = worker.run(max(plan.calls(_CALLS), _WAYS), _WAYS).calls
            connections = service.counts().connections
        share = connections / calls * 100
        report.rows.append((name, str(calls), str(connections), f"{share:.1f}"))
        if name.startswith("wrapper"):
            report.targets.append(Target(f"% of calls that connect, {name}", share, _SHARE))
    return report
