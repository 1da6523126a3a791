"""One running sandbox: what its regions share, and the regions."""

import random

from sinch_wrapper.sandbox.addresses import regions
from sinch_wrapper.sandbox.auth import Authority
from sinch_wrapper.sandbox.background import Background
from sinch_wrapper.sandbox.clock import Clock
from sinch_wrapper.sandbox.courier import Courier
from sinch_wrapper.sandbox.fault_rules import Faults
from sinch_wrapper.sandbox.ids import Ulids
from sinch_wrapper.sandbox.ledger import Ledger
from sinch_wrapper.sandbox.limits import RequestMeter
from sinch_wrapper.sandbox.settings import Settings
from sinch_wrapper.sandbox.world import World


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
        from sinch_wrapper.sandbox.sample import furnish

        self.courier.start()
        furnish(self.worlds[self.settings.region])

    async def aclose(self) -> None:
        """End all work and close all connections."""
        await self.tasks.aclose()
