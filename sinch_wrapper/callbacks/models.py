"""From a callback to the class that was generated for it."""

from collections.abc import Mapping
from typing import Final

import sinch_conversation_api.models
from sinch_conversation_api.types import Model

from sinch_wrapper.callbacks.triggers import MODELS

__all__ = ["load_event"]

# The document demands these spellings and declares the others; a server may follow either.
_RECORD_NAMES: Final = {
    "entityId": "entity_id",
    "recordStatus": "record_status",
    "channelIdentity": "channel_identity",
    "contactId": "contact_id",
    "conversationId": "conversation_id",
    "processingMode": "processing_mode",
}


def load_event(kind: str, raw: Mapping[str, object]) -> Model | None:
    """The model of a callback; None when the document has none of this *kind*."""
    name = MODELS.get(kind)
    if name is None:
        return None
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
