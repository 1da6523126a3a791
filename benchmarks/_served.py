"""Apps that take turns, each in a process of its own bound to one core, and what a request costs.

The cost is the processor time of the serving process, so that the ratio of two is the ratio of
their rates on one core, whatever else the machine does.
"""

import contextlib
import multiprocessing
import os
import resource
import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

from sinch_wrapper.sandbox import BackgroundServer

__all__ = ["Cost", "Drive", "Serve", "costs_in_turns"]

Serve: TypeAlias = Callable[[], AbstractContextManager[BackgroundServer]]
"""Starts the app; a function of a module, because another process calls it."""
Drive: TypeAlias = Callable[[int, int, int], float]
"""Sends that many requests to a port, counting from a first number; returns requests per second."""


# The slices in which an app gets the requests of a round, in turns with the others.
_SLICES: Final = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests per second by the clock, and microseconds of processor time a request.

    *share* is the rate beside that of the first app, by processor time, and *by_clock* the same by
    the clock: medians of the ratios of slices that were sent one after the other.
    """

    rate: float
    cpu: float
    share: float
    by_clock: float


@dataclass(frozen=True, slots=True)
class _Slice:
    rate: float
    cpu: float


def costs_in_turns(
    apps: Mapping[str, Serve], drive: Drive, rounds: int, requests: int
) -> dict[str, Cost]:
    """What each app costs that is sent *requests* in each of *rounds*.

    All apps run at once, and slices of the requests take turns, every second time in the opposite
    order: what disturbs one for longer than a slice disturbs all.
    """
    size = max(1, requests // _SLICES)
    found: dict[str, list[_Slice]] = {name: [] for name in apps}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(_Running(serve)) for name, serve in apps.items()}
        for number in range(rounds * _SLICES + 1):
            for name in sorted(running, reverse=number % 2 == 1):
                found[name].append(running[name].send(drive, number * size, size))
    # The first slice warms up.
    base, *_ = (slices[1:] for slices in found.values())
    return {name: _cost(base, slices[1:]) for name, slices in found.items()}


def _cost(base: list[_Slice], slices: list[_Slice]) -> Cost:
    pairs = list(zip(base, slices, strict=True))
    return Cost(
        statistics.median(each.rate for each in slices),
        statistics.median(each.cpu for each in slices),
        statistics.median(first.cpu / each.cpu for first, each in pairs),
        statistics.median(each.rate / first.rate for first, each in pairs),
    )


class _Running(contextlib.AbstractContextManager["_Running"]):
    """The process that serves an app."""

    def __init__(self, serve: Serve) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(serve, theirs))
        self._process.start()
        self._port: int = self._line.recv()

    def __exit__(self, *error: object) -> None:
        self._line.send(False)
        self._process.join()

    def send(self, drive: Drive, first: int, requests: int) -> _Slice:
        """Send it *requests*."""
        before = self._used()
        rate = drive(self._port, first, requests)
        return _Slice(rate, (self._used() - before) / requests * 1e6)

    def _used(self) -> float:
        self._line.send(True)
        used: float = self._line.recv()
        return used


def _serve(serve: Serve, line: Connection) -> None:
    """Serve until told to stop; each message before that is answered with the CPU time so far."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with serve() as server:
        line.send(server.port)
        while line.recv():
            used = resource.getrusage(resource.RUSAGE_SELF)
            line.send(used.ru_utime + used.ru_stime)
