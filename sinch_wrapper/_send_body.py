"""The body of messages:send, from what `send()` takes."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal, TypedDict


class SendOptions(TypedDict, total=False):
    """The optional fields of messages:send.

    *ttl* is in seconds, a timedelta, or a text such as `"10s"`; *message_metadata* is a text of
    up to 1024 characters, a mapping is written as JSON. None counts as not given.
    """

    callback_url: str | None
    channel_priority_order: Sequence[str] | None
    channel_properties: Mapping[str, str] | None
    message_metadata: str | Mapping[str, object] | None
    conversation_metadata: Mapping[str, object] | None
    queue: Literal["NORMAL_PRIORITY", "HIGH_PRIORITY"] | None
    ttl: float | timedelta | str | None
    processing_strategy: Literal["DEFAULT", "DISPATCH_ONLY"] | None
    correlation_id: str | None
    conversation_metadata_update_strategy: Literal["REPLACE", "MERGE_PATCH"] | None
    message_content_type: (
        Literal["CONTENT_UNKNOWN", "CONTENT_MARKETING", "CONTENT_NOTIFICATION"] | None
    )


_OPTIONS: Final = frozenset(SendOptions.__annotations__)


def ttl_text(value: object) -> str:
    """Write a time to live as the API reads it.

    Raises: TypeError or ValueError for what is no time of a second or more.
    """
    if isinstance(value, str):
        return value
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        message = 'ttl must be seconds, a timedelta or a text such as "10s"'
        raise TypeError(message)
    if not 1 <= seconds < math.inf:
        message = "ttl must be 1 second or more"
        raise ValueError(message)
    return f"{int(seconds)}s"


def _app_id(value: object) -> str:
    if not isinstance(value, str):
        message = f"app_id must be a text, not {type(value).__name__}"
        raise TypeError(message)
    if not value.strip():
        message = "app_id must not be empty"
        raise ValueError(message)
    return value


def _metadata(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        message = f"message_metadata must be a text or a mapping, not {type(value).__name__}"
        raise TypeError(message)
    return json.dumps(dict(value), separators=(",", ":"), allow_nan=False)


def _is_mapping(name: str, value: object, hint: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        message = f"{name} must be {hint}, not {type(value).__name__}"
        raise TypeError(message)
    if not value:
        message = f"{name} must not be empty"
        raise ValueError(message)
    return value


def send_body(
    app_id: str,
    to: Mapping[str, object],
    message: Mapping[str, object],
    options: SendOptions,
) -> dict[str, object]:
    """Build the body.

    Raises: ValueError or TypeError for obvious mistakes, which are not quoted.
    """
    unknown = options.keys() - _OPTIONS
    if unknown:
        fault = f"send() has no option {min(unknown)!r}; conversation.messages.send_message() takes"
        fault += " any body"
        raise TypeError(fault)
    body: dict[str, object] = {
        "app_id": _app_id(app_id),
        "recipient": _is_mapping("to", to, "a Recipient, such as Recipient.sms(number)"),
        "message": _is_mapping("message", message, "a message, such as text(...)"),
    }
    body.update((name, value) for name, value in options.items() if value is not None)
    ttl, metadata = options.get("ttl"), options.get("message_metadata")
    if ttl is not None:
        body["ttl"] = ttl_text(ttl)
    if metadata is not None:
        body["message_metadata"] = _metadata(metadata)
    return body
