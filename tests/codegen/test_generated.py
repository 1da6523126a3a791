"""The behaviour of generated code, rendered from documents of a few lines."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType
from typing import Any

import pytest

from codegen.document import Node
from tests.helpers.codegen import (
    MOMENT,
    STRING,
    THINGS,
    Build,
    builder,
    content,
    document,
    enum,
    listed,
    model_of,
    obj,
    operation,
    operation_of,
    parameter,
    ref,
)

INTEGER = {"type": "integer"}
NOON = datetime(2030, 5, 17, 12, 0, tzinfo=UTC)
SHADOWS = ("headers", "params", "response", "additional_properties", "to_dict", "from_dict")
ALTERNATIVES = {
    "Message": {"oneOf": [ref("Text"), ref("Card")]},
    "Text": obj(["text_message"], text_message=ref("TextBody")),
    "TextBody": obj(["text"], text=STRING),
    "Card": obj(["card_message"], card_message=obj(title=STRING)),
}
THING = {
    **obj(
        ["id", "inner"],
        id=STRING,
        colour=ref("Colour"),
        colours=listed(ref("Colour")),
        inner=ref("Inner"),
        inners=listed(ref("Inner")),
        at=MOMENT,
        moments=listed(MOMENT),
        days={"type": "object", "additionalProperties": MOMENT},
        by_name={"type": "object", "additionalProperties": ref("Inner")},
        labels={"type": "object", "additionalProperties": STRING},
        count=INTEGER,
        anything={},
        message=ref("Message"),
    ),
    "additionalProperties": False,
}
COMPONENTS = {
    "Thing": THING,
    "Inner": obj(["name"], name=STRING, at=MOMENT),
    "Colour": enum("RED", "en", "EN", 'quo"te'),
    "Draft": obj(
        ["name", "when"],
        name=STRING,
        when=MOMENT,
        part=ref("Part"),
        size=INTEGER | {"default": 10},
        colour=STRING | {"default": "RED"},
    ),
    "Part": obj(["number"], number=INTEGER),
    "Odd": obj(**dict.fromkeys(SHADOWS, STRING)),
    "ThingList": listed(ref("Thing")),
    **ALTERNATIVES,
}
ID = parameter("thing_id", "path")
SEARCH = [
    parameter("size", schema=INTEGER | {"default": 10}),
    parameter("active", schema={"type": "boolean"}),
    parameter("since", schema=MOMENT),
    parameter("names", schema=listed(STRING)),
    parameter("tags", schema=listed(STRING), explode=False),
    parameter("colour", schema=ref("Colour")),
    parameter("pageToken"),
    parameter("must", required=True),
    parameter("headers"),
    parameter("response"),
]
DOCUMENT = document(
    COMPONENTS,
    {
        THINGS: {
            "get": operation("Things_SearchThings", *SEARCH, response=ref("ThingList")),
            "post": operation("Things_MakeThing", body=ref("Draft"), response=ref("Thing")),
        },
        THINGS + "/{thing_id}": {
            "get": operation("Things_GetThing", ID, response=ref("Thing")),
            "delete": operation("Things_DeleteThing", ID),
        },
    },
)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Render documents into packages that can be imported."""
    yield from builder(tmp_path_factory.mktemp("rendered"))


@pytest.fixture(scope="module")
def package(build: Build) -> ModuleType:
    """The package of the document above."""
    return build(DOCUMENT)


@pytest.fixture
def thing(package: ModuleType) -> Any:
    """The class of a thing, which the server sends."""
    return package.models.Thing


@pytest.fixture
def draft(package: ModuleType) -> Any:
    """The class of a draft, which only the caller sends."""
    return package.models.Draft


def function(package: ModuleType, name: str) -> Any:
    """The function that builds an operation."""
    return getattr(vars(package.api.things)[name], name)


# Answers


@pytest.mark.parametrize("data", [{"colour": "BLUE"}, {"colours": ["RED", "BLUE", ""]}])
def test_unknown_enum_value_is_kept_as_text(thing: Any, data: Node) -> None:
    """A value that the document does not know yet is neither lost nor an error."""
    assert data == thing.from_dict(data).to_dict()


