"""One running sandbox: what its regions share, and the regions."""

import asyncio
import random

from sinch_wrapper.sandbox._auth import Authority, RequestMeter
from sinch_wrapper.sandbox._clock import Background, Clock, Ulids
from sinch_wrapper.sandbox._documents import regions
from sinch_wrapper.sandbox._faults import Faults
from sinch_wrapper.sandbox._region import World
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._store import Ledger
from sinch_wrapper.sandbox._webhook_delivery import Courier


class Hub:
    """The clock, credentials, limits, faults and ledger, and a world for each region.

    Each source of chance has a generator of its own, so that one more fault rule does not change
    the identifiers of a seeded run. What an app owns lives in the region of the app: asked for in
    another one, it is not there.
    """

    def __init__(self, settings: Settings) -> None:
        seed = settings.seed
        self.settings = settings
        self.clock = Clock(settings.now, frozen=settings.frozen)
        self.tasks = Background()
        self.new_id = Ulids(self.clock, random.Random(seed))  # noqa: S311 (repeatable)
        self.faults = Faults(settings.faults, random.Random(seed + 2))  # noqa: S311 (repeatable)
        self.authority = Authority(settings, self.clock, random.Random(seed + 3))  # noqa: S311 (repeatable)
        self.meter = RequestMeter(settings.request_rate, self.clock)
        self.ledger = Ledger(settings.ledger_limit)
        self.courier = Courier(settings, self.clock, self.tasks, self.faults, self.ledger)
        self.worlds = {name: World(self, name) for name in regions()}

    def start(self) -> None:
        """Start the workers on the running event loop, and fill the region of the settings."""
        from sinch_wrapper.sandbox._sample import furnish

        self.courier.start()
        furnish(self.worlds[self.settings.region])

    async def aclose(self) -> None:
        """End all work and close all connections."""
        await self.tasks.aclose()


class Holder:
    """Holds the hub that serves, and puts a new one in its place on a reset."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hub = Hub(settings)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the hub on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.hub.start()

    async def reset(self, settings: Settings | None = None) -> None:
        """Forget everything and begin anew, with other *settings* or those of the start."""
        old, self.hub = self.hub, Hub(settings or self.settings)
        self.hub.start()
        await old.aclose()

    def reset_from_outside(self, settings: Settings | None = None) -> None:
        """Reset from another thread than that of the server, and wait until it is done."""
        if self._loop is None:
            self.hub = Hub(settings or self.settings)
        else:
            asyncio.run_coroutine_threadsafe(self.reset(settings), self._loop).result()

    async def aclose(self) -> None:
        """End all work and close all connections."""
        self._loop = None
        await self.hub.aclose()
