"""What was truly accepted, whatever the caller was told, for tests to check against."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sinch_wrapper.sandbox.shapes import Json, timestamp


@dataclass(frozen=True, slots=True)
class Order:
    """What the recipients of one accepted request have in common."""

    operation: str
    region: str
    app_id: str
    accepted: float
    batch_id: str = ""
    metadata: Json = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Entry:
    """One accepted recipient, and how far its message came."""

    order: Order
    index: int
    channel: str = ""
    identity: str = field(default="", repr=False)
    contact_id: str = ""
    message_id: str = ""
    outcome: str = "ACCEPTED"
    reason: str = ""

    def view(self) -> Json:
        """Return the entry as JSON."""
        order = self.order
        return {
            "operation": order.operation,
            "region": order.region,
            "app_id": order.app_id,
            "accepted_time": timestamp(order.accepted),
            "batch_id": order.batch_id,
            "batch_metadata": order.metadata,
            "index": self.index,
            "channel": self.channel,
            "identity": self.identity,
            "contact_id": self.contact_id,
            "message_id": self.message_id,
            "outcome": self.outcome,
            "reason": self.reason,
        }


def entry_of(order: Order, index: int, recipient: Json) -> Entry:
    """Return the entry of *recipient* as the request names it."""
    if "contact_id" in recipient:
        return Entry(order, index, contact_id=recipient["contact_id"])
    # The checks have seen that there is at least one.
    first = recipient["identified_by"]["channel_identities"][0]
    return Entry(order, index, first["channel"], first["identity"])


class Ledger:
    """The accepted recipients, oldest first, and the counts of all answers."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._orders: deque[list[Entry]] = deque()
        self._kept = 0
        self.accepted = 0
        self.answers: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.callbacks: Counter[str] = Counter()

    def accept(self, order: Order, recipients: Iterable[Json]) -> list[Entry]:
        """Enter the recipients of an accepted request; the oldest requests may be forgotten."""
        entries = [entry_of(order, index, each) for index, each in enumerate(recipients)]
        self._orders.append(entries)
        self._kept += len(entries)
        self.accepted += len(entries)
        while self._kept > self._limit and len(self._orders) > 1:
            self._kept -= len(self._orders.popleft())
        return entries

    def entries(self, wanted: Mapping[str, str] | None = None) -> Iterator[Json]:
        """Yield the entries whose fields have the values of *wanted*."""
        for entries in list(self._orders):
            for view in (entry.view() for entry in entries):
                if all(str(view.get(name)) == value for name, value in (wanted or {}).items()):
                    yield view

    def summary(self) -> Json:
        """Return the counts: recipients, answers by operation and status, callbacks."""
        return {
            "accepted": self.accepted,
            "forgotten": self.accepted - self._kept,
            "answers": {
                operation: {str(code): count for code, count in counts.items()}
                for operation, counts in list(self.answers.items())
            },
            "callbacks": dict(self.callbacks),
        }
