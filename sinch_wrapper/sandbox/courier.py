"""The delivery of callbacks: paced per app, late, doubled or out of order as told, repeated."""

import asyncio
import heapq
import random
from dataclasses import dataclass, field, replace
from itertools import count

from sinch_wrapper.sandbox.background import Background
from sinch_wrapper.sandbox.clock import Clock
from sinch_wrapper.sandbox.fault_rules import Faults
from sinch_wrapper.sandbox.faults import CALLBACK_OPERATION
from sinch_wrapper.sandbox.ids import Ulids
from sinch_wrapper.sandbox.ledger import Ledger
from sinch_wrapper.sandbox.limits import Slots
from sinch_wrapper.sandbox.posting import Poster, Target, is_local
from sinch_wrapper.sandbox.settings import Settings
from sinch_wrapper.sandbox.signing import signature_headers

_MAX_BACKOFF = 60.0
_LONGEST_HOLD = 0.2


@dataclass(frozen=True, slots=True)
class _Post:
    target: Target
    body: bytes = field(repr=False)
    attempt: int = 1


class Courier:
    """Posts callbacks, a few at a time.

    A callback that is not answered with a 2xx is repeated with exponential back-off, a bounded
    number of times; each attempt is signed anew. One that waits holds up no other. With several
    workers callbacks may overtake one another, as Sinch promises no order either. Targets beyond
    this machine get nothing unless the settings allow it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tasks: Background,
        faults: Faults,
        ledger: Ledger,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tasks = tasks
        self._faults = faults
        self._counts = ledger.callbacks
        self._nonces = Ulids(clock, random.Random(settings.seed + 1))  # noqa: S311 (repeatable)
        self._rng = random.Random(settings.seed + 4)  # noqa: S311 (repeatable)
        self._slots: dict[str, Slots] = {}
        self._ready: asyncio.Queue[_Post] = asyncio.Queue()
        self._later: list[tuple[float, int, _Post]] = []
        self._order = count()
        self._alarm: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self._tasks.spawn(self._work())

    def send(self, app_id: str, target: Target, body: bytes) -> None:
        """Post *body* to *target* when it is its turn."""
        if not (self._settings.remote_callbacks or is_local(target.url)):
            self._counts["withheld"] += 1
            return
        copies = 2 if self._rng.random() < self._settings.callback_duplicates else 1
        for _ in range(copies):
            self._schedule(self._slot(app_id) + self._detour(), _Post(target, body))

    def _slot(self, app_id: str) -> float:
        slots = self._slots.setdefault(app_id, Slots(self._settings.callback_rate))
        return slots.book(self._clock())

    def _detour(self) -> float:
        held = self._rng.random() < self._settings.callback_disorder
        hold = self._rng.uniform(_LONGEST_HOLD / 4, _LONGEST_HOLD) if held else 0.0
        return self._settings.callback_delay + hold

    def _schedule(self, due: float, post: _Post) -> None:
        if due <= self._clock():
            self._ready.put_nowait(post)
            return
        heapq.heappush(self._later, (due, next(self._order), post))
        if self._later[0][0] == due:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._tasks.spawn(self._ring())

    async def _ring(self) -> None:
        while self._later:
            await self._clock.sleep_until(self._later[0][0])
            now = self._clock()
            while self._later and self._later[0][0] <= now:
                self._ready.put_nowait(heapq.heappop(self._later)[2])
        self._alarm = None

    async def _work(self) -> None:
        workers = self._settings.callback_workers
        poster = Poster(workers, self._settings.callback_timeout)
        try:
            await asyncio.gather(*(self._deliver_all(poster) for _ in range(workers)))
        finally:
            await poster.aclose()

    async def _deliver_all(self, poster: Poster) -> None:
        while True:
            await self._deliver(poster, await self._ready.get())

    async def _deliver(self, poster: Poster, post: _Post) -> None:
        self._counts["posted"] += 1
        now = self._clock()
        if await poster.post(post.target, post.body, await self._headers(post), now):
            self._counts["accepted"] += 1
        elif post.attempt < self._settings.callback_attempts:
            wait = self._settings.callback_backoff * 2.0 ** (post.attempt - 1)
            due = self._clock() + min(wait, _MAX_BACKOFF)
            self._schedule(due, replace(post, attempt=post.attempt + 1))
        else:
            self._counts["given_up"] += 1

    async def _headers(self, post: _Post) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        rule = self._faults.strike(CALLBACK_OPERATION)
        if rule is not None and rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        skew = rule.seconds if rule is not None and rule.kind == "skew" else 0
        if post.target.secret:
            now = int(self._clock() + skew)
            headers |= signature_headers(post.body, post.target.secret, self._nonces(), now)
        return headers
