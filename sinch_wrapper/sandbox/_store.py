"""Everything the sandbox remembers of one region, in memory."""

import base64
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sinch_wrapper.sandbox._errors import Json, invalid, not_found, timestamp


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


BatchState = Literal["READY", "SCHEDULED", "PROCESSED", "CANCELLED"]

Value = TypeVar("Value")


@dataclass(slots=True)
class Kept:
    """A resource of one app, in the shape the API shows it."""

    app_id: str
    value: Json


@dataclass(slots=True)
class Batch:
    """A batch of messages: what was asked, for whom, and where it stands."""

    id: str
    request: Json
    status: BatchState
    send_after: float
    entries: list[Entry]

    def view(self, send_after: str) -> Json:
        """Return the status resource; the API calls the metadata `meta_data` there."""
        return {
            "batch_id": self.id,
            "meta_data": self.request.get("batch_metadata", {}),
            "status": self.status,
            "send_after": send_after,
        }

    def finish(self, status: BatchState) -> None:
        """Set the last status; the recipients are needed no longer."""
        self.status = status
        self.request = {**self.request, "recipient_and_params": []}
        self.entries = []


@dataclass(slots=True)
class Store:
    """The resources by kind and id, in the order of their creation."""

    apps: dict[str, Json] = field(default_factory=dict)
    contacts: dict[str, Json] = field(default_factory=dict)
    conversations: dict[str, Json] = field(default_factory=dict)
    webhooks: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, Kept] = field(default_factory=dict)
    events: dict[str, Kept] = field(default_factory=dict)
    templates: dict[str, Json] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    consents: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    audit: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    project_settings: Json | None = None
    # Without these two indexes a big batch of an app in CONVERSATION mode takes quadratic time.
    _holders: defaultdict[tuple[str, str], dict[str, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _pairs: defaultdict[tuple[str, str], dict[str, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def app(self, app_id: str) -> Json:
        """Return the app; raises Refusal 404."""
        return get(self.apps, app_id, "App")

    def opted_out(self, app_id: str, identity: str) -> bool:
        """Say whether *identity* refuses every message of the app; a leading + does not count."""
        listed = self.consents.get((app_id, "OPT_OUT_ALL"), {})
        return bool(listed) and (identity in listed or identity.removeprefix("+") in listed)

    def put_contact(self, contact: Json) -> None:
        """Keep *contact*, new or changed."""
        self.drop_contact(contact["id"], keep_place=True)
        self.contacts[contact["id"]] = contact
        for each in contact.get("channel_identities", []):
            self._holders[each["channel"], each["identity"]][contact["id"]] = None

    def drop_contact(self, contact_id: str, *, keep_place: bool = False) -> None:
        """Forget a contact, if there is one."""
        old = self.contacts.get(contact_id, {})
        for each in old.get("channel_identities", []):
            self._holders[each["channel"], each["identity"]].pop(contact_id, None)
        if old and not keep_place:
            del self.contacts[contact_id]

    def holders(self, channel: str, identity: str) -> list[Json]:
        """Return the contacts with *identity* on *channel*, the oldest first."""
        ids = self._holders.get((channel, identity), {})
        return [self.contacts[each] for each in sorted(ids)]

    def put_conversation(self, conversation: Json) -> None:
        """Keep *conversation*, new or changed."""
        self.conversations[conversation["id"]] = conversation
        pair = conversation["app_id"], conversation.get("contact_id", "")
        self._pairs[pair][conversation["id"]] = None

    def active_conversation(self, app_id: str, contact_id: str) -> Json | None:
        """Return the active conversation between an app and a contact."""
        for each in self._pairs.get((app_id, contact_id), {}):
            found = self.conversations.get(each, {})
            if found.get("contact_id") == contact_id and found.get("active"):
                return found
        return None


def get(kept: Mapping[str, Value], key: str, kind: str) -> Value:
    """Return the resource *key*; raises Refusal 404 naming its *kind*."""
    if key not in kept:
        raise not_found(kind)
    return kept[key]


Row = TypeVar("Row")

DEFAULT_PAGE = 10
_MAX_PAGE = 1000


def page(
    rows: Iterable[tuple[str, Row]],
    query: Json,
    *,
    newest_first: bool = False,
    at_most: int = _MAX_PAGE,
) -> tuple[list[Row], str]:
    """Return one page of *rows* by `page_size` and `page_token`, and the token of the next.

    The token holds the last key shown, so that changes between two pages shift nothing.
    Keys sort by creation. The token of the last page is empty. A larger size than *at_most*
    counts as that.

    Raises: Refusal 400 for a negative size or a token that is not ours.
    """
    size = query.get("page_size", 0)
    if size < 0:
        raise invalid("page_size", "Must not be negative.")
    size = min(size or DEFAULT_PAGE, at_most)
    after = _read_token(query.get("page_token", ""))
    ordered = sorted(rows, key=lambda row: row[0], reverse=newest_first)
    if after:
        ordered = [(key, v) for key, v in ordered if (key < after if newest_first else key > after)]
    shown = ordered[:size]
    token = _write_token(shown[-1][0]) if len(ordered) > size else ""
    return [value for _, value in shown], token


def next_page(token: str) -> Json:
    """Return the field that leads to the next page, nothing on the last one."""
    return {"next_page_token": token} if token else {}


def _write_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("page_token", "Not a token of this list.") from None
