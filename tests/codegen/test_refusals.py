"""What is refused, and the place that the refusal names."""

from __future__ import annotations

import pytest

from codegen.document import Node, followed
from codegen.normalise import normalise
from tests.helpers.codegen import (
    MOMENT,
    STRING,
    THINGS,
    content,
    document,
    enum,
    listed,
    obj,
    operation,
    parameter,
    ref,
    refusal,
    with_operation,
)

GET = f"paths.{THINGS}.get"
NOT_JSON = {"description": "Content.", "content": {"text/csv": {"schema": STRING}}}
BOTH = {"content": {"application/json": {"schema": obj()}, "text/csv": {"schema": STRING}}}
COMPONENT = "components.schemas."


def operation_with(body: object = None, **more: object) -> Node:
    """A document of one operation with unusual keys."""
    return with_operation(operation(body=body) | more, Thing=obj(name=STRING))


def parameter_with(name: str = "q", where: str = "query", /, **more: object) -> Node:
    """A document of one operation with an unusual parameter."""
    path = THINGS + "/{q}" if where == "path" else THINGS
    return with_operation(operation("Things_Get", parameter(name, where, **more)), path)


def paths_with(**items: Node) -> Node:
    """A document of several paths, each named by a word."""
    return document(paths={f"/{name}": item for name, item in items.items()})


def bare(identifier: str, **more: object) -> Node:
    """An operation without parameters."""
    return operation(identifier) | {"parameters": []} | more


@pytest.mark.parametrize(
    ("given", "place", "problem"),
    [
        (paths_with(a={"$ref": "#/paths/b"}), "paths./a", "a referenced path item"),
        (paths_with(a={"servers": []}), "paths./a", "its own servers"),
        (operation_with(operationId=""), GET, "has no operationId"),
        (operation_with(callbacks={}), GET, "callbacks would be dropped"),
        (operation_with(servers=[]), GET, "servers would be dropped"),
        (operation_with(tags=[]), GET, "needs exactly one tag"),
        (operation_with(tags=["A", "B"]), GET, "needs exactly one tag"),
        (
            paths_with(a={"get": bare("A_Get")}, b={"get": bare("A_Get")}),
            "paths./b.get",
            "repeats the operationId A_Get of paths./a.get",
        ),
        (
            paths_with(a={"get": bare("A_Get")}, b={"get": bare("B_Get")}),
            "paths./b.get",
            "gets the same method name as A_Get",
        ),
        (
            paths_with(
                a={"get": bare("A_Get", tags=["My Things"])},
                b={"get": bare("B_Get", tags=["my_things"])},
            ),
            "paths./b.get",
            "",
        ),
        (
            paths_with(a={"get": bare("A_GetThing")}, b={"get": bare("A_GetThingDetailed")}),
            "paths./b.get",
            "",
        ),
    ],
)
def test_path_that_would_be_lost_is_refused(given: Node, place: str, problem: str) -> None:
    """Paths and operations that the generator drops or overwrites are refused at their place."""
    found = refusal(given)
    assert place == found.place
    assert problem in found.problem


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (parameter_with("q", "header"), f"{GET}.q"),
        (parameter_with("q", "cookie"), f"{GET}.q"),
        (parameter_with(style="deepObject", schema={"type": "object"}), f"{GET}.q"),
        (parameter_with(style="pipeDelimited", schema=listed(STRING)), f"{GET}.q"),
        (parameter_with(schema={"type": "object"}), f"{GET}.q"),
        (parameter_with("q", "path", style="label"), f"paths.{THINGS}/{{q}}.get.q"),
        (parameter_with("q", "path", schema=listed(STRING)), f"paths.{THINGS}/{{q}}.get.q"),
        (
            with_operation(operation("A_Get", {"name": "q", "in": "query", "content": {}})),
            f"{GET}.q",
        ),
        (with_operation(operation("A_Get", {"name": "q", "schema": STRING})), f"{GET}.q"),
        (with_operation(operation("A_Get", {"$ref": "#/components/parameters/Q"})), GET),
        (with_operation(operation("A_Get", parameter("a-b"), parameter("a_b"))), GET),
        (
            with_operation(operation("A_Get", parameter("q", schema=ref("Q"))), Q=obj(a=STRING)),
            f"{GET}.q",
        ),
    ],
)
def test_parameter_that_would_be_spelt_wrongly_is_refused(given: Node, place: str) -> None:
    """A parameter whose encoding the generator does not know is refused by name."""
    assert place in refusal(given).place


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (operation_with(requestBody=BOTH), f"{GET}.requestBody"),
        (operation_with(requestBody=NOT_JSON), f"{GET}.requestBody"),
        (operation_with(requestBody={"content": {}}), f"{GET}.requestBody"),
        (operation_with(requestBody={"$ref": "#/components/requestBodies/X"}), GET),
        (operation_with(requestBody={"content": {"application/json": {}}}), GET),
        (operation_with(responses={}), f"{GET}.responses"),
        (operation_with(responses={"default": {}}), f"{GET}.responses"),
        (operation_with(responses={"2XX": {}}), f"{GET}.responses"),
        (operation_with(responses={"200": {}, "201": {}}), f"{GET}.responses"),
        (operation_with(responses={"200": NOT_JSON}), f"{GET}.responses.200"),
        (operation_with(responses={"200": {"content": {"application/json": {}}}}), GET),
        (operation_with(responses={"200": content(STRING)}), GET),
        (operation_with(responses={"200": content({})}), GET),
        (operation_with(body=enum("A")), GET),
    ],
)
def test_body_that_would_be_lost_is_refused(given: Node, place: str) -> None:
    """Bodies and responses that are not one JSON object are refused at their operation."""
    assert place in refusal(given).place


