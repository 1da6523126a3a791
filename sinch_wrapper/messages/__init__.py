"""Builders of messages: immutable values for `message=`, in the Conversation and Batch APIs.

Every builder takes the options that all messages have (MessageOptions) and raises ValueError or
TypeError for obvious mistakes, without quoting what was passed. Strings may hold `${name}`
placeholders when the message is sent in a batch.
Source: AppMessage in the OpenAPI document of the Conversation API.
"""

from sinch_wrapper.messages._builders import (
    Message,
    MessageOptions,
    card,
    carousel,
    choice,
    contact_info,
    list_message,
    location,
    media,
    template,
    template_reference,
    text,
)
from sinch_wrapper.messages._recipients import CHANNELS, Recipient

__all__ = [
    "CHANNELS",
    "Message",
    "MessageOptions",
    "Recipient",
    "card",
    "carousel",
    "choice",
    "contact_info",
    "list_message",
    "location",
    "media",
    "template",
    "template_reference",
    "text",
]
