"""The kinds of callbacks, and the class that the document has for each."""

from collections.abc import Mapping
from typing import Final

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
"""The trigger of each payload key. No field on the wire names the trigger: the key decides.

The short keys come last, for a long one is the better clue when several are present.
"""

MODELS: Final[Mapping[str, str]] = {
    "batch_status_update_notification": "BatchStatusUpdateEvent",
    "capability_notification": "CapabilityEvent",
    "channel_event_notification": "ChannelEvent",
    "contact_create_notification": "ContactCreateEvent",
    "contact_delete_notification": "ContactDeleteEvent",
    "contact_merge_notification": "ContactMergeEvent",
    "contact_update_notification": "ContactUpdateEvent",
    "conversation_delete_notification": "ConversationDeleteEvent",
    "conversation_start_notification": "ConversationStartEvent",
    "conversation_stop_notification": "ConversationStopEvent",
    "duplicated_contact_identities_notification": "ContactIdentitiesDuplicationEvent",
    "event_delivery_report": "EventDelivery",
    "message_delivery_report": "MessageDeliveryReceiptEvent",
    "message_redaction": "MessageInboundSmartConversationRedactionEvent",
    "message_submit_notification": "MessageSubmitEvent",
    "opt_in_notification": "OptInEvent",
    "opt_out_notification": "OptOutEvent",
    "record_notification": "RecordNotificationEvent",
    "smart_conversation_notification": "SmartConversationsEvent",
    "unsupported_callback": "UnsupportedCallbackEvent",
    "message": "MessageInboundEvent",
    "event": "EventInbound",
}
"""The class in `sinch_conversation_api.models` of each payload key."""

ENVELOPE: Final = frozenset({"channel_metadata", "message_metadata"})
"""Objects on the envelope that are no payload."""

_RANK: Final = {kind: rank for rank, kind in enumerate(TRIGGERS)}


def kind_of(raw: Mapping[str, object]) -> str:
    """The payload key of a callback, also one that this library does not know; empty if none."""
    found = [key for key in raw if key in TRIGGERS and isinstance(raw[key], dict)]
    if found:
        return found[0] if len(found) == 1 else min(found, key=_RANK.__getitem__)
    for key, value in raw.items():
        if isinstance(value, dict) and key not in ENVELOPE:
            return key
    return ""