def test_second_success_does_not_hide_behind_a_default() -> None:
    """A default beside the one success is a failure and does no harm."""
    responses = {"200": content(ref("Thing")), "default": {"description": "Problem."}}
    one = normalise(operation_with(responses=responses))["paths"][THINGS]["get"]
    assert [*one["responses"]] == ["200"]


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "apiKey", "in": "header", "name": "X"},
        {"type": "openIdConnect", "openIdConnectUrl": "https://example.test"},
        {"type": "http", "scheme": "digest"},
        {"type": "mutualTLS"},
    ],
)
def test_security_that_the_wrapper_lacks_is_refused(scheme: Node) -> None:
    """A document that asks for another authentication is refused at its scheme."""
    given = document()
    given["components"]["securitySchemes"] = {"Other": scheme}
    assert refusal(given).place == "components.securitySchemes.Other"


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "oauth2", "flows": {}},
        {"type": "http", "scheme": "bearer"},
        {"type": "http", "scheme": "basic"},
    ],
)
def test_security_that_the_wrapper_has_is_accepted(scheme: Node) -> None:
    """Basic, bearer and OAuth2 belong to the session, so generated code knows nothing of them."""
    given = document(security=[{"Known": []}])
    given["components"]["securitySchemes"] = {"Known": scheme}
    result = normalise(given)
    assert [*result["components"]] == ["schemas"]
    assert "security" not in result


@pytest.mark.parametrize(
    ("schema", "inside"),
    [
        (True, ""),
        ({"type": ["string", "integer"]}, ""),
        ({"type": ["null"]}, ""),
        (enum(), ""),
        ({"enum": [1, 2]}, ""),
        ({"const": 1}, ""),
        ({"$ref": "#/components/schemas/Missing"}, ""),
        ({"$ref": "#/components/responses/Thing"}, ""),
        ({"$ref": "#/components/schemas/Thing/properties/x"}, ""),
        (obj(a=STRING) | {"additionalProperties": STRING}, ""),
        (obj(["b"], a=STRING), ""),
        ({"$ref": "#/components/schemas/Thing", "properties": {"more": STRING}}, ""),
        ({"oneOf": [STRING, {"type": "integer"}]}, ""),
        ({"oneOf": [ref("Thing"), STRING]}, ""),
        ({"allOf": [STRING, MOMENT]}, ""),
        ({"allOf": [STRING], "enum": ["A"]}, ""),
        ({"allOf": [ref("Thing")], "additionalProperties": STRING}, ""),
        ({"allOf": [obj(a=STRING), obj(a={"type": "integer"})]}, ".properties.a"),
        ({"allOf": [obj(a=ref("X")), obj(a=ref("Y"))]}, ".properties.a"),
        ({"allOf": [obj(a=enum("X")), obj(a={"type": "integer"})]}, ".properties.a"),
        ({"allOf": [obj(a=STRING), {"required": ["b"]}]}, ""),
        ({"oneOf": [obj(a=STRING), obj(a={"type": "integer"})]}, ".properties.a"),
        ({"anyOf": [obj(a=enum("X")), obj(a={"type": "integer"})]}, ".properties.a"),
        ({"anyOf": [obj(a=listed(STRING)), obj(a=STRING)]}, ".properties.a"),
        (obj(fooBar=STRING, foo_bar=STRING), ".properties.foo_bar"),
        ({"allOf": [ref("Tested")]}, ""),
    ],
)
def test_schema_that_no_class_expresses_is_refused(schema: object, inside: str) -> None:
    """A schema whose meaning would change is refused with its path in the document."""
    enums = {"X": enum("X"), "Y": enum("Y")}
    found = refusal(document({"Thing": obj(x=STRING), "Tested": schema, **enums}))
    assert f"{COMPONENT}Tested{inside}" == found.place