def test_enum_values_that_differ_in_case_stay_apart(package: ModuleType, thing: Any) -> None:
    """Values equal after upper-casing are two values."""
    assert {"EN", "en", "RED", 'quo"te'} == set(package.models.Colour.__args__)
    assert thing.from_dict({"colour": "en"}).colour == "en"


def test_unknown_field_is_kept_although_the_document_forbids_it(thing: Any) -> None:
    """Under additionalProperties: false unknown fields are kept and sent back."""
    found = thing.from_dict({"id": "1", "novel": {"deep": [1]}})
    assert found.additional_properties == {"novel": {"deep": [1]}}
    assert found.to_dict() == {"id": "1", "novel": {"deep": [1]}}


@pytest.mark.parametrize(
    "data",
    [
        {"text_message": {"text": "Hi"}},
        {"card_message": {"title": "Hi"}},
        {"hologram_message": {"depth": 3}},
        {"text_message": {"text": "Hi"}, "novel": 1},
    ],
)
def test_message_of_any_kind_round_trips(package: ModuleType, data: Node) -> None:
    """A union told apart by the present key keeps known and unknown kinds."""
    assert data == package.models.Message.from_dict(data).to_dict()


def test_alternatives_are_one_class_with_typed_fields(package: ModuleType) -> None:
    """No alternative swallows the others: each kind is a field of its own class."""
    models = package.models
    found = models.Message.from_dict({"card_message": {"title": "Hi"}})
    assert package.types.UNSET is found.text_message
    assert isinstance(found.card_message, models.CardCardMessage)


@pytest.mark.parametrize("name", [name for name in THING["properties"] if name != "anything"])
def test_null_counts_as_absent(package: ModuleType, thing: Any, name: str) -> None:
    """Null for a model, list, enum, date-time or plain value is absence."""
    found = thing.from_dict({name: None})
    assert package.types.UNSET is getattr(found, name)
    assert found.to_dict() == {}


def test_nulls_inside_lists_are_kept(thing: Any) -> None:
    """A null item keeps its place in the list."""
    data = {"inners": [None, {"name": "n"}], "moments": [None]}
    assert data == thing.from_dict(data).to_dict()


