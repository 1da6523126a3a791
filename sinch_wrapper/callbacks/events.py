"""Events: what a callback says, whatever its kind."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sinch_wrapper._json import decode
from sinch_wrapper.callbacks.signature import DEFAULT_MAX_AGE, HeaderValue, verify
from sinch_wrapper.errors import CallbackParseError

__all__ = ["TRIGGERS", "Event", "parse", "read_event"]

# The payload key of each trigger. No field on the wire names the trigger: the key decides.
# The short keys come last, for a long one is the better clue when several are present.
TRIGGERS: Final[Mapping[str, str]] = {
    "batch_status_update_notification": "BATCH_STATUS_UPDATE",
    "capability_notification": "CAPABILITY",
    "channel_event_notification": "CHANNEL_EVENT",
    "contact_create_notification": "CONTACT_CREATE",
    "contact_delete_notification": "CONTACT_DELETE",
    "contact_merge_notification": "CONTACT_MERGE",
    "contact_update_notification": "CONTACT_UPDATE",
    "conversation_delete_notification": "CONVERSATION_DELETE",
    "conversation_start_notification": "CONVERSATION_START",
    "conversation_stop_notification": "CONVERSATION_STOP",
    "duplicated_contact_identities_notification": "CONTACT_IDENTITIES_DUPLICATION",
    "event_delivery_report": "EVENT_DELIVERY",
    "message_delivery_report": "MESSAGE_DELIVERY",
    "message_redaction": "MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION",
    "message_submit_notification": "MESSAGE_SUBMIT",
    "opt_in_notification": "OPT_IN",
    "opt_out_notification": "OPT_OUT",
    "record_notification": "RECORD_NOTIFICATION",
    "smart_conversation_notification": "SMART_CONVERSATION",
    "unsupported_callback": "UNSUPPORTED",
    "message": "MESSAGE_INBOUND",
    "event": "EVENT_INBOUND",
}

# Objects on the envelope that are no payload.
_ENVELOPE: Final = frozenset({"channel_metadata", "message_metadata"})


@dataclass(frozen=True, slots=True)
class Event:
    """One callback.

    *kind* is the key of its payload, such as `message_delivery_report`; a kind this library does
    not know passes through with *trigger* None, and *kind* is empty when there is no payload.
    Texts are empty and times None when absent or unreadable. *message_metadata* is the string on
    the wire, often JSON. *raw* is the decoded body and *body* the bytes.
    """

    kind: str
    trigger: str | None
    app_id: str
    project_id: str
    accepted_time: datetime | None
    event_time: datetime | None
    correlation_id: str = field(repr=False)
    message_metadata: str = field(repr=False)
    payload: Mapping[str, object] = field(repr=False)
    raw: Mapping[str, object] = field(repr=False)
    body: bytes = field(repr=False)


def parse(
    body: bytes,
    headers: Mapping[str, HeaderValue],
    secrets: Iterable[str],
    *,
    max_age: float = DEFAULT_MAX_AGE,
    clock: Callable[[], float] = time.time,
) -> Event:
    """Verify a callback and read it; *body* must be the raw bytes as received.

    Raises: SignatureError, before anything is read; CallbackParseError.
    """
    verify(body, headers, secrets, max_age=max_age, clock=clock)
    return read_event(body)


def read_event(body: bytes) -> Event:
    """Read a callback without verifying it.

    Raises: CallbackParseError when *body* is no JSON object.
    """
    try:
        raw = decode(body)
    except ValueError:
        message = "callback unreadable: the body is not JSON"
        raise CallbackParseError(message) from None
    if not isinstance(raw, dict):
        message = "callback unreadable: the body is no JSON object"
        raise CallbackParseError(message)
    kind = _kind(raw)
    return Event(
        kind=kind,
        trigger=TRIGGERS.get(kind),
        app_id=_text(raw, "app_id"),
        project_id=_text(raw, "project_id"),
        accepted_time=_time(raw, "accepted_time"),
        event_time=_time(raw, "event_time"),
        correlation_id=_text(raw, "correlation_id"),
        message_metadata=_text(raw, "message_metadata"),
        payload=raw[kind] if kind else {},
        raw=raw,
        body=body,
    )


def _kind(raw: Mapping[str, object]) -> str:
    for kind in (*TRIGGERS, *raw):
        if kind not in _ENVELOPE and isinstance(raw.get(kind), dict):
            return kind
    return ""


def _text(raw: Mapping[str, object], name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _time(raw: Mapping[str, object], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(raw, name))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
