"""The documents: complete by the inventory, valid with their overlays, repaired where faulty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import jsonschema_rs
import pytest

from codegen.document import Node, operations, schemas
from codegen.reading import load
from codegen.sources import sources
from tests.helpers.codegen import DOCUMENTS

INVENTORY: dict[str, Node] = json.loads((DOCUMENTS / "inventory.json").read_text(encoding="utf-8"))
NAMES = [*INVENTORY]
# Nine tenths of what the documents had at first: scripts/fetch_specs.py adds their names, and
# --strike takes a few away that are gone for good.
AT_LEAST = {
    "conversation": {"operations": 40, "schemas": 203, "callbacks": 36},
    "batch": {"operations": 6, "schemas": 13, "shared": 86},
    "template": {"operations": 5, "schemas": 8, "shared": 33, "inline": 2},
}


@cache
def raw(name: str) -> Node:
    """A document as committed."""
    return load(DOCUMENTS / f"{name}.yaml")


@cache
def repaired(name: str) -> Node:
    """A document with its overlays."""
    return {source.name: source for source in sources(DOCUMENTS)}[name].repaired()


def resolved(document: Node, node: Node) -> Node:
    """The component that a reference leads to."""
    if "$ref" not in node:
        return node
    kind, name = node["$ref"].removeprefix("#/components/").split("/")
    found: Node = document["components"][kind][name]
    return found


def facts_of_operations(document: Node) -> dict[str, Node]:
    """The operations in the form of the inventory."""
    result = {}
    for path, method, operation, item in operations(document):
        listed = [*item.get("parameters", []), *operation.get("parameters", [])]
        parameters = [resolved(document, parameter) for parameter in listed]
        result[operation["operationId"]] = {
            "method": method.upper(),
            "path": path,
            "parameters": sorted({p["name"] for p in parameters}),
            "required": sorted({p["name"] for p in parameters if p.get("required")}),
            "responses": sorted(operation["responses"]),
            "body": "requestBody" in operation,
        }
    return result


def subschemas(schema: object) -> Iterator[Node]:
    """A schema and all schemas written inside it."""
    if not isinstance(schema, dict):
        return
    yield schema
    inner = [*schema.get("properties", {}).values()]
    inner += [part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, [])]
    inner += [schema.get("items"), schema.get("additionalProperties")]
    for child in inner:
        yield from subschemas(child)


def facts_of_schema(schema: Node) -> Node:
    """A schema in the form of the inventory: the names at any depth."""
    parts = [*subschemas(schema)]
    found = {
        "fields": {name for part in parts for name in part.get("properties", {})},
        "required": {name for part in parts for name in part.get("required", [])},
        "values": {value for part in parts for value in part.get("enum", [])},
    }
    return {key: sorted(names) for key, names in found.items() if names}


def lost(expected: Node, found: Node, place: str = "") -> list[str]:
    """The entries of an inventory that are not found; documents may have more."""
    result = []
    for key, value in expected.items():
        where = f"{place}/{key}"
        if isinstance(value, dict):
            result += lost(value, found.get(key, {}), where) if key in found else [where]
        elif isinstance(value, list):
            result += [f"{where}/{one}" for one in value if one not in found.get(key, [])]
        elif found.get(key) != value:
            result.append(where)
    return result


# Completeness


@pytest.mark.parametrize("name", NAMES)
def test_inventory_counts(name: str) -> None:
    """The inventory itself has lost nothing."""
    counts = {kind: len(items) for kind, items in INVENTORY[name].items()}
    assert {kind for kind, least in AT_LEAST[name].items() if counts[kind] < least} == set()
    assert AT_LEAST[name].keys() == counts.keys()


@pytest.mark.parametrize("name", NAMES)
def test_inventory_has_every_name(name: str) -> None:
    """Every name of a document is in the inventory, so that its loss will be noticed."""
    known = INVENTORY[name]
    assert facts_of_operations(raw(name)).keys() - known["operations"].keys() == set()
    listed = {*known["schemas"], *known.get("callbacks", {}), *known.get("shared", [])}
    assert schemas(raw(name)).keys() - listed == set()


def test_lost_names_are_found() -> None:
    """Missing keys, missing names and changed values are found; new ones are not reported."""
    expected = {"a": {"names": ["x", "y"], "method": "GET"}, "b": {"names": []}}
    found = {"a": {"names": ["y", "z"], "method": "PUT", "new": 1}, "c": {}}
    assert lost(expected, found) == ["/a/names/x", "/a/method", "/b"]


@pytest.mark.parametrize("name", NAMES)
def test_operations_of_the_inventory_are_there(name: str) -> None:
    """Ids, methods, paths, parameters, responses and bodies are as recorded, or more."""
    assert lost(INVENTORY[name]["operations"], facts_of_operations(raw(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_schemas_of_the_inventory_are_there(name: str) -> None:
    """No component is missing."""
    known = INVENTORY[name]
    expected = {*known["schemas"], *known.get("callbacks", {}), *known.get("shared", [])}
    assert expected - schemas(raw(name)).keys() == set()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("conversation", "schemas"),
        ("conversation", "callbacks"),
        ("batch", "schemas"),
        ("template", "schemas"),
    ],
)
def test_fields_of_the_inventory_are_there(name: str, kind: str) -> None:
    """Field names, required names and enum values of each schema are as recorded, or more."""
    known = INVENTORY[name][kind]
    assert lost(known, {item: facts_of_schema(schemas(raw(name))[item]) for item in known}) == []


@pytest.mark.parametrize("name", ["batch", "template"])
def test_shared_schemas_are_those_of_the_conversation_document(name: str) -> None:
    """What two documents share has the same fields in both, though one may be ahead."""
    shared = INVENTORY[name]["shared"]
    mine, theirs = schemas(raw(name)), schemas(raw("conversation"))
    for item in (item for item in shared if item in theirs):
        first, second = facts_of_schema(mine[item]), facts_of_schema(theirs[item])
        assert lost(first, second, item) == [] or lost(second, first, item) == []


def test_inline_bodies_of_the_template_document_are_objects() -> None:
    """The two bodies without a component of their own are written at their operations."""
    ids = {item.removesuffix("_request") for item in INVENTORY["template"]["inline"]}
    bodies = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]["schema"]
        for *_, operation, _ in operations(raw("template"))
        if operation["operationId"] in ids
    }
    assert ids == set(bodies)
    assert all(facts_of_schema(body).get("fields") or "$ref" in body for body in bodies.values())


# Validity


@pytest.fixture(scope="module")
def openapi() -> Any:
    """The validator of OpenAPI; importing it takes most of a second."""
    return import_module("openapi_spec_validator")


@pytest.mark.parametrize("name", NAMES)
def test_repaired_document_is_valid(openapi: Any, name: str) -> None:
    """With its overlays every document is valid OpenAPI."""
    openapi.validate(repaired(name))


@pytest.mark.parametrize("name", ["batch", "template"])
def test_raw_document_is_valid(openapi: Any, name: str) -> None:
    """These two are valid OpenAPI without overlays."""
    openapi.validate(raw(name))


def test_raw_conversation_document_has_no_fault_but_the_one_known(openapi: Any) -> None:
    """One required list may name what no schema has, as long as nobody has repaired it."""
    given = raw("conversation")
    kind = "V31" if given["openapi"].startswith("3.1") else "V30"
    errors = [*getattr(openapi, f"OpenAPI{kind}SpecValidator")(given).iter_errors()]
    names = {"processingMode", "entityId", "recordStatus"}
    assert all(
        error.message.startswith("Required list has not defined properties")
        and all(name in error.message for name in names)
        for error in errors
    )
    assert len(errors) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_record_is_that_of_the_document(name: str) -> None:
    """The sha256 in sources.toml is that of the file, or reading it is refused."""
    source = {source.name: source for source in sources(DOCUMENTS)}[name]
    assert raw(name) == source.read()


# Example bodies

TEXT: Node = {"text_message": {"text": "Hello"}}
MEDIA: Node = {"url": "https://example.test/a.png"}
CHOICES: list[Node] = [
    {"text_message": {"text": "Yes"}, "postback_data": "yes"},
    {"url_message": {"title": "Site", "url": "https://example.test"}},
    {"call_message": {"title": "Call", "phone_number": "+15551231234"}},
    {
        "location_message": {
            "title": "Here",
            "coordinates": {"latitude": 55.6, "longitude": 12.9},
        }
    },
]
CARD: Node = {"title": "Title", "description": "More", "media_message": MEDIA, "choices": CHOICES}
FIXED: Node = {
    "type": "FIXED_DISCOUNT_COMMERCE",
    "title": "Shoes",
    "regular_price": 1000,
    "discount_price": 900,
    "discount_fixed": 100,
}
RATE: Node = {
    "type": "PERCENTAGE_DISCOUNT_COMMERCE",
    "title": "Shoes",
    "regular_price": 1000,
    "discount_price": 900,
    "discount_rate": 10,
}
IDENTITIES: Node = {
    "identified_by": {"channel_identities": [{"channel": "SMS", "identity": "15551231234"}]}
}


def kakaotalk(commerce: Node) -> Node:
    """A text message elsewhere, a commerce message on KakaoTalk."""
    message = {
        "push_alarm": True,
        "adult": False,
        "image": {"image_url": "https://example.test/a.png"},
        "commerce": commerce,
        "buttons": [
            {"type": "WL", "name": "Buy", "link_mo": "https://example.test"},
        ],
    }
    specific = {"message_type": "COMMERCE", "message": message}
    return TEXT | {"channel_specific_message": {"KAKAOTALK": specific}}


MESSAGES: dict[str, Node] = {
    "text": TEXT,
    "text with common keys": TEXT
    | {"explicit_channel_message": {"SMS": "raw"}, "agent": {"display_name": "Bo", "type": "BOT"}},
    "card": {"card_message": CARD},
    "carousel": {"carousel_message": {"cards": [CARD, CARD], "choices": CHOICES[:1]}},
    "choice with text": {"choice_message": TEXT | {"choices": CHOICES}},
    "choice without text": {"choice_message": {"choices": CHOICES}},
    "location": CHOICES[3],
    "media": {"media_message": MEDIA},
    "template": {
        "template_message": {
            "channel_template": {"WHATSAPP": {"template_id": "t", "language_code": "en"}},
            "omni_template": {"template_id": "o", "version": "1", "parameters": {"n": "v"}},
        }
    },
    "list": {
        "list_message": {
            "title": "Menu",
            "sections": [
                {"title": "S", "items": [{"choice": {"title": "One", "postback_data": "1"}}]},
                {"items": [{"product": {"id": "p", "marketplace": "m"}}]},
            ],
        }
    },
    "contact": {
        "contact_info_message": {
            "name": {"full_name": "A B"},
            "phone_numbers": [{"phone_number": "+15551231234"}],
        }
    },
}
NO_MESSAGES: dict[str, Node] = {
    "nothing": {},
    "two contents": TEXT | {"media_message": MEDIA},
    "unknown content": {"hologram_message": {}},
    "text without text": {"text_message": {}},
    "text that is not an object": {"text_message": "Hello"},
    "choice of two": {"choice_message": {"choices": [CHOICES[0] | CHOICES[1]]}},
    "choice of nothing": {"choice_message": {"choices": [{"postback_data": "x"}]}},
    "media without url": {"media_message": {}},
}


def send_request(message: Node) -> Node:
    """A body of messages:send."""
    return {"app_id": "a", "recipient": IDENTITIES, "message": message, "ttl": "10s"}


def batch_request(message: Node) -> Node:
    """A body of a batch."""
    row = {"recipient": {"contact_id": "c"}, "parameters": {"name": "N"}}
    rows = [row, {"recipient": IDENTITIES, "message_metadata": {"k": "v"}}]
    return {"app_id": "a", "message": message, "recipient_and_params": rows}


def template_request(message: Node) -> Node:
    """A translation of a template; the content stands beside its language."""
    return {"language_code": "en-US", "version": "1"} | message


SENDERS = {
    ("conversation", "SendMessageRequest"): send_request,
    ("batch", "SendBatchRequest"): batch_request,
}


@cache
def validator(name: str, component: str) -> jsonschema_rs.Draft202012Validator:
    """A validator for one component, which resolves references within the document."""
    document = repaired(name)
    schema = {"$ref": f"#/components/schemas/{component}"}
    return jsonschema_rs.Draft202012Validator(schema | {"components": document["components"]})


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize(("name", "component"), SENDERS)
def test_message_is_valid(name: str, component: str, kind: str) -> None:
    """Each kind of message may be sent, alone and in a batch."""
    body = SENDERS[name, component](MESSAGES[kind])
    validator(name, component).validate(body)


@pytest.mark.parametrize("kind", NO_MESSAGES)
@pytest.mark.parametrize(("name", "component"), SENDERS)
def test_message_that_is_none_is_not_valid(name: str, component: str, kind: str) -> None:
    """A message has exactly one content, of the right shape."""
    body = SENDERS[name, component](NO_MESSAGES[kind])
    assert not validator(name, component).is_valid(body)


@pytest.mark.parametrize("commerce", [FIXED, RATE])
@pytest.mark.parametrize(("name", "component"), SENDERS)
def test_discounted_commerce_is_valid(name: str, component: str, commerce: Node) -> None:
    """The inherited type does not exclude the derived one."""
    schema = (
        "KakaoTalkDiscountFixedCommerce" if commerce is FIXED else "KakaoTalkDiscountRateCommerce"
    )
    assert validator(name, schema).is_valid(commerce)
    validator(name, component).validate(SENDERS[name, component](kakaotalk(commerce)))


@pytest.mark.parametrize(
    "recipient", [{}, {"contact_id": "c"} | IDENTITIES, {"identified_by": {}}, {"contact_id": 5}]
)
def test_recipient_is_exactly_one_way(recipient: Node) -> None:
    """A recipient is named by contact or by identities, not by both or none."""
    body = send_request(TEXT) | {"recipient": recipient}
    assert not validator("conversation", "SendMessageRequest").is_valid(body)


def test_event_is_sent_bare() -> None:
    """The event of events:send is the alternative itself, as on the wire."""
    bare = {"app_id": "a", "recipient": IDENTITIES, "event": {"composing_event": {}}}
    wrapped = bare | {"event": {"app_event": {"composing_event": {}}}}
    assert validator("conversation", "SendEventRequest").is_valid(bare)
    assert not validator("conversation", "SendEventRequest").is_valid(wrapped)
    assert not validator("conversation", "SendEventRequest").is_valid(bare | {"event": {}})


ENVELOPE: Node = {
    "app_id": "a",
    "project_id": "p",
    "accepted_time": "2030-05-17T12:00:00Z",
    "event_time": "2030-05-17T12:00:00.123456789Z",
}
CALLBACKS: dict[str, Node] = {
    "MessageDeliveryReceiptEvent": {
        "message_delivery_report": {
            "message_id": "m",
            "status": "DELIVERED",
            "channel_identity": {"channel": "SMS", "identity": "1", "app_id": ""},
        }
    },
    "MessageInboundEvent": {
        "message": {
            "id": "m",
            "direction": "TO_APP",
            "contact_message": TEXT,
            "accept_time": "2030-05-17T12:00:00Z",
        }
    },
    "OptInEvent": {"opt_in_notification": {"contact_id": "c", "channel": "SMS"}},
    "BatchStatusUpdateEvent": {
        "batch_status_update_notification": {
            "batch_id": "b",
            "batch_status": "BATCH_STATUS_PROCESSED",
            "batch_type": "BATCH_TYPE_MESSAGES",
            "additional_data": {"message_batch_data": {"batch_metadata": {"k": "v"}}},
        }
    },
    "ContactCreateEvent": {"contact_create_notification": {"contact": {"id": "c"}}},
}


@pytest.mark.parametrize("kind", CALLBACKS)
def test_callback_matches_its_envelope_and_no_other(kind: str) -> None:
    """The payload key tells the kind of a callback."""
    event = ENVELOPE | CALLBACKS[kind]
    matching = [name for name in CALLBACKS if validator("conversation", name).is_valid(event)]
    assert [kind] == matching
    validator("conversation", "ConversationWebhookEvent").validate(event)


@pytest.mark.parametrize("event", [ENVELOPE, ENVELOPE | {"message_delivery_report": 5}, {}])
def test_callback_without_payload_matches_nothing(event: Node) -> None:
    """An envelope without its key is not an event."""
    assert not validator("conversation", "ConversationWebhookEvent").is_valid(event)


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"batch_id": "b"}, True), ({"metadata_key": "k"}, True), ([], False), ("b", False)],
)
def test_batch_can_be_cancelled_by_id(body: Any, expected: bool) -> None:  # noqa: FBT001 - a table
    """A body by id also matches the free-form alternative, which must do no harm."""
    assert expected is validator("batch", "CancelBatchRequest").is_valid(body)


@pytest.mark.parametrize("kind", ["text", "card", "choice with text", "list"])
def test_translation_needs_no_field_that_does_not_exist(kind: str) -> None:
    """A translation is valid with its content beside the language."""
    body = template_request(MESSAGES[kind])
    validator("template", "v2TemplateTranslation").validate(body)


@pytest.mark.parametrize("name", NAMES)
def test_overlays_lose_no_operation_and_no_schema(name: str) -> None:
    """Repairs add or correct; what the raw document has is still there."""
    assert set(schemas(raw(name))) <= set(schemas(repaired(name)))
    ids = facts_of_operations(raw(name))
    added = facts_of_operations(repaired(name)).keys() - ids.keys()
    assert added <= ({"Batch_SendBatchV1Beta"} if name == "batch" else set())
