"""CPU time of messages:send in threads, beside the bare HTTP library and other SDKs."""

import contextlib
from typing import Final

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._rounds import Figures, Peer, in_turns
from benchmarks._service import Service

__all__ = ["measure"]

_PEERS: Final = {
    "httpx": Peer("bare", "base", "httpx"),
    "wrapper, httpx": Peer("wrapper", "base", "httpx"),
    "httpx2": Peer("bare", "fast", "httpx2"),
    "wrapper, httpx2": Peer("wrapper", "fast", "httpx2"),
    "sinch": Peer("official", "sinch"),
    "twilio": Peer("twilio", "others"),
    "openai, httpx2": Peer("openai", "others"),
}
_CALLS: Final = {1: 1000, 32: 1920}
_OVER_BARE: Final = 1.25
_OVER_SINCH: Final = {1: 0.60, 32: 0.85}


def measure(environments: Environments, plan: Plan) -> Report:
    """Measure one thread, then 32."""
    report = Report(
        "messages:send in threads",
        ("peer", "threads", "CPU us a call", "spread", "calls/s"),
    )
    for ways, calls in _CALLS.items():
        with Service() as service, contextlib.ExitStack() as stack:
            workers = {
                name: stack.enter_context(worker)
                for name, peer in _PEERS.items()
                if (worker := peer.start(environments, service.url))
            }
            found = in_turns(workers, calls, ways, plan)
        report.rows += [_row(name, ways, each) for name, each in found.items()]
        report.targets += _targets(found, ways)
    return report


def _row(name: str, ways: int, found: Figures) -> tuple[str, ...]:
    return (name, str(ways), f"{found.cpu:.0f}", f"{found.spread:.0%}", f"{found.rate:.0f}")


def _targets(found: dict[str, Figures], ways: int) -> list[Target]:
    targets = []
    for library in ("httpx", "httpx2"):
        ours, bare = found.get(f"wrapper, {library}"), found.get(library)
        threads = "1 thread" if ways == 1 else f"{ways} threads"
        if ours and bare:
            text = f"CPU over bare {library}, {threads}"
            targets.append(Target(text, ours.cpu / bare.cpu, _OVER_BARE))
        if ours and (sinch := found.get("sinch")):
            text = f"CPU over sinch, {library}, {threads}"
            targets.append(Target(text, ours.cpu / sinch.cpu, _OVER_SINCH[ways]))
    return targets
