"""Rules that the documents state only in prose, by operation."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from sinch_wrapper.sandbox._errors import Violation
from sinch_wrapper.sandbox._json import Json, encode_text, unix_seconds

ProseRule: TypeAlias = Callable[[Json], Iterator[Violation]]

_TTL = re.compile(r"\d+s")
_SHORTEST_TTL, _LONGEST_TTL = 3, 315_576_000_000
_ONE = "Give one of {} and {}."
_NOBODY = "Must have at least one element."


def longest(limit: int, *names: str) -> ProseRule:
    """Return the rule that each of the strings *names* has at most *limit* characters."""

    def check(fields: Json) -> Iterator[Violation]:
        for name in names:
            if len(fields.get(name) or "") > limit:
                yield Violation(name, f"Must have at most {limit} characters.")

    return check


def together(first: str, second: str) -> ProseRule:
    """Return the rule that *first* and *second* are given both or not at all."""

    def check(fields: Json) -> Iterator[Violation]:
        for name, other in ((first, second), (second, first)):
            if name in fields and other not in fields:
                yield Violation(other, f"Must be given together with {name}.")

    return check


def apart(first: str, *others: str) -> ProseRule:
    """Return the rule that *first* excludes each of *others*."""

    def check(fields: Json) -> Iterator[Violation]:
        for name in others:
            if fields.get(first) and fields.get(name):
                yield Violation(first, f"Must not be given together with {name}.")

    return check


def either(first: str, second: str) -> ProseRule:
    """Return the rule that *first* or *second* must be given."""

    def check(fields: Json) -> Iterator[Violation]:
        if first not in fields and second not in fields:
            yield Violation(first, _ONE.format(first, second))

    return check


def _serialised(fields: Json) -> Iterator[Violation]:
    metadata = fields.get("conversation_metadata")
    if metadata and len(encode_text(metadata)) > 2048:  # noqa: PLR2004 (the documented limit)
        yield Violation("conversation_metadata", "Must have at most 2048 characters as JSON.")


def _properties(fields: Json) -> Iterator[Violation]:
    for name, value in (fields.get("channel_properties") or {}).items():
        if len(value) > 1024:  # noqa: PLR2004 (the documented limit)
            yield Violation(f"channel_properties.{name}", "Must have at most 1024 characters.")


def _ttl(fields: Json) -> Iterator[Violation]:
    text = fields.get("ttl")
    if text is None:
        return
    if not _TTL.fullmatch(text) or not _SHORTEST_TTL <= int(text[:-1]) <= _LONGEST_TTL:
        yield Violation("ttl", "Must be 3 to 315576000000 seconds, such as 10s.")


def _template(fields: Json) -> Iterator[Violation]:
    message = fields.get("message", {}).get("template_message")
    if message is not None and not ("channel_template" in message or "omni_template" in message):
        description = _ONE.format("channel_template", "omni_template")
        yield Violation("message.template_message", description)


def _recipient(fields: Json) -> Iterator[Violation]:
    if _is_nobody(fields["recipient"]):
        yield Violation("recipient.identified_by.channel_identities", _NOBODY)


def _recipients(fields: Json) -> Iterator[Violation]:
    for place, row in enumerate(fields["recipient_and_params"]):
        if _is_nobody(row["recipient"]):
            path = f"recipient_and_params[{place}].recipient.identified_by.channel_identities"
            yield Violation(path, _NOBODY)


def _is_nobody(recipient: Json) -> bool:
    identities = recipient.get("identified_by", {}).get("channel_identities", [])
    return "contact_id" not in recipient and not identities


def _span(fields: Json) -> Iterator[Violation]:
    try:
        start, end = (unix_seconds(fields[name]) for name in ("start_time", "end_time"))
    except (KeyError, ValueError):
        return
    if start >= end:
        yield Violation("start_time", "Must be before end_time.")


def _conversation_source(*names: str) -> ProseRule:
    def check(fields: Json) -> Iterator[Violation]:
        for name in names:
            if fields.get(name) and fields.get("messages_source") == "DISPATCH_SOURCE":
                yield Violation(name, "Works with CONVERSATION_SOURCE only.")

    return check


_SENDING = (longest(128, "correlation_id"), _serialised, _properties, _ttl, _template)
_CONTACT = (longest(1024, "metadata"),)


def _each_contact(fields: Json) -> Iterator[Violation]:
    for place, contact in enumerate(fields["contacts"]):
        for found in _CONTACT[0](contact):
            yield Violation(f"contacts[{place}].{found.field}", found.description)


BODY_RULES: dict[str, tuple[ProseRule, ...]] = {
    "Capability_QueryCapability": (_recipient,),
    "Contact_GetChannelProfile": (_recipient,),
    "Events_SendEvent": (_recipient,),
    "Messages_SendMessage": (*_SENDING, _recipient, longest(1024, "message_metadata")),
    "Messages_UpdateMessageMetadata": (longest(1024, "metadata"),),
    "Messages_ListMessagesByChannelIdentity": (
        apart("contact_ids", "channel_identities"),
        _conversation_source("contact_ids"),
        _span,
    ),
    "Batch_SendBatch": (*_SENDING, _recipients),
    "Batch_SendBatchV1Beta": (*_SENDING, _recipients),
    "Batch_CreateContacts": (_each_contact,),
    "Contact_CreateContact": _CONTACT,
    "Contact_UpdateContact": _CONTACT,
    "Conversation_CreateConversation": (longest(1024, "metadata"),),
    "Conversation_UpdateConversation": (longest(1024, "metadata"),),
    "Conversation_InjectMessage": (longest(1024, "metadata"),),
}

QUERY_RULES: dict[str, tuple[ProseRule, ...]] = {
    "Contact_ListContacts": (
        apart("external_id", "channel", "identity"),
        together("channel", "identity"),
    ),
    "Conversation_ListConversations": (either("app_id", "contact_id"),),
    "Events_ListEvents": (either("conversation_id", "contact_id"),),
    "Messages_ListMessages": (_conversation_source("conversation_id", "contact_id"), _span),
}