@pytest.mark.parametrize(
    "keyword",
    [
        *("not", "if", "then", "else", "patternProperties", "prefixItems", "propertyNames"),
        *("contains", "dependentRequired", "dependentSchemas", "unevaluatedItems"),
        *("unevaluatedProperties", "$dynamicRef", "$defs", "$id", "$anchor"),
    ],
)
def test_keyword_that_code_cannot_express_is_refused(keyword: str) -> None:
    """A keyword that changes which values are valid is refused by name."""
    found = refusal(document({"Thing": {"type": "object", keyword: {}}}))
    assert (f"{COMPONENT}Thing", f"uses {keyword}") == (found.place, found.problem.split(",")[0])


@pytest.mark.parametrize(
    ("wrapped", "inside"),
    [
        (lambda bad: obj(a=bad), ".properties.a"),
        (listed, ".items"),
        (lambda bad: {"type": "object", "additionalProperties": bad}, ".additionalProperties"),
        (lambda bad: {"allOf": [obj(), bad]}, ".allOf[1]"),
        (lambda bad: {"oneOf": [bad]}, ".oneOf[0]"),
        (lambda bad: {"anyOf": [bad]}, ".anyOf[0]"),
        (
            lambda bad: obj(a=listed(obj(b={"oneOf": [bad]}))),
            ".properties.a.items.properties.b.one",
        ),
    ],
)
def test_place_is_the_path_to_the_fault(wrapped: object, inside: str) -> None:
    """The place leads through properties, items and alternatives to the fault itself."""
    assert callable(wrapped)
    found = refusal(document({"Thing": wrapped({"not": {}})}))
    assert found.place.startswith(f"{COMPONENT}Thing{inside}")


@pytest.mark.parametrize(
    "bad",
    [
        {"not": {}},
        {"type": "integer", "enum": [1, 2]},
        ref("Missing"),
        {"type": ["string", "integer"]},
    ],
)
@pytest.mark.parametrize("where", ["body", "response", "parameter"])
def test_schema_written_inside_an_operation_is_checked_too(bad: Node, where: str) -> None:
    """A schema that stands in an operation is held to the same rules as a component."""
    one = {
        "body": operation("A_Get", body=obj(a=bad)),
        "response": operation("A_Get", response=obj(a=bad)),
        "parameter": operation("A_Get", parameter("a", schema=bad)),
    }[where]
    assert refusal(with_operation(one)).place.startswith(GET)


@pytest.mark.parametrize(
    "schema",
    [
        obj(inner=obj(["b"], a=STRING)),
        listed(obj(["b"], a=STRING)),
        {"oneOf": [obj(["b"], a=STRING), obj(c=STRING)]},
    ],
)
def test_required_name_of_a_nested_object_must_exist(schema: Node) -> None:
    """A required list that names no property is a slip, at any depth."""
    assert f"{COMPONENT}Thing" in refusal(document({"Thing": schema})).place


