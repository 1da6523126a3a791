"""The body of messages:send, from what `send()` takes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal, TypedDict

from sinch_wrapper import _validate


class SendMessageFields(TypedDict, total=False):
    """The optional fields of messages:send.

    *ttl* is in seconds, a timedelta, or a string such as `"10s"`; *message_metadata* is a string
    of up to 1024 characters, a mapping is written as JSON. None counts as not given.
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


_FIELDS: Final = frozenset(SendMessageFields.__annotations__)


def send_body(
    app_id: str,
    to: Mapping[str, object],
    message: Mapping[str, object],
    fields: SendMessageFields,
) -> dict[str, object]:
    """Build the body.

    Raises: ValueError or TypeError for obvious mistakes, which are not quoted.
    """
    if not fields.keys() <= _FIELDS:
        fault = f"send() has no option {min(fields.keys() - _FIELDS)!r}; "
        fault += "conversation.messages.send_message() takes any body"
        raise TypeError(fault)
    body: dict[str, object] = {
        "app_id": _validate.app_id(app_id),
        "recipient": _recipient(to),
        "message": _validate.message(message),
    }
    for name, value in fields.items():
        if value is not None:
            body[name] = _validate.request_field(name, value)
    return body


def _recipient(to: object) -> Mapping[str, object]:
    from sinch_wrapper._numbers import NotNumberError, single, with_numbers  # 3 ms of start-up

    found = _validate.content("to", to, "a Recipient, such as Recipient.sms(number)")
    try:
        return with_numbers(found, single)
    except NotNumberError as error:
        fault = f"to= must hold phone numbers, + and country code first: one {error}"
    raise ValueError(fault)
