"""Everything the sandbox remembers of one region, in memory."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sinch_wrapper.sandbox.errors import not_found
from sinch_wrapper.sandbox.ledger import Entry
from sinch_wrapper.sandbox.shapes import Json

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
