"""A worker process: it takes calls, leads jobs, and waits while the database is away."""

import asyncio
import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Final, TypeVar

from sinch_wrapper._backoff import backoff
from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._api import BulkClient, careful
from sinch_wrapper.cluster._database import ClusterDatabase
from sinch_wrapper.cluster._desk import Surroundings
from sinch_wrapper.cluster._leaders import Leaders
from sinch_wrapper.cluster._tickets import serve, ticket_office
from sinch_wrapper.cluster._worker import Pace, Worker
from sinch_wrapper.errors import BulkError, DatabaseAwayError

T = TypeVar("T")

_logger: Final = logging.getLogger("sinch_wrapper")
# Heartbeats in a lease, and seconds between two looks for jobs without a leader.
_BEATS: Final = 6
_LOOK: Final = 1.0
_TICK: Final = 0.2
_MINUTE: Final = 60.0
# How long results wait at the end for a database that is away, in seconds.
_PATIENCE: Final = 10.0
_UNTIL: Final = "; nothing leaves until it is back"
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0


def reached(open_: Callable[[], T], stop: threading.Event, say: Callable[[str], None]) -> T | None:
    """What *open_* returns, once the database is there; None when *stop* was set before.

    Raises: BulkError when it is there and cannot be used.
    """
    for misses in count():
        try:
            return open_()
        except DatabaseAwayError as error:
            if not misses:
                say(f"{error}{_UNTIL}")
            if stop.wait(backoff(misses, _FIRST_PAUSE, _LONGEST_PAUSE)):
                break
    return None


def _worker_of(
    client: BulkClient,
    database: ClusterDatabase,
    around: Surroundings,
    slots: int,
    pace: Pace | None,
) -> Worker:
    # A request that is repeated by the client may leave when nobody thinks so any more.
    once = client.with_options(retry=replace(client.retry, attempts=1))
    return Worker(
        once.batch,
        database.storage,
        around,
        job_of=database.marked_job,
        session=database.session,
        name=f"{platform.node()}:{os.getpid()}",
        slots=slots,
        pace=pace,
    )


class WorkerProcess:
    """Works in *database* for *client*, *slots* requests at a time, until *stop* is set.

    *say* gets a line for what happens. A worker that was not heard of for *lease* seconds is taken
    for dead by the others, whose lease must be the same.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        client: BulkClient,
        database: ClusterDatabase,
        *,
        slots: int,
        lease: float,
        stop: threading.Event,
        say: Callable[[str], None],
        pace: Pace | None = None,
    ) -> None:
        self._database = database
        self._slots = slots
        self._lease = lease
        self._stop = stop
        self._say = say
        sending, around = careful(client, "a Sinch"), database.around(lease)
        self._worker = _worker_of(sending, database, around, slots, pace)
        self._leaders = Leaders(sending, database, self._worker, around, say=say)
        self._is_away = False
        self._ended = threading.Event()

    def run(self) -> None:
        """Work until it is stopped; what is on its way settles then. Raises BulkError at first."""
        with suppress(DatabaseAwayError):
            self._worker.beat()
        many = counted(self._slots, "request")
        self._say(f"working in {self._database.name}, {many} at a time (Ctrl-C to stop)")
        threads = [
            threading.Thread(target=self._repeat, args=each, daemon=True)
            for each in (
                (self._worker.beat, self._lease / _BEATS, self._ended),
                (self._leaders.look, _LOOK, self._stop),
                (self._report, _MINUTE, self._stop),
            )
        ]
        for thread in threads:
            thread.start()
        try:
            asyncio.run(self._serve())
        finally:
            self._close(threads)

    def _repeat(self, work: Callable[[], None], every: float, until: threading.Event) -> None:
        while not until.wait(every):
            try:
                work()
            except BulkError as error:
                self._away(str(error))
            else:
                self._back()

    def _report(self) -> None:
        names = ", ".join(self._leaders.names)
        leads = f"; leads {names}" if names else ""
        running = counted(self._worker.running, "request")
        sent = counted(self._worker.sent, "request")
        self._say(f"{sent} sent so far, {running} on the way{leads}")

    def _away(self, line: str) -> None:
        if not self._is_away:
            self._is_away = True
            self._say(f"{line}{_UNTIL}")

    def _back(self) -> None:
        if self._is_away:
            self._is_away = False
            self._say("the database is back")

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._slots + 2, "sinch-worker"))
        # What procrastinate leaves behind when the database goes is known already.
        loop.set_exception_handler(lambda *_: None)
        misses = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                await self._office()
            except Exception as error:  # noqa: BLE001 (the database; whatever it is, it is tried again)
                _logger.debug("tickets: %s", type(error).__name__)
            misses = 0 if time.monotonic() - began > _LONGEST_PAUSE else misses + 1
            pause = backoff(misses, _FIRST_PAUSE, _LONGEST_PAUSE)
            await asyncio.to_thread(self._stop.wait, pause)

    async def _office(self) -> None:
        """Hand tickets on until it is stopped, or the database goes away."""
        office = ticket_office(self._database.address, self._worker.perform)
        async with office.open_async():
            serving = asyncio.create_task(serve(office, self._slots, self._lease))
            while not serving.done() and not self._stop.is_set():
                await asyncio.wait([serving], timeout=_TICK)
            self._worker_stops()
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving

    def _worker_stops(self) -> None:
        if self._stop.is_set():
            self._worker.stopping.set()
            # With the database away, results are not waited for without end.
            patience = threading.Timer(_PATIENCE, self._worker.over.set)
            patience.daemon = True
            patience.start()

    def _close(self, threads: list[threading.Thread]) -> None:
        self._stop.set()
        self._leaders.close()
        self._ended.set()
        for thread in threads:
            thread.join()
        with suppress(BulkError):
            self._worker.close()
        self._database.close()
        self._say(f"stopped; {counted(self._worker.sent, 'request')} sent")
