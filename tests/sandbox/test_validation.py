"""Requests that break the document are refused with field violations."""

from typing import Any

import pytest

from sinch_wrapper.sandbox._validation import SchemaBook
from tests.helpers.sandbox import Api, row, sms, text

APP = "01J0SANDB0X0APP00000000000"
SEND = "/conversation/v1/~/messages:send"
BATCH = "/batch/v1/~/messages"


def _violations(response: Any) -> dict[str, str]:
    assert response.status_code == 400, response.text
    [detail] = response.json()["error"]["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    return {each["field"]: each["description"] for each in detail["field_violations"]}


def test_missing_fields_are_named(api: Api) -> None:
    """Each missing field is a violation of its own."""
    found = _violations(api("POST", SEND, json={"app_id": APP, "message": text("Hi")}))

    assert found == {"recipient": "Field is mandatory."}


def test_path_of_nested_violation_is_dotted(api: Api) -> None:
    """A violation deep in a list is named by its path."""
    rows: list[Any] = [row("+46700000001"), {"parameters": {}}]
    body = {"app_id": APP, "message": text("Hi"), "recipient_and_params": rows}

    found = _violations(api("POST", BATCH, json=body))

    assert found == {"recipient_and_params[1].recipient": "Field is mandatory."}


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"text_message": {}},
        {"text_message": {"text": 1}},
        {"unknown_message": {"text": "Hi"}},
        text("Hi") | {"media_message": {"url": "https://example.com/a.png"}},
    ],
)
def test_message_needs_exactly_one_sound_content(api: Api, message: object) -> None:
    """A message without content, with two, or with a broken one is refused."""
    body = {"app_id": APP, "recipient": sms("+46700000001"), "message": message}

    assert _violations(api("POST", SEND, json=body))


def test_violation_never_shows_the_value(api: Api) -> None:
    """Numbers and texts of the request are not in the response."""
    rows: list[Any] = [{"recipient": {"identified_by": "+46700012345"}}]
    body: dict[str, Any] = {"app_id": APP, "message": {"text_message": "secret words"}}

    response = api("POST", BATCH, json=body | {"recipient_and_params": rows})

    assert _violations(response)
    assert "+46700012345" not in response.text
    assert "secret words" not in response.text


@pytest.mark.parametrize("count", [0, 1001])
def test_batch_takes_one_to_a_thousand_recipients(api: Api, count: int) -> None:
    """No recipients and more than 1000 are refused."""
    body: dict[str, Any] = {"app_id": APP, "message": text("Hi")}
    body |= {"recipient_and_params": [row("+46700000001")] * count}

    assert list(_violations(api("POST", BATCH, json=body))) == ["recipient_and_params"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null"])
def test_body_that_is_no_json_object_is_refused(api: Api, content: bytes) -> None:
    """An absent, broken or foreign body is 400."""
    assert _violations(api("POST", SEND, content=content))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"page_size": "many"}, "page_size"),
        ({"channel": "PIGEON"}, "channel"),
        ({"page_sise": "3"}, "body"),
    ],
)
def test_query_is_checked(api: Api, params: dict[str, str], field: str) -> None:
    """Wrong types, unknown values and unknown names in the query are 400."""
    response = api("GET", "/conversation/v1/~/contacts", params=params)

    assert [field] == list(_violations(response))


def test_required_query_parameter_is_named(api: Api) -> None:
    """A missing query parameter is a violation."""
    response = api("GET", BATCH, params={"metadataKey": "campaign"})

    assert _violations(response) == {"metadataValue": "Field is mandatory."}


def test_path_parameter_is_checked(api: Api) -> None:
    """A path parameter outside its enum is 400."""
    response = api("GET", f"/conversation/v1/~/apps/{APP}/consents/OPT_IN")

    assert list(_violations(response)) == ["list_type"]


@pytest.mark.parametrize(
    ("app_id", "status"), [("short", 400), ("01J0SANDB0X0APP0000000N0NE", 404)]
)
def test_app_id_is_checked(api: Api, app_id: str, status: int) -> None:
    """An app id that is not a ULID is 400, one of no app is 404."""
    body = {"app_id": app_id, "recipient": sms("+46700000001"), "message": text("Hi")}

    assert status == api("POST", SEND, json=body).status_code


def _accepts(schema: dict[str, Any], value: object, direction: Any = "request") -> bool:
    book = SchemaBook({"components": {"schemas": {}}}, "urn:test", direction)
    return book.validator(schema).is_valid(value)


def test_nullable_of_openapi_30_allows_null() -> None:
    """`nullable: true` takes null beside the type."""
    schema = {"type": "string", "nullable": True}

    assert tuple(_accepts(schema, value) for value in (None, "x", 1)) == (True, True, False)


def test_read_only_field_is_required_in_responses_only() -> None:
    """A required readOnly field may be left out of a request, not of a response."""
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string", "readOnly": True}},
    }

    assert _accepts(schema, {})
    assert not _accepts(schema, {}, "response")


def test_wrappers_are_distinguished_by_their_key() -> None:
    """Of alternatives with one optional property each, exactly the present key counts."""
    schema = {"oneOf": [{"type": "object", "properties": {key: {}}} for key in ("a", "b")]}

    accepted = [_accepts(schema, value) for value in ({"a": 1}, {"b": 1}, {}, {"a": 1, "b": 1})]
    assert accepted == [True, True, False, False]
