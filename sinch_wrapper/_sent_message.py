"""What `send()` returns: the response of messages:send, which has an id."""

from dataclasses import replace
from typing import cast

import attrs
from sinch_conversation_api.api.messages.send_message import send_message
from sinch_conversation_api.models import SendMessageResponse
from sinch_conversation_api.types import Operation, load_body

# For send_body(): an AsyncSinch loads this module in a thread, and so all that sending needs.
import sinch_wrapper._numbers  # noqa: F401 (see above)

__all__ = ["SentMessage"]


class NoMessageIdError(ValueError):
    """A response that accepts a message and does not say which."""


@attrs.define(kw_only=True, repr=False)
class SentMessage(SendMessageResponse):
    """A message that the API has accepted; callbacks report later whether it was delivered.

    *message_id* is a string that is not empty. *accepted_time* is a date-time in UTC, or UNSET.
    """

    message_id: str


def _read(value: object) -> SentMessage:
    sent = load_body(SentMessage, value)
    if not isinstance(sent.message_id, str) or not sent.message_id:
        raise NoMessageIdError
    return sent


def send_operation(project_id: str, body: dict[str, object]) -> Operation[SentMessage]:
    """messages:send with *body*, whose response must have a message id."""
    operation = cast("Operation[SentMessage]", send_message(project_id, body=body))
    return replace(operation, load=_read)
