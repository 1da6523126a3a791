"""Everything the sandbox remembers, in memory."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sinch_wrapper.sandbox.errors import invalid, not_found
from sinch_wrapper.sandbox.shapes import Json

BatchState = Literal["READY", "SCHEDULED", "PROCESSED", "CANCELLED"]

Value = TypeVar("Value")

DEFAULT_PAGE = 10
_MAX_PAGE = 1000


@dataclass(slots=True)
class Kept:
    """A resource of one app, in the shape the API shows it."""

    app_id: str
    value: Json


@dataclass(slots=True)
class Batch:
    """A batch of messages: what was asked, and where it stands."""

    id: str
    request: Json
    status: BatchState
    send_after: float

    def view(self, send_after: str) -> Json:
        """Return the status resource; the API calls the metadata `meta_data` there."""
        return {
            "batch_id": self.id,
            "meta_data": self.request.get("batch_metadata", {}),
            "status": self.status,
            "send_after": send_after,
        }


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

    def app(self, app_id: str) -> Json:
        """Return the app; raises Refusal 404."""
        return get(self.apps, app_id, "App")

    def opted_out(self, app_id: str, identity: str) -> bool:
        """Say whether *identity* refuses every message of the app."""
        return identity in self.consents.get((app_id, "OPT_OUT_ALL"), {})


def get(kept: Mapping[str, Value], key: str, kind: str) -> Value:
    """Return the resource *key*; raises Refusal 404 naming its *kind*."""
    if key not in kept:
        raise not_found(kind)
    return kept[key]


def page(
    rows: Iterable[tuple[str, Value]], query: Json, *, newest_first: bool = False
) -> tuple[list[Value], str]:
    """
    Return one page of *rows* by `page_size` and `page_token`, and the token of the next.

    The token holds the last key shown, so that changes between two pages shift nothing.
    Keys sort by creation. The token of the last page is empty.
    """
    size = query.get("page_size", 0)
    if size < 0:
        raise invalid("page_size", "Must not be negative.")
    size = min(size or DEFAULT_PAGE, _MAX_PAGE)
    after = _read_token(query.get("page_token", ""))
    ordered = sorted(rows, key=lambda row: row[0], reverse=newest_first)
    if after:
        ordered = [(key, v) for key, v in ordered if (key < after if newest_first else key > after)]
    shown = ordered[:size]
    token = _write_token(shown[-1][0]) if len(ordered) > size else ""
    return [value for _, value in shown], token


def _write_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("page_token", "Not a token of this list.") from None
