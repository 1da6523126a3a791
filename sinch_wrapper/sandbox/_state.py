"""A running sandbox: what its regions share, the regions, and the reset that replaces them all."""

import asyncio
import random
from collections.abc import Callable
from typing import TypeVar

from sinch_wrapper.sandbox._auth import Authority
from sinch_wrapper.sandbox._background import BackgroundTasks
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._documents import regions
from sinch_wrapper.sandbox._faults import FaultRules
from sinch_wrapper.sandbox._ids import Ulids
from sinch_wrapper.sandbox._ledger import Ledger
from sinch_wrapper.sandbox._limits import RequestLimiter
from sinch_wrapper.sandbox._region import RegionState
from sinch_wrapper.sandbox._sample import furnish
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._webhook_delivery import WebhookDelivery

T = TypeVar("T")


class SandboxState:
    """The clock, credentials, limits, faults and ledger, and the state of each region.

    Each source of chance has its own generator, so that one more fault rule does not change the
    identifiers of a seeded run. What an app owns is in the region of the app: in any other region
    it does not exist.
    """

    def __init__(self, settings: Settings) -> None:
        seed = settings.seed
        self.settings = settings
        self.clock = clock = Clock(settings.now, frozen=settings.frozen)
        self.tasks = BackgroundTasks()
        self.faults = FaultRules(settings.faults, random.Random(seed + 2))  # noqa: S311 (repeatable)
        self.authority = Authority(settings, clock, random.Random(seed + 3))  # noqa: S311 (repeatable)
        self.limiter = RequestLimiter(settings.request_rate, clock)
        self.ledger = Ledger(settings.ledger_limit)
        self.delivery = WebhookDelivery(settings, clock, self.tasks, self.faults, self.ledger)
        new_id = Ulids(clock, random.Random(seed))  # noqa: S311 (repeatable)
        shared = (settings, clock, self.tasks, new_id, self.ledger, self.delivery)
        self.regions = {name: RegionState(name, *shared) for name in regions()}

    def start(self) -> None:
        """Start the workers on the running event loop, and fill the region of the settings."""
        self.delivery.start()
        furnish(self.regions[self.settings.region])

    async def aclose(self) -> None:
        """End all work and close all connections."""
        await self.tasks.aclose()


class RunningSandbox:
    """A sandbox from its start to its end; its *state* is replaced by a new one on a reset."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = SandboxState(settings)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def region(self) -> RegionState:
        """The region of paths that name none."""
        return self.state.regions[self.state.settings.region]

    def start(self) -> None:
        """Start on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.state.start()

    async def reset(self, settings: Settings | None = None) -> None:
        """Forget everything and begin anew, with *settings* or those of the start."""
        old, self.state = self.state, SandboxState(settings or self.settings)
        self.state.start()
        await old.aclose()

    def reset_from_thread(self, settings: Settings | None = None) -> None:
        """Reset from another thread than the server's, and wait until it is done."""
        if self._loop is None:
            self.state = SandboxState(settings or self.settings)
        else:
            asyncio.run_coroutine_threadsafe(self.reset(settings), self._loop).result()

    def call_from_thread(self, action: Callable[[RegionState], T]) -> T:
        """Do *action* on the event loop of the server, from another thread; return its result."""
        if self._loop is None:
            message = "the sandbox is not running"
            raise RuntimeError(message)

        async def act() -> T:
            return action(self.region)

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    async def aclose(self) -> None:
        """End all work and close all connections."""
        self._loop = None
        await self.state.aclose()
