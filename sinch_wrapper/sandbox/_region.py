"""What the handlers of operations work on: the state of one region, and a checked call."""

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import TypeAlias

from sinch_wrapper.sandbox._background import BackgroundTasks
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._ids import Ulids
from sinch_wrapper.sandbox._json import Json, JsonValue, timestamp
from sinch_wrapper.sandbox._ledger import Ledger
from sinch_wrapper.sandbox._outbox import AppQueue
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._store import RegionStore
from sinch_wrapper.sandbox._webhook_delivery import CallbackEmitter, WebhookDelivery


@dataclass(slots=True, eq=False)
class RegionState:
    """The resources and the queues of the region *name*, beside what all regions share."""

    name: str
    settings: Settings
    clock: Clock
    tasks: BackgroundTasks
    new_id: Ulids
    ledger: Ledger
    delivery: InitVar[WebhookDelivery]
    store: RegionStore = field(init=False, default_factory=RegionStore)
    callbacks: CallbackEmitter = field(init=False)
    outbox: AppQueue = field(init=False)

    def __post_init__(self, delivery: WebhookDelivery) -> None:
        """Connect the queues of the region with its resources."""
        project_id = self.settings.project_id
        self.callbacks = CallbackEmitter(project_id, self.store, self.clock, delivery)
        self.outbox = AppQueue(self.settings, self.clock, self.tasks, self.store, self.callbacks)

    def now(self) -> str:
        """Return the time as RFC 3339."""
        return timestamp(self.clock())


@dataclass(frozen=True, slots=True)
class OperationCall:
    """A checked request: its path parameters, its query and its body."""

    path: Mapping[str, str]
    query: Json
    body: JsonValue


OperationHandler: TypeAlias = Callable[[RegionState, OperationCall], Json | list[Json]]
