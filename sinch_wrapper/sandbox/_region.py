"""What the handlers of operations work on: one region of a sandbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sinch_wrapper.sandbox._errors import Json, timestamp
from sinch_wrapper.sandbox._outbox import Outbox
from sinch_wrapper.sandbox._store import Store
from sinch_wrapper.sandbox._webhook_delivery import Notifier

if TYPE_CHECKING:
    from sinch_wrapper.sandbox._state import Hub


class World:
    """The memory and the queues of one region, with what all regions share."""

    def __init__(self, hub: "Hub", region: str) -> None:
        self.region = region
        self.settings = hub.settings
        self.clock = hub.clock
        self.tasks = hub.tasks
        self.new_id = hub.new_id
        self.ledger = hub.ledger
        self.store = Store()
        self.notifier = Notifier(hub.settings.project_id, self.store, hub.clock, hub.courier)
        self.outbox = Outbox(self)

    def now(self) -> str:
        """Return the time as RFC 3339."""
        return timestamp(self.clock())


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: its path parameters, its query and its body."""

    path: Mapping[str, str]
    query: Json
    body: Any


Handler: TypeAlias = Callable[[World, Call], Json | list[Json]]
