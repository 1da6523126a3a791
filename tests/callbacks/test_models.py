"""The kinds of callbacks are those of the document, and each has its class."""

import importlib.resources
import json
from typing import Any, cast, get_args

import pytest
from sinch_conversation_api import models
from sinch_conversation_api.callbacks import MODELS
from sinch_conversation_api.types import UNSET

from sinch_wrapper.callbacks import TRIGGERS
from sinch_wrapper.callbacks._events import ENVELOPE
from tests.helpers.callbacks import make_event

PACKAGE = importlib.resources.files("sinch_conversation_api")
SCHEMAS: dict[str, Any] = json.loads((PACKAGE / "openapi.json").read_bytes())["components"][
    "schemas"
]


def properties(schema: dict[str, Any]) -> set[str]:
    """The fields of a schema, with those of its parts."""
    if "$ref" in schema:
        return properties(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    parts = [properties(part) for part in schema.get("allOf", [])]
    return set(schema.get("properties", {})).union(*parts)


def payload_keys() -> dict[str, str]:
    """The payload key of each event of the document, with the name of its schema."""
    common = properties(SCHEMAS["CallbackEventCommon"])
    found = {}
    for alternative in SCHEMAS["ConversationWebhookEvent"]["oneOf"]:
        name = alternative["$ref"].rpartition("/")[2]
        (key,) = properties(SCHEMAS[name]) - common
        found[key] = name
    return found


def test_every_event_of_the_document_has_its_trigger_and_class() -> None:
    """When the document gains a callback, this fails until the tables know it."""
    documented = payload_keys()
    assert documented.keys() == TRIGGERS.keys() == MODELS.keys()
    assert not ENVELOPE & documented.keys()
    for kind, schema in documented.items():
        model = getattr(models, MODELS[kind])
        assert hasattr(model, kind), schema


def test_every_trigger_of_the_document_is_known() -> None:
    """The triggers are those to which a webhook can subscribe, without the reserved one."""
    assert {*get_args(models.WebhookTrigger)} - {"UNSPECIFIED_TRIGGER"} == {*TRIGGERS.values()}
    assert set(SCHEMAS["WebhookTrigger"]["enum"]) == {*get_args(models.WebhookTrigger)}
    assert len(TRIGGERS) == len(set(TRIGGERS.values())) == 22


@pytest.mark.parametrize("kind", TRIGGERS)
def test_model_is_of_the_class_of_its_kind(kind: str) -> None:
    """Each kind gives its class, once, with unknown fields and enum values kept."""
    event = make_event(
        kind, {"status": "NEW_STATUS", "extra": {"a": 1}}, accepted_time="2026-01-02T03:04:05Z"
    )
    assert event.model is event.model
    model = cast("Any", event.model)
    assert MODELS[kind] == type(model).__name__
    assert (event.app_id, event.accepted_time) == (model.app_id, model.accepted_time)
    assert {"a": 1} == getattr(model, kind).additional_properties["extra"]


def test_model_is_typed() -> None:
    """The fields of a receipt are those of its class."""
    identity = {"channel": "SMS", "identity": "+46700000001"}
    model = make_event(
        "message_delivery_report", {"status": "READ", "channel_identity": identity}
    ).model
    assert isinstance(model, models.MessageDeliveryReceiptEvent)
    report = model.message_delivery_report
    assert report
    assert report.channel_identity
    assert ("READ", "SMS") == (report.status, report.channel_identity.channel)
    assert UNSET is report.reason


def test_record_notification_reads_both_spellings() -> None:
    """The document requires camelCase and declares snake_case; either is read, snake_case wins."""
    camel = {"entityId": "E", "recordStatus": "S", "record_status": "T"}
    model = make_event("record_notification", camel).model
    assert isinstance(model, models.RecordNotificationEvent)
    assert model.record_notification
    assert ("E", "T") == (
        model.record_notification.entity_id,
        model.record_notification.record_status,
    )


def test_unknown_kind_has_no_model() -> None:
    """An unknown kind, and an envelope alone, have no class."""
    assert make_event("future_notification").model is None
    assert make_event("message_metadata", "").model is None


@pytest.mark.parametrize("kind", TRIGGERS)
def test_payload_of_another_shape_is_read(kind: str) -> None:
    """Fields of other types than documented raise nothing: they are kept as received."""
    names = properties(SCHEMAS[payload_keys()[kind]]["allOf"][-1]["properties"][kind])
    for value in (5, "x", [1], {"a": 1}, None, True):
        assert make_event(kind, dict.fromkeys(names, value)).model is not None
