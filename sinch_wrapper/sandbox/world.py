"""One running sandbox: its settings, its memory and its moving parts."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sinch_wrapper.sandbox.auth import Authority
from sinch_wrapper.sandbox.background import Background
from sinch_wrapper.sandbox.delivery import Outbox
from sinch_wrapper.sandbox.ids import Ulids
from sinch_wrapper.sandbox.limits import RequestMeter
from sinch_wrapper.sandbox.notify import Notifier
from sinch_wrapper.sandbox.settings import Settings
from sinch_wrapper.sandbox.shapes import Json, timestamp
from sinch_wrapper.sandbox.store import Store


class World:
    """
    What the handlers of operations work on.

    Each source of chance has a generator of its own, so that one more fault rule does not change
    the identifiers of a seeded run.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store()
        self.tasks = Background()
        self.new_id = Ulids(settings.clock, random.Random(settings.seed))  # noqa: S311 (repeatable)
        self.chance = random.Random(settings.seed + 2)  # noqa: S311 (repeatable)
        self.struck: Counter[str] = Counter()
        self.authority = Authority(settings, settings.clock, random.Random(settings.seed + 3))  # noqa: S311 (repeatable)
        self.meter = RequestMeter(settings.request_rate, settings.clock)
        self.notifier = Notifier(settings, self.store, self.tasks)
        self.outbox = Outbox(settings, self.store, self.tasks, self.notifier)
        self.store.apps[settings.app_id] = _first_app(settings.app_id)

    def now(self) -> str:
        """Return the time as RFC 3339."""
        return timestamp(self.settings.clock())

    def start(self) -> None:
        """Start the workers on the running event loop."""
        self.notifier.start()

    async def aclose(self) -> None:
        """End all work and close all connections."""
        await self.tasks.aclose()


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: its path parameters, its query and its body."""

    path: Mapping[str, str]
    query: Json
    body: Any


Handler: TypeAlias = Callable[[World, Call], Json | list[Json]]


def _first_app(app_id: str) -> Json:
    return {
        "id": app_id,
        "display_name": "Sandbox app",
        "channel_credentials": [],
        "processing_mode": "DISPATCH",
    }
