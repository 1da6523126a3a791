"""The ledger: which recipients were truly accepted, and how far their messages came."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sinch_wrapper.sandbox._json import Json, timestamp
from sinch_wrapper.sandbox._numbers import digits_of, is_phone_channel


@dataclass(frozen=True, slots=True)
class LedgerRequest:
    """What the recipients of one accepted request have in common."""

    operation: str
    region: str
    app_id: str
    accepted: float
    batch_id: str = ""
    metadata: Json = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class LedgerEntry:
    """One accepted recipient, and how far their message came."""

    request: LedgerRequest
    index: int
    channel: str = ""
    identity: str = field(default="", repr=False)
    contact_id: str = ""
    message_id: str = ""
    outcome: str = "ACCEPTED"
    reason: str = ""
    message: Json = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    metadata: str = field(default="", repr=False)
    tried: Json = field(default_factory=dict, repr=False)

    def forget(self) -> None:
        """Drop the content of the message, of which there may be no more room."""
        self.carries({}, "", "")

    def goes_to(self, identity: Json, contact_id: str | None = None) -> None:
        """Note the identity that is tried; a phone number with its plus, as E.164 has it."""
        self.contact_id = self.contact_id if contact_id is None else contact_id
        self.tried = identity
        channel, address = identity["channel"], identity["identity"]
        digits = digits_of(address) if is_phone_channel(channel) else ""
        self.channel, self.identity = channel, f"+{digits}" if digits else address

    def reached(self, identity: Json, outcome: str, reason: str) -> None:
        """Note what a receipt says of the identity that is tried."""
        if identity is not self.tried:
            self.goes_to(identity)
        self.outcome, self.reason = outcome, reason

    def carries(self, message: Json, text: str, metadata: str) -> None:
        """Note what is sent."""
        self.message, self.text, self.metadata = message, text, metadata

    def view(self) -> Json:
        """Return the entry as JSON."""
        request = self.request
        return {
            "operation": request.operation,
            "region": request.region,
            "app_id": request.app_id,
            "accepted_time": timestamp(request.accepted),
            "batch_id": request.batch_id,
            "batch_metadata": request.metadata,
            "index": self.index,
            "channel": self.channel,
            "identity": self.identity,
            "contact_id": self.contact_id,
            "message_id": self.message_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "message": self.message,
            "text": self.text,
            "metadata": self.metadata,
        }


class Ledger:
    """The accepted recipients, oldest first, and counts of all responses and callbacks."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._requests: deque[list[LedgerEntry]] = deque()
        self._kept = 0
        self.accepted = 0
        self.responses: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.callbacks: Counter[str] = Counter()

    def accept(self, request: LedgerRequest, recipients: Iterable[Json]) -> list[LedgerEntry]:
        """Enter the recipients of an accepted request; the oldest requests may be forgotten."""
        entries = [_entry_of(request, index, each) for index, each in enumerate(recipients)]
        self._requests.append(entries)
        self._kept += len(entries)
        self.accepted += len(entries)
        while self._kept > self._limit and len(self._requests) > 1:
            self._kept -= len(self._requests.popleft())
        return entries

    def entries(self, wanted: Mapping[str, str] | None = None) -> Iterator[Json]:
        """Yield the entries whose fields have the values of *wanted*."""
        for entries in list(self._requests):
            for view in (entry.view() for entry in entries):
                if all(str(view.get(name)) == value for name, value in (wanted or {}).items()):
                    yield view

    def summary(self) -> Json:
        """Return the counts: recipients, responses by operation and status, callbacks."""
        return {
            "accepted": self.accepted,
            "forgotten": self.accepted - self._kept,
            "responses": {
                operation: {str(code): count for code, count in counts.items()}
                for operation, counts in list(self.responses.items())
            },
            "callbacks": dict(self.callbacks),
        }


def _entry_of(request: LedgerRequest, index: int, recipient: Json) -> LedgerEntry:
    """Return the entry of *recipient* as the request names it."""
    if "contact_id" in recipient:
        return LedgerEntry(request, index, contact_id=recipient["contact_id"])
    entry = LedgerEntry(request, index)
    # The request was checked: there is at least one.
    entry.goes_to(recipient["identified_by"]["channel_identities"][0])
    return entry
