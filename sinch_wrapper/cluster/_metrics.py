"""OpenTelemetry metrics of a cluster: gauges that are read from its database when asked for."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from sinch_wrapper.cluster._status import ClusterStatus
from sinch_wrapper.errors import BulkError

_logger: Final = logging.getLogger("sinch_wrapper")
# The gauges of one collection are read together, in seconds.
_FRESH: Final = 1.0


class ClusterGauges:
    """The gauges of what *read* returns."""

    def __init__(self, read: Callable[[], ClusterStatus], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._guard = threading.Lock()
        self._known: ClusterStatus | None = None
        self._due = -_FRESH

    def offer(self, meter: Meter) -> None:
        """Create the gauges."""
        for name, unit, words, values in (
            ("workers", "{worker}", "Workers, by whether they are heard of.", workers),
            ("recipients", "{recipient}", "Recipients, by job and state.", recipients),
            ("doubts", "{request}", "Requests whose outcome is unknown, by job.", doubts),
            ("queue", "{recipient}", "Recipients in the queue of an app, about.", queues),
            ("rate", "{request}/s", "The shared rate of a project, now.", rates),
        ):
            meter.create_observable_gauge(
                f"sinch.cluster.{name}", [self._observed(values)], unit, words
            )

    def _observed(
        self, values: Callable[[ClusterStatus], Iterator[Observation]]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observed(_options: CallbackOptions) -> Iterable[Observation]:
            found = self._status()
            return () if found is None else list(values(found))

        return observed

    def _status(self) -> ClusterStatus | None:
        with self._guard:
            if self._clock() < self._due:
                return self._known
            try:
                self._known = self._read()
            except BulkError as error:
                if self._known is not None:
                    _logger.warning("no metrics of the cluster: %s", error)
                self._known = None
            self._due = self._clock() + _FRESH
            return self._known


def workers(found: ClusterStatus) -> Iterator[Observation]:
    """How many workers live, are silent, and are dead."""
    lives = Counter(each.life for each in found.workers)
    for life in ("working", "silent", "dead"):
        yield Observation(lives[life], {"sinch.worker.life": life})


def recipients(found: ClusterStatus) -> Iterator[Observation]:
    """How many recipients of each job are in which state."""
    for job in found.jobs:
        for state in ("accepted", "rejected", "unknown", "sending", "planned"):
            yield Observation(getattr(job, state), {"sinch.job": job.name, "sinch.state": state})


def doubts(found: ClusterStatus) -> Iterator[Observation]:
    """How many requests of each job are in doubt."""
    for job in found.jobs:
        yield Observation(job.doubts, {"sinch.job": job.name})


def queues(found: ClusterStatus) -> Iterator[Observation]:
    """How full the queue of each app is."""
    for queue in found.queues:
        yield Observation(queue.recipients, {"sinch.app": queue.app})


def rates(found: ClusterStatus) -> Iterator[Observation]:
    """The rate of each project."""
    for rate in found.rates:
        yield Observation(rate.rate, {"sinch.project": rate.project})
