"""Throughput of messages:send in 32 tasks, beside the bare async client."""

import contextlib
from typing import Final

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._rounds import Figures, Peer, in_turns
from benchmarks._service import Service

__all__ = ["measure"]

_PEERS: Final = {
    "httpx": Peer("bare-async", "base", "httpx"),
    "wrapper, httpx": Peer("wrapper-async", "base", "httpx"),
    "httpx2": Peer("bare-async", "fast", "httpx2"),
    "wrapper, httpx2": Peer("wrapper-async", "fast", "httpx2"),
    "aiohttp": Peer("bare-aiohttp-async", "fast"),
    "wrapper, aiohttp": Peer("wrapper-async", "fast", "aiohttp"),
    "wrapper, a double of HTTP": Peer("wrapper-doubled-async", "fast", "httpx2"),
    "the double alone": Peer("double-async", "fast", "httpx2"),
}
_TASKS: Final = 32
_CALLS: Final = 960
_OF_BARE: Final = 0.70
_QUOTA: Final = 800.0
_OVER_HTTPX2: Final = 0.55
_OWN: Final = 0.18


def measure(environments: Environments, plan: Plan) -> Report:
    """Measure all peers against one server."""
    report = Report(
        f"messages:send in {_TASKS} tasks", ("peer", "calls/s", "CPU us a call", "spread")
    )
    with Service() as service, contextlib.ExitStack() as stack:
        workers = {
            name: stack.enter_context(worker)
            for name, peer in _PEERS.items()
            if (worker := peer.start(environments, service.url))
        }
        found = in_turns(workers, _CALLS, _TASKS, plan)
    report.rows += [
        (name, f"{each.rate:.0f}", f"{each.cpu:.0f}", f"{each.spread:.0%}")
        for name, each in found.items()
    ]
    report.targets += _targets(found)
    return report


def _targets(found: dict[str, Figures]) -> list[Target]:
    targets = []
    for library in ("httpx", "httpx2"):
        ours, bare = found.get(f"wrapper, {library}"), found.get(library)
        if ours and bare:
            text = f"calls/s of those of bare {library}"
            targets.append(Target(text, ours.rate / bare.rate, _OF_BARE, at_least=True))
        if ours and library == "httpx2":
            text = f"calls/s, {library}"
            targets.append(Target(text, ours.rate, _QUOTA, at_least=True))
    aiohttp, httpx2 = found.get("wrapper, aiohttp"), found.get("wrapper, httpx2")
    if aiohttp and httpx2:
        targets.append(Target("CPU over httpx2, aiohttp", aiohttp.cpu / httpx2.cpu, _OVER_HTTPX2))
    doubled, double = found.get("wrapper, a double of HTTP"), found.get("the double alone")
    if doubled and double and httpx2:
        own = (doubled.cpu - double.cpu) / httpx2.cpu
        targets.append(Target("the wrapper's own share of a call, httpx2", own, _OWN))
    return targets
