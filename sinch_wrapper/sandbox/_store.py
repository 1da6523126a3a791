"""The resources of one region, in memory, and how they are listed page by page."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sinch_wrapper.sandbox._errors import invalid, not_found
from sinch_wrapper.sandbox._json import Json, timestamp
from sinch_wrapper.sandbox._ledger import LedgerEntry
from sinch_wrapper.sandbox._numbers import plain_identity, same_address

BatchState = Literal["READY", "SCHEDULED", "PROCESSED", "CANCELLED"]
Value = TypeVar("Value")
Row = TypeVar("Row")

_DEFAULT_PAGE = 10
_MAX_PAGE = 1000


@dataclass(slots=True)
class AppResource:
    """A resource of one app, in the shape the API shows it; of a message sent, its entry."""

    app_id: str
    value: Json
    entry: LedgerEntry | None = None


@dataclass(slots=True)
class StoredBatch:
    """A batch of messages: the request, its recipients, and its status."""

    id: str
    request: Json
    status: BatchState
    send_after: float
    entries: list[LedgerEntry]

    def view(self) -> Json:
        """Return the status resource; the API calls the metadata `meta_data` there."""
        return {
            "batch_id": self.id,
            "meta_data": self.request.get("batch_metadata", {}),
            "status": self.status,
            "send_after": timestamp(self.send_after),
        }

    def finish(self, status: BatchState) -> None:
        """Set the last status; the recipients are no longer needed."""
        self.status = status
        self.request = {**self.request, "recipient_and_params": []}
        self.entries = []


@dataclass(slots=True)
class RegionStore:
    """The resources by kind and id, in the order of their creation."""

    apps: dict[str, Json] = field(default_factory=dict)
    credentials_ready: dict[str, float] = field(default_factory=dict)
    contacts: dict[str, Json] = field(default_factory=dict)
    conversations: dict[str, Json] = field(default_factory=dict)
    webhooks: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, AppResource] = field(default_factory=dict)
    events: dict[str, AppResource] = field(default_factory=dict)
    templates: dict[str, Json] = field(default_factory=dict)
    batches: dict[str, StoredBatch] = field(default_factory=dict)
    consents: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    audit: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    project_settings: Json | None = None
    # Without these two indexes a large batch of an app in CONVERSATION mode takes quadratic time.
    _contacts_by_identity: defaultdict[tuple[str, str], dict[str, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _conversations_by_pair: defaultdict[tuple[str, str], dict[str, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def app(self, app_id: str) -> Json:
        """Return the app; raises Refusal 404."""
        return get(self.apps, app_id, "App")

    def opted_out(self, app_id: str, identity: str) -> bool:
        """Say whether *identity* opted out of all messages of the app, in any notation."""
        listed = self.consents.get((app_id, "OPT_OUT_ALL"), {})
        return bool(listed) and plain_identity(identity) in listed

    def put_contact(self, contact: Json) -> None:
        """Keep *contact*, new or changed."""
        self._forget_identities(contact["id"])
        self.contacts[contact["id"]] = contact
        for each in contact.get("channel_identities", []):
            self._contacts_by_identity[_place_of(each)][contact["id"]] = None

    def drop_contact(self, contact_id: str) -> None:
        """Delete a contact, if it exists."""
        self._forget_identities(contact_id)
        self.contacts.pop(contact_id, None)

    def contacts_with(self, channel: str, identity: str) -> list[Json]:
        """Return the contacts that have *identity* on *channel*, oldest first."""
        place = channel, same_address(channel, identity)
        ids = self._contacts_by_identity.get(place, {})
        return [self.contacts[each] for each in sorted(ids)]

    def put_conversation(self, conversation: Json) -> None:
        """Keep *conversation*, new or changed."""
        self.conversations[conversation["id"]] = conversation
        pair = conversation["app_id"], conversation.get("contact_id", "")
        self._conversations_by_pair[pair][conversation["id"]] = None

    def active_conversation(self, app_id: str, contact_id: str) -> Json | None:
        """Return the active conversation between an app and a contact."""
        for each in self._conversations_by_pair.get((app_id, contact_id), {}):
            found = self.conversations.get(each, {})
            if (found.get("app_id"), found.get("contact_id")) == (app_id, contact_id) and (
                found.get("active")
            ):
                return found
        return None

    def move_conversations(self, source: str, destination: str) -> None:
        """Give the conversations of the contact *source* to the contact *destination*.

        Where both have one in the same app, the messages go into the active one of the latter.
        """
        moved: dict[str, str] = {}
        active = {
            each["app_id"]: each
            for each in self.conversations.values()
            if each.get("contact_id") == destination and each["active"]
        }
        for each in list(self.conversations.values()):
            if each.get("contact_id") != source:
                continue
            if target := active.get(each["app_id"]):
                moved[each["id"]] = target["id"]
                target["last_received"] = max(target["last_received"], each["last_received"])
                del self.conversations[each["id"]]
            else:
                self.put_conversation(each | {"contact_id": destination})
        for kept in (*self.messages.values(), *self.events.values()):
            value = kept.value
            if value.get("contact_id") == source:
                value["contact_id"] = destination
            if value.get("conversation_id") in moved:
                value["conversation_id"] = moved[value["conversation_id"]]

    def _forget_identities(self, contact_id: str) -> None:
        for each in self.contacts.get(contact_id, {}).get("channel_identities", []):
            self._contacts_by_identity[_place_of(each)].pop(contact_id, None)


def _place_of(identity: Json) -> tuple[str, str]:
    return identity["channel"], same_address(identity["channel"], identity["identity"])


def serves(app: Json, channel: str) -> bool:
    """Say whether *app* has *channel*; one without credentials, as tests create it, has all."""
    credentials = app.get("channel_credentials", [])
    return not credentials or any(each.get("channel") == channel for each in credentials)


def get(kept: Mapping[str, Value], key: str, kind: str) -> Value:
    """Return the resource *key*; raises Refusal 404 naming its *kind*."""
    if key not in kept:
        raise not_found(kind)
    return kept[key]


def page(
    rows: Iterable[tuple[str, Row]],
    query: Json,
    *,
    newest_first: bool = False,
    at_most: int = _MAX_PAGE,
) -> tuple[list[Row], str]:
    """Return one page of *rows* by `page_size` and `page_token`, and the token of the next.

    The token holds the last key shown, so that changes between two pages shift nothing.
    Keys sort by creation. The token of the last page is empty. A size above *at_most* counts as
    *at_most*.

    Raises: Refusal 400 for a negative size, or a token that no list of the sandbox gave.
    """
    size = query.get("page_size", 0)
    if size < 0:
        raise invalid("page_size", "Must not be negative.")
    size = min(size or _DEFAULT_PAGE, at_most)
    after = _read_token(query.get("page_token", ""))
    ordered = sorted(rows, key=lambda row: row[0], reverse=newest_first)
    if after:
        ordered = [(key, v) for key, v in ordered if (key < after if newest_first else key > after)]
    shown = ordered[:size]
    token = _write_token(shown[-1][0]) if len(ordered) > size else ""
    return [value for _, value in shown], token


def next_page(token: str) -> Json:
    """Return the field with the token of the next page; it is empty on the last one.

    Source: the Python SDK 1.1.4, which reads it without asking.
    """
    return {"next_page_token": token}


def _write_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("page_token", "Not a token of this list.") from None
