"""Apps that take turns, each in a process of its own bound to one core, and what a request costs.

The cost is the processor time of the serving process, so that the ratio of two is the ratio of
their rates on one core, whatever else the machine does.
"""

import multiprocessing
import os
import resource
import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeAlias

from sinch_wrapper.sandbox import BackgroundServer

__all__ = ["Cost", "Drive", "Serve", "costs_in_turns"]

Serve: TypeAlias = Callable[[], AbstractContextManager[BackgroundServer]]
"""Starts the app; a function of a module, because another process calls it."""
Drive: TypeAlias = Callable[[int, int, int], float]
"""Sends that many requests to a port, counting from a first number; returns requests per second."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests per second by the clock, and microseconds of processor time a request."""

    rate: float
    cpu: float


def costs_in_turns(
    apps: Mapping[str, Serve], drive: Drive, rounds: int, requests: int
) -> dict[str, Cost]:
    """Medians of *rounds* in which each app is sent *requests*."""
    found: dict[str, list[Cost]] = {name: [] for name in apps}
    for _ in range(rounds):
        for name, serve in apps.items():
            found[name].append(_round(serve, drive, requests))
    return {
        name: Cost(
            statistics.median(each.rate for each in costs),
            statistics.median(each.cpu for each in costs),
        )
        for name, costs in found.items()
    }


def _round(serve: Serve, drive: Drive, requests: int) -> Cost:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(serve, theirs))
    process.start()
    port = ours.recv()
    drive(port, 0, max(1, requests // 10))
    ours.send(True)
    before = ours.recv()
    rate = drive(port, requests, requests)
    ours.send(True)
    used = ours.recv() - before
    ours.send(False)
    process.join()
    return Cost(rate, used / requests * 1e6)


def _serve(serve: Serve, line: Connection) -> None:
    """Serve until told to stop; each message before that is answered with the CPU time so far."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with serve() as server:
        line.send(server.port)
        while line.recv():
            used = resource.getrusage(resource.RUSAGE_SELF)
            line.send(used.ru_utime + used.ru_stime)