@pytest.mark.parametrize(
    ("components", "place"),
    [
        ({"FooBar": obj(a=STRING), "foo_bar": obj(b=STRING)}, "foo_bar"),
        ({"Abc": obj(a=STRING), "ABC": obj(b=STRING)}, "ABC"),
        ({"A": obj(b=obj(x=STRING)), "AB": obj(y=STRING)}, "AB"),
        # The class of the inline object would be written over that of Abc: both are abc.py.
        ({"Abc": obj(x=STRING), "AB": obj(c=obj(y=STRING))}, "ABC"),
        (
            {
                "T": {"oneOf": [obj(e=ref("A")), obj(e=ref("B"))]},
                "A": enum("A"),
                "B": enum("B"),
                "TE": obj(x=STRING),
            },
            "T.properties.e",
        ),
    ],
)
def test_two_schemas_of_one_name_are_refused(components: Node, place: str) -> None:
    """No class is written over another one."""
    assert f"{COMPONENT}{place}" == refusal(document(components)).place


def test_name_of_an_inline_body_must_be_free() -> None:
    """An inline body gets the name of its operation, unless a component has it."""
    given = with_operation(operation("A_Get", body=obj(a=STRING)), GetRequest=obj(b=STRING))
    found = refusal(given)
    assert GET in found.place
    assert "GetRequest" in found.problem


@pytest.mark.parametrize(
    "components", [{"A": listed(ref("A"))}, {"A": listed(ref("A")), "T": obj(a=ref("A"))}]
)
def test_list_of_itself_is_refused(components: Node) -> None:
    """A list that holds lists of the same kind has no class, so it has no type."""
    assert f"{COMPONENT}A" in refusal(document({"Thing": obj(), **components})).place


@pytest.mark.parametrize("item", [None, [], "text"])
def test_malformed_path_is_refused(item: object) -> None:
    """A path item that is not an object is named instead of ending in a traceback."""
    assert "paths./a" in refusal(document(paths={"/a": item})).place


def test_refusal_says_place_problem_and_remedy_in_one_line() -> None:
    """The text of a refusal is one line: where, what, what to do."""
    text = str(refusal(document({"Thing": {"not": {}}})))
    assert text == (
        "#/components/schemas/Thing: uses not, which generated code cannot express; "
        "repair it in an overlay"
    )


# Pointers

BAD: Node = {"not": {}}
HERE = "#/paths/" + THINGS.replace("/", "~1") + "/get"


@pytest.mark.parametrize(
    ("given", "pointer", "beyond"),
    [
        (
            document({"Thing": obj(a=listed(BAD))}),
            "#/components/schemas/Thing/properties/a/items",
            "",
        ),
        (document({"Thing": {"oneOf": [obj(), BAD]}}), "#/components/schemas/Thing/oneOf/1", ""),
        (document({"a.b": obj(**{"c.d": BAD})}), "#/components/schemas/a.b/properties/c.d", ""),
        (document({"a": obj(), "a.b": BAD}), "#/components/schemas/a.b", ""),
        (document({"a~b/c": BAD}), "#/components/schemas/a~0b~1c", ""),
        (operation_with(tags=[]), HERE, ""),
        (parameter_with("q", "header"), f"{HERE}/parameters/1", ""),
        (parameter_with(schema=obj(a=BAD)), f"{HERE}/parameters/1/schema/properties/a", ""),
        (
            with_operation(operation(body=obj(a=BAD))),
            f"{HERE}/requestBody/content/application~1json/schema/properties/a",
            "",
        ),
        (
            with_operation(operation(response=obj(a=BAD))),
            f"{HERE}/responses/200/content/application~1json/schema/properties/a",
            "",
        ),
        (operation_with(requestBody=NOT_JSON), f"{HERE}/requestBody", ""),
        (
            document({"T": {"allOf": [obj(a=STRING), obj(a={"type": "integer"})]}}),
            "#/components/schemas/T",
            "properties.a",
        ),
        (
            document({"Abc": obj(x=STRING), "AB": obj(c=obj(y=STRING))}),
            "#/components/schemas/Abc",
            "ABC",
        ),
    ],
)
def test_refusal_has_the_pointer_of_its_node(given: Node, pointer: str, beyond: str) -> None:
    """A JSON pointer leads to the deepest node that the place names, and says what lies beyond."""
    found = refusal(given)
    assert (pointer, beyond) == (found.pointer, found.beyond)
    inside = f" ({beyond})" if beyond else ""
    assert str(found).startswith(f"{pointer}{inside}: ")


def test_pointer_leads_to_the_node() -> None:
    """What the pointer of a refusal names can be looked up in the document."""
    given = document({"a~b/c": obj(x=listed(BAD))})
    assert followed(given, refusal(given).pointer) == BAD