def test_required_field_may_be_missing_in_a_response(package: ModuleType, thing: Any) -> None:
    """A field that the document requires in a response may be missing, at any depth."""
    found = thing.from_dict({"inners": [{}]})
    unset = package.types.UNSET
    assert (unset, unset, unset) == (found.id, found.inner, found.inners[0].name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2030-05-17T12:00:00Z", NOON),
        ("2030-05-17T12:00:00", NOON),
        ("2030-05-17T14:00:00+02:00", NOON),
        ("2030-05-17T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2030-05-17T12:00:00.1Z", NOON.replace(microsecond=100_000)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_date_time_is_aware_and_in_utc(thing: Any, text: str, expected: datetime) -> None:
    """Nanoseconds, other zones and a missing zone all become an aware moment in UTC."""
    found = thing.from_dict({"at": text, "moments": [text], "days": {"x": text}})
    assert (expected, [expected], {"x": expected}) == (found.at, found.moments, found.days)
    assert timedelta(0) == found.at.utcoffset()


@pytest.mark.parametrize(
    "raw",
    [
        *("", "soon", "2030-13-01T00:00:00Z", "2030-06-30T23:59:60Z", 1_900_000_000, True, ["x"]),
        *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_date_time_that_cannot_be_read_is_kept(thing: Any, raw: object) -> None:
    """A value that is not a date-time, or not one that Python can hold in UTC, is kept."""
    data = {"at": raw, "moments": [raw], "days": {"x": raw}}
    assert data == thing.from_dict(data).to_dict()


@pytest.mark.parametrize("name", THING["properties"])
@pytest.mark.parametrize("raw", ["text", 1, False, ["x", {"y": 1}], {"z": [1]}, [[]]])
def test_value_of_another_type_is_kept(thing: Any, name: str, raw: object) -> None:
    """A field that is not what the document says fails nothing and is sent back."""
    assert {name: raw} == thing.from_dict({name: raw}).to_dict()


def test_values_of_maps_and_lists_are_read(package: ModuleType, thing: Any) -> None:
    """Models inside lists and maps are instances of their classes."""
    found = thing.from_dict({"inners": [{"name": "a"}], "by_name": {"k": {"name": "b"}}})
    inner = package.models.Inner
    assert ([inner(name="a")], {"k": inner(name="b")}) == (found.inners, found.by_name)


def test_reading_does_not_change_what_is_read(thing: Any) -> None:
    """The decoded response is not changed."""
    data = {"id": "1", "inner": {"name": "n"}, "novel": 1}
    before = copy.deepcopy(data)
    thing.from_dict(data)
    assert before == data


def test_names_of_generated_code_are_no_obstacle(package: ModuleType) -> None:
    """Fields with the names of generated members get an alias and keep their key."""
    data = {name: f"the {name}" for name in SHADOWS} | {"novel": 1}
    found = package.models.Odd.from_dict(data)
    assert data == found.to_dict()
    assert (found.headers, found.to_dict_) == ("the headers", "the to_dict")
    assert (
        found.additional_properties_,
        found.additional_properties,
    ) == ("the additional_properties", {"novel": 1})


@pytest.mark.parametrize(
    "name",
    [
        *("field", "define", "take", "dump", "value", "data", "cls", "result", "rest", "pop"),
        *("self", "class", "list", "dict", "_id", "1st", "$x", "UNSET", "Any", "Model", "_models"),
    ],
)
def test_any_field_name_works(build: Build, name: str) -> None:
    """No name of a field collides with what the module of its model uses."""
    model = model_of(build, obj(["when"], **{name: STRING, "when": MOMENT}))
    data = {name: "x", "when": "2030-05-17T12:00:00Z", "novel": 1}
    assert data == model.from_dict(data).to_dict()


@pytest.mark.parametrize("name", ["Any", "Model", "Mapping", "Unset", "DateTime", "Literal"])
def test_any_schema_name_works(build: Build, name: str) -> None:
    """No name of a component collides with what the modules of models use."""
    model = model_of(build, obj(a=ref(name), at=MOMENT), **{name: obj(b=STRING)})
    data = {"a": {"b": "x"}, "at": "2030-05-17T12:00:00Z"}
    assert data == model.from_dict(data).to_dict()


@pytest.mark.parametrize("text", ['Says "hi"', "A \\ and \\N{x}", 'Ends """', "Two\n\nlines"])
@pytest.mark.parametrize(
    "where", ["model", "field", "enum", "operation", "parameter", "summary", "title", "version"]
)
def test_any_prose_makes_valid_code(build: Build, text: str, where: str) -> None:
    """Descriptions with quotes and backslashes stay inside their docstrings."""
    prose = {"description": text}
    given = document({"Thing": obj(a=STRING, e=ref("E")), "E": enum("A")}, {})
    one = operation(response=ref("Thing"), parameters=[parameter("q")])
    given["paths"] = {"/things": {"get": one}}
    target: Node = {
        "model": given["components"]["schemas"]["Thing"],
        "field": given["components"]["schemas"]["Thing"]["properties"],
        "enum": given["components"]["schemas"]["E"],
        "operation": one,
        "parameter": one["parameters"][0],
        "summary": one,
        "title": given["info"],
        "version": given["info"],
    }[where]
    special: Node = {"field": {"a": STRING | prose}, "title": {"title": text}}
    special |= {"summary": {"summary": text}, "version": {"version": text}}
    target |= special.get(where, prose)
    assert build(given).Client


def test_document_without_models_makes_a_package(build: Build) -> None:
    """A document may have no object at all."""
    given = document({"Only": enum("A")}, {THINGS: {"get": operation()}})
    package = build(given)
    given["components"]["schemas"] = {}
    assert (dir(package.models), dir(build(given).models)) == (["Only"], [])


# Absence


def test_unset_is_one_object(package: ModuleType, thing: Any) -> None:
    """UNSET is itself after a deep copy and after pickling, alone and inside a model."""
    unset = package.types.UNSET
    model = thing.from_dict({"id": "1"})
    for one in (copy.deepcopy(unset), pickle.loads(pickle.dumps(unset))):  # noqa: S301 - our own
        assert unset is one
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own
        assert model == other
        assert unset is other.inner


def test_unset_is_falsy_and_says_its_name(package: ModuleType) -> None:
    """Absence can be tested for and reads well."""
    assert not package.types.UNSET
    assert repr(package.types.UNSET) == "UNSET"


def test_repr_shows_names_but_no_values(thing: Any) -> None:
    """A model's repr holds nothing of what is in it."""
    found = thing.from_dict({"id": "secret", "inner": {"name": "secret"}, "novel": "secret"})
    assert repr(found) == "Thing(id=..., inner=..., novel=...)"


# Requests


def test_defaults_of_the_document_are_not_sent(draft: Any) -> None:
    """A field that the caller does not give is not sent."""
    expected = {"name": "n", "when": "2030-05-17T12:00:00Z"}
    assert expected == draft(name="n", when=NOON).to_dict()


def test_field_that_only_the_caller_writes_stays_required(draft: Any) -> None:
    """Leaving out a required field of a request fails before anything is sent."""
    with pytest.raises(TypeError, match="name"):
        draft(when=NOON)
    with pytest.raises(ValueError, match="the field name is missing"):
        draft.from_dict({"when": "2030-05-17T12:00:00Z"})


def test_required_fields_are_read_like_others(package: ModuleType, draft: Any) -> None:
    """A required date-time or model of a request is converted as well."""
    data = {"name": "n", "when": "2030-05-17T12:00:00Z", "part": {"number": 1}}
    found = draft.from_dict(data)
    assert (NOON, package.models.Part(number=1)) == (found.when, found.part)
    assert data == found.to_dict()


def test_date_time_without_zone_is_not_sent(draft: Any) -> None:
    """A naive date-time is ambiguous, so it is refused instead of guessed."""
    with pytest.raises(ValueError, match="time zone"):
        draft(name="n", when=NOON.replace(tzinfo=None)).to_dict()


def test_date_time_is_sent_in_utc(draft: Any) -> None:
    """Another zone is converted."""
    when = NOON.astimezone(timezone(timedelta(hours=5)))
    assert draft(name="n", when=when).to_dict()["when"] == "2030-05-17T12:00:00Z"


@pytest.mark.parametrize("absent", [True, False])
def test_body_is_a_model_or_a_mapping(package: ModuleType, draft: Any, *, absent: bool) -> None:
    """A mapping may hold models, date-times, tuples and absent values; all become JSON."""
    make = function(package, "make_thing")
    part = package.models.Part(number=1)
    more = {"colour": package.types.UNSET} if absent else {}
    mapping = {"name": "n", "when": NOON, "part": part, "list": (part, NOON)} | more
    expected = {"name": "n", "when": "2030-05-17T12:00:00Z", "part": {"number": 1}}
    assert expected == make("p", body=draft(name="n", when=NOON, part=part)).json
    assert (
        expected | {"list": [{"number": 1}, "2030-05-17T12:00:00Z"]} == make("p", body=mapping).json
    )


@pytest.mark.parametrize("value", [b"bytes", object(), {"deep": [object()]}])
def test_value_that_is_no_json_is_refused(package: ModuleType, value: object) -> None:
    """A value that JSON cannot express fails before anything is sent, and is not shown."""
    with pytest.raises(TypeError, match="cannot be sent as JSON"):
        function(package, "make_thing")("p", body={"name": value})


@pytest.mark.parametrize("identifier", ["", ".", "..", "\udcff"])
@pytest.mark.parametrize("name", ["get_thing", "delete_thing"])
def test_id_that_leads_elsewhere_is_refused(
    package: ModuleType, name: str, identifier: str
) -> None:
    """An empty id hits the collection and dots another resource, so neither is built."""
    with pytest.raises(ValueError, match="thing_id"):
        function(package, name)("p", identifier)
    with pytest.raises(ValueError, match="project_id"):
        function(package, name)(identifier, "t")


@pytest.mark.parametrize(
    ("identifier", "segment"),
    [
        ("../../apps/x?y=1#f", "..%2F..%2Fapps%2Fx%3Fy%3D1%23f"),
        ("a/b", "a%2Fb"),
        ("a b%2F", "a%20b%252F"),
        ("...", "..."),
        ("a:send", "a%3Asend"),
        ("\u00e9\n", "%C3%A9%0A"),
    ],
)
def test_id_stays_one_segment_of_the_path(
    package: ModuleType, identifier: str, segment: str
) -> None:
    """Whatever is in an id, it cannot leave its place in the path."""
    found = function(package, "get_thing")("p", identifier)
    assert f"/v1/projects/p/things/{segment}" == found.path


@pytest.mark.parametrize("identifier", [None, 5, ["x"]])
def test_id_that_is_no_text_is_refused(package: ModuleType, identifier: object) -> None:
    """None would otherwise be sent as the id "None"."""
    with pytest.raises(TypeError, match="thing_id must be a str"):
        function(package, "get_thing")("p", identifier)


def test_id_of_another_type_is_spelt(build: Build) -> None:
    """A path parameter that the document says is a number can be given as one."""
    number = parameter("number", "path", schema=INTEGER)
    one = operation_of(build, operation("A_Get", number), THINGS + "/{number}")
    assert one("p", 5).path == "/v1/projects/p/things/5"


@pytest.mark.parametrize(("name", "key"), [("thing.id", "thing_id"), ("Thing-Id", "thing_id")])
def test_path_parameter_of_any_name_works(build: Build, name: str, key: str) -> None:
    """A dot or a dash in a path parameter does not lose the operation."""
    given = operation("A_Get", parameter(name, "path"))
    one = operation_of(build, given, f"{THINGS}/{{{name}}}")
    assert one("p", **{key: "x"}).path == "/v1/projects/p/things/x"


def test_query_parameters_are_spelt_as_documented(package: ModuleType) -> None:
    """Each type has one spelling, and the names are those of the document."""
    found = function(package, "search_things")(
        "p",
        must="m",
        size=5,
        active=True,
        since=NOON,
        names=["a", "b,c"],
        tags=["d", "e"],
        colour="BLUE",
        page_token="t",
        headers="h",
        response="r",
    )
    assert found.params == {
        "must": "m",
        "size": "5",
        "active": "true",
        "since": "2030-05-17T12:00:00Z",
        "names": ["a", "b,c"],
        "tags": "d,e",
        "colour": "BLUE",
        "pageToken": "t",
        "headers": "h",
        "response": "r",
    }


def test_query_parameters_that_are_not_given_do_not_travel(package: ModuleType) -> None:
    """Neither absence nor a default of the document is sent."""
    search = function(package, "search_things")
    assert search("p", must="m", size=None, names=None, tags=None).params == {"must": "m"}
    with pytest.raises(TypeError, match="must"):
        search("p")


def test_query_parameter_with_a_dot_keeps_its_name(build: Build) -> None:
    """The parameter is sent under its name in the document, whatever it is in Python."""
    given = operation("A_Get", parameter("filter.name"))
    assert operation_of(build, given)("p", filter_name="x").params == {"filter.name": "x"}


def test_list_parameter_that_is_a_component_is_joined(build: Build) -> None:
    """A list is comma-joined also when its schema is a reference."""
    given = operation("A_Get", parameter("names", schema=ref("Names"), explode=False))
    one = operation_of(build, given, Names=listed(STRING), Thing=obj(a=STRING))
    assert one("p", names=["a", "b"]).params == {"names": "a,b"}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "query",
            "joined",
            "dump",
            "path_segment",
            "body",
            "self",
            "value",
            "operation",
            "params",
        ),
        *("load_body", "Operation", "DateTime", "class", "from", "_models", "session"),
    ],
)
def test_any_query_parameter_name_works(build: Build, name: str) -> None:
    """No name of a parameter collides with what generated functions use."""
    one = operation(
        "A_Get",
        parameter(name),
        parameter("tags", schema=listed(STRING), explode=False),
        parameter("since", schema=MOMENT),
        response=ref("Thing"),
        body=ref("Thing"),
    )
    build_one = operation_of(build, one, Thing=obj(a=STRING))
    # The signature shows what the parameter is called in Python.
    names = [
        n for n in build_one.__annotations__ if n not in {"project_id", "tags", "since", "return"}
    ]
    mine = next((n for n in names if n != "body"), "body_")
    found = build_one("p", body={"a": "x"}, tags=["t"], since=NOON, **{mine: "v"})
    assert (found.params[name], found.params["tags"], found.json) == ("v", "t", {"a": "x"})
    assert found.load({"a": "x"}).a == "x"


def test_operation_carries_what_the_session_needs(package: ModuleType) -> None:
    """An operation is a value: id, method, path, and no body unless documented."""
    found = function(package, "delete_thing")("p", "t")
    sent = (found.method, found.path, found.params, found.json)
    assert sent == ("DELETE", "/v1/projects/p/things/t", {}, None)
    assert (found.id, found.load) == ("Things_DeleteThing", None)


def test_operation_shows_no_content(package: ModuleType) -> None:
    """The repr of an operation has its id and nothing of the caller's data."""
    found = function(package, "make_thing")("secret", body={"name": "secret"})
    assert repr(found) == "Operation(Things_MakeThing)"


# Responses of operations


def test_status_codes_are_not_looked_at(build: Build) -> None:
    """Generated code reads only the success response; the session handles the rest."""
    responses = {"201": content(ref("Thing")), "404": content(ref("Problem")), "default": {}}
    given = operation("A_Make", responses=responses)
    one = operation_of(build, given, Thing=obj(a=STRING), Problem=obj(b=STRING))("p")
    assert one.load({"a": "x"}).a == "x"
    assert not hasattr(one, "status_code")


@pytest.mark.parametrize("value", [None, "text", 5, [], [{}]])
def test_response_of_another_shape_is_an_error(package: ModuleType, value: object) -> None:
    """A response that is not an object raises an error without its content."""
    with pytest.raises(package.errors.UnexpectedShape, match="expected an object") as caught:
        function(package, "get_thing")("p", "t").load(value)
    assert "text" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ([], []),
        ([{"id": "1"}, {"id": "2"}], ["1", "2"]),
        ({"things": [{"id": "1"}]}, ["1"]),
        ({"id": "1"}, ["1"]),
    ],
)
def test_list_response_is_read_wrapped_or_alone(
    package: ModuleType, value: object, ids: list[str]
) -> None:
    """A response that is a list is read bare, wrapped in an object, or as a single item."""
    found = function(package, "search_things")("p", must="m").load(value)
    assert ids == [item.id for item in found]


@pytest.mark.parametrize("value", [None, "text", [1], [{}, None]])
def test_list_response_of_another_shape_is_an_error(package: ModuleType, value: object) -> None:
    """A list of anything but objects is not a valid response."""
    with pytest.raises(package.errors.UnexpectedShape, match="expected a list of objects"):
        function(package, "search_things")("p", must="m").load(value)


def test_one_bad_item_does_not_kill_a_page(package: ModuleType) -> None:
    """Unknown values inside one item leave the others as they are."""
    page = [{"id": "1"}, {"id": 2, "colour": {"novel": 1}, "at": "soon"}, {"id": "3"}]
    found = function(package, "search_things")("p", must="m").load(page)
    assert page == [item.to_dict() for item in found]
