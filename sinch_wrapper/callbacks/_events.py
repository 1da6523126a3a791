"""Events: the content of a callback, whatever its kind."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from sinch_conversation_api.callbacks import MODELS, TRIGGERS

from sinch_wrapper.callbacks._signature import (
    TOLERANCE,
    Headers,
    NonceStore,
    Secrets,
    UnixClock,
    Window,
    accept,
    check_options,
    proof_of,
)
from sinch_wrapper.callbacks._strict_json import object_in, read_text
from sinch_wrapper.errors import CallbackParseError

if TYPE_CHECKING:
    from sinch_conversation_api.types import Model

T = TypeVar("T")

# Objects on the envelope that are not a payload. The document gives neither this form: it has
# message_metadata as a string and no channel_metadata; the pages on metadata show both.
ENVELOPE: Final = frozenset({"channel_metadata", "message_metadata"})
# The document requires the first spelling and declares the second; a server may send either.
_RECORD_NAMES: Final = {
    "entityId": "entity_id",
    "recordStatus": "record_status",
    "channelIdentity": "channel_identity",
    "contactId": "contact_id",
    "conversationId": "conversation_id",
    "processingMode": "processing_mode",
}


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One callback: *body* as received, *raw* the object in it, *kind* the key of its payload.

    A kind that this library does not know passes through with *trigger* None; *kind* is empty
    when there is no payload. Strings are empty and times None when absent or unreadable. Only
    *body*, *raw* and *kind* are read at once, the rest on first use. Two events are equal when
    their bodies are.
    """

    body: bytes
    raw: Mapping[str, object] = field(compare=False)
    kind: str = field(compare=False)
    _known: dict[str, object] = field(default_factory=dict, init=False, compare=False)

    def __repr__(self) -> str:
        # The rest is personal data.
        return f"Event(kind={self.kind!r}, trigger={self.trigger!r})"

    @property
    def trigger(self) -> str | None:
        """The trigger to which the webhook is subscribed, such as `MESSAGE_DELIVERY`."""
        return TRIGGERS.get(self.kind)

    @property
    def payload(self) -> Mapping[str, object]:
        """The object under *kind*; empty when there is no payload."""
        found = self.raw.get(self.kind)
        return found if isinstance(found, dict) else {}

    @property
    def app_id(self) -> str:
        """Id of the app; Sinch leaves it empty for contacts, which belong to no app."""
        return self._text("app_id")

    @property
    def project_id(self) -> str:
        """Id of the project; may be empty as well."""
        return self._text("project_id")

    @property
    def correlation_id(self) -> str:
        """The `correlation_id` of the request that sent the message."""
        return self._text("correlation_id")

    @property
    def accepted_time(self) -> datetime | None:
        """When the API received the event; with a time zone, cut to microseconds."""
        return self._once("accepted_time", lambda: _time(self._text("accepted_time")))

    @property
    def event_time(self) -> datetime | None:
        """When the event happened, by the channel; with a time zone, cut to microseconds."""
        return self._once("event_time", lambda: _time(self._text("event_time")))

    @property
    def message_metadata(self) -> str:
        """The string of that name beside the payload: often JSON, often empty."""
        return self._text("message_metadata")

    @property
    def envelope_metadata(self) -> Mapping[str, object]:
        """The JSON object in *message_metadata*; empty when there is none."""
        return self._once("envelope_metadata", lambda: read_text(self.raw.get("message_metadata")))

    @property
    def metadata(self) -> Mapping[str, object]:
        """The JSON object in the metadata of the message or event; empty when there is none.

        In receipts it holds the `message_metadata` of the request and that of the recipient.
        """
        return self._once("metadata", lambda: read_text(self.payload.get("metadata")))

    @property
    def model(self) -> "Model | None":
        """The event as an instance of its class in `sinch_conversation_api.models`.

        None for a kind that the document does not have, or an event that does not fit its class.
        """
        return self._once("model", lambda: _model(self.kind, self.raw))

    def _text(self, name: str) -> str:
        value = self.raw.get(name)
        return value if isinstance(value, str) else ""

    def _once(self, name: str, load: Callable[[], T]) -> T:
        if name not in self._known:
            self._known[name] = load()
        return self._known[name]  # type: ignore[return-value]  # put there by the line above


def parse(  # noqa: PLR0913 (those of verify)
    raw: bytes,
    headers: Headers,
    secrets: Secrets,
    *,
    tolerance: float = TOLERANCE,
    now: UnixClock = time.time,
    nonces: NonceStore | None = None,
) -> Event:
    """Verify a callback, then read it.

    *raw*, *headers*, *secrets*, *tolerance* and *now* (seconds) and *nonces* are those of verify().

    Raises: SignatureError, before anything is read; CallbackParseError; TypeError or ValueError
        for an option that is not what it must be.
    """
    proof = proof_of(raw, headers, secrets)
    found = read_quietly(raw) if not proof.fault else ""
    # From here on something may be raised, and tools show the variables of a function that fails.
    del raw, headers, secrets
    check_options(tolerance, now, nonces)
    accept(proof, Window(tolerance, tolerance), now, nonces)
    return event_or_error(found)


def read_event(raw: bytes) -> Event:
    """Read a callback without verifying it.

    Raises: CallbackParseError, and nothing else, when *raw* is not a JSON object.
    """
    found = read_quietly(raw)
    del raw
    return event_or_error(found)


def read_quietly(raw: object) -> Event | str:
    """The event in a body, or what is wrong with the body."""
    found = object_in(raw)
    return found if isinstance(found, str) else Event(*found, _kind_of(found[1]))


def event_or_error(found: Event | str) -> Event:
    """What `read_quietly` found; raises CallbackParseError."""
    if isinstance(found, str):
        raise CallbackParseError(f"callback unreadable: the body {found}")
    return found


def _kind_of(raw: Mapping[str, object]) -> str:
    """The payload key of a callback, even one that this library does not know; empty if none."""
    known = [key for key in raw if key in TRIGGERS and isinstance(raw[key], dict)]
    if known:
        # The longer key is the better clue when several are present.
        return known[0] if len(known) == 1 else max(known, key=lambda key: (len(key), key))
    for key, value in raw.items():
        if isinstance(value, dict) and key not in ENVELOPE:
            return key
    return ""


def _time(text: str) -> datetime | None:
    try:
        # RFC 3339 allows "t" and "z" in lower case.
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _model(kind: str, raw: Mapping[str, object]) -> "Model | None":
    """The model of a callback; None when there is no class for it, or it does not fit."""
    name = MODELS.get(kind)
    if name is None:
        return None
    # Verifying and reading need no model, and the classes take long to import.
    import sinch_conversation_api.models

    if kind == "record_notification":
        raw = {**raw, kind: _declared(raw[kind])}
    model: type[Model] = getattr(sinch_conversation_api.models, name)
    try:
        return model.from_dict(raw)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _declared(payload: object) -> object:
    if not isinstance(payload, dict):
        return payload
    return {
        _RECORD_NAMES.get(name, name): value
        for name, value in payload.items()
        if _RECORD_NAMES.get(name) not in payload
    }
