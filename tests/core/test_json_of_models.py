"""Absent fields and models in the JSON of others: never the name of UNSET, never a wrong text."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import pydantic
import pytest
import sinch_batch_api.types
import sinch_conversation_api.types
import sinch_template_api.types
from fastapi import Body, FastAPI
from fastapi.encoders import jsonable_encoder
from sinch_conversation_api.models import Contact, ListContactsResponse
from starlette.testclient import TestClient

from sinch_wrapper import UNSET, Unset, json_default
from sinch_wrapper._json import encode, encode_portably

NOON = datetime(2030, 5, 17, 12, tzinfo=UTC)
PAGE = {"contacts": [{"id": "C1", "novel": 1}]}


class Answer(pydantic.BaseModel):
    """What a service of a user may return."""

    token: str | Unset = UNSET
    anything: object = UNSET
    contact: Contact | None = None


@pytest.mark.parametrize(
    "package",
    [sinch_batch_api, sinch_conversation_api, sinch_template_api],
    ids=lambda p: p.__name__,
)
def test_all_packages_have_the_same_unset(package: Any) -> None:
    """A field that is absent is one object, whichever package its model is from."""
    assert package.types.UNSET is UNSET
    assert package.types.Unset is Unset


@pytest.mark.parametrize(
    "written",
    [
        lambda value: json.dumps(value, default=json_default),
        lambda value: json.dumps(jsonable_encoder(value)),
        lambda value: pydantic.TypeAdapter(object).dump_json(value).decode(),
        lambda value: pydantic.TypeAdapter(dict[str, str | Unset]).dump_json(value).decode(),
    ],
    ids=["json", "fastapi", "pydantic", "pydantic with types"],
)
def test_absence_is_null(written: Any) -> None:
    """Wherever an absent field becomes JSON, it is null."""
    assert json.loads(written({"next": UNSET})) == {"next": None}


def test_absence_as_text_is_empty() -> None:
    """A text that is built from an absent field has nothing in its place, as in Jinja."""
    assert (str(UNSET), f"Hi {UNSET}", f"{UNSET!r}") == ("", "Hi ", "UNSET")
    assert json.dumps({"next": UNSET}, default=str) == '{"next": ""}'


def test_absence_is_not_taken_for_text() -> None:
    """A field that must be text refuses absence instead of writing a word for it."""
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(dict[str, str | None]).validate_python({"next": UNSET})


@pytest.mark.parametrize("write", [encode, encode_portably])
def test_absence_in_a_list_of_a_body_is_refused(write: Any) -> None:
    """In a body absence has no place of its own but a missing field."""
    with pytest.raises(TypeError, match="Unset has no JSON form"):
        write({"items": [UNSET]})


def test_json_default_writes_models_and_what_is_in_them() -> None:
    """Models, date-times and absence become JSON; anything else stays an error."""
    given = {"page": ListContactsResponse.from_dict(PAGE), "at": NOON, "next": UNSET}
    expected = {"page": PAGE, "at": "2030-05-17T12:00:00+00:00", "next": None}
    assert expected == json.loads(json.dumps(given, default=json_default))
    with pytest.raises(TypeError, match="object has no JSON form"):
        json.dumps(object(), default=json_default)


def test_models_are_fields_of_pydantic() -> None:
    """A model is read, kept and written as a field, with what no document names."""
    read = Answer.model_validate_json('{"token": null, "contact": {"id": "C1", "novel": 1}}')
    assert (UNSET, "C1") == (read.token, read.contact and read.contact.id)
    expected = {"token": None, "anything": None, "contact": {"id": "C1", "novel": 1}}
    assert expected == json.loads(read.model_dump_json())
    with pytest.raises(pydantic.ValidationError, match="not a Contact and not a JSON object"):
        Answer.model_validate({"contact": "C1"})


app = FastAPI()


@app.get("/page")
def page() -> ListContactsResponse:
    """Return a page as it is."""
    return ListContactsResponse.from_dict(PAGE)


@app.get("/next")
def next_token() -> dict[str, object]:
    """Return a field that is absent."""
    return {"next": page().next_page_token}


@app.post("/contact")
def contact(body: Annotated[Contact, Body()]) -> Contact:
    """Return the contact of the body."""
    return body


def test_fastapi_takes_and_returns_models() -> None:
    """Models are bodies and results of FastAPI, and stand in its OpenAPI document as objects."""
    client = TestClient(app)
    assert client.get("/page").json() == PAGE
    assert client.get("/next").json() == {"next": None}
    assert client.post("/contact", json={"id": "C1", "novel": 1}).json() == {"id": "C1", "novel": 1}
    assert client.post("/contact", json=["C1"]).status_code == 422
    assert client.get("/openapi.json").status_code == 200
