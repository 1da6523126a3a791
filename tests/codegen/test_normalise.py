"""What the normaliser makes of the constructs that the generator gets wrong."""

from __future__ import annotations

import copy

import pytest

from codegen.document import Node
from codegen.normalise import normalise
from tests.helpers.codegen import (
    MOMENT,
    PROJECT,
    STRING,
    THINGS,
    content,
    document,
    enum,
    listed,
    normalised,
    normalised_operation,
    obj,
    operation,
    parameter,
    ref,
    with_operation,
)

DOTTED = THINGS + "/{thing.id}"


def test_document_stays_as_it_was() -> None:
    """Normalising changes nothing in what it is given."""
    given = with_operation(operation(body=obj(["a"], a=obj(b=enum("X")))), Thing=obj(a=STRING))
    before = copy.deepcopy(given)
    normalise(given)
    assert before == given


# Operations


def test_dot_in_a_path_parameter_is_replaced() -> None:
    """The generator skips paths with dots in a parameter, so path and parameter are renamed."""
    one = operation("Things_Get", parameter("thing.id", "path"))
    (path,) = normalise(with_operation(one, DOTTED))["paths"]
    assert path == THINGS + "/{thing_id}"
    names = [p["name"] for p in normalised_operation(one, DOTTED)["parameters"]]
    assert names == ["project_id", "thing_id"]


def test_dot_in_a_query_parameter_stays() -> None:
    """The name of a query parameter travels, so it is not changed."""
    one = normalised_operation(operation("Things_Get", parameter("filter.name")))
    assert [p["name"] for p in one["parameters"]] == ["project_id", "filter.name"]


def test_operation_is_named_without_the_prefix_of_its_tag() -> None:
    """The method name is the last part of the id in snake case; the id itself is kept."""
    one = normalised_operation(operation("Things_v2_ListThings"))
    assert (one["operationId"], one["x-operation-id"]) == ("list_things", "Things_v2_ListThings")


def test_only_the_success_is_left_of_the_responses() -> None:
    """Failures belong to the session, so no generated code parses them."""
    responses = {
        "202": content(ref("Thing")),
        "400": content(ref("Problem")),
        "default": content(ref("Problem")),
    }
    one = operation(responses=responses)
    found = normalised_operation(one, Thing=obj(a=STRING), Problem=obj(b=STRING))
    assert [*found["responses"]] == ["202"]


def test_parameters_of_the_path_are_inherited() -> None:
    """Path parameters apply to each operation, which may replace them."""
    own = parameter("q", description="Own.")
    item = {
        "parameters": [PROJECT, parameter("q", description="Shared."), parameter("r")],
        "get": operation("A_Get") | {"parameters": [own]},
    }
    one = normalise(document(paths={THINGS: item}))["paths"][THINGS]["get"]
    found = {p["name"]: p["schema"].get("description") for p in one["parameters"]}
    assert found == {"q": "Own.", "project_id": None, "r": None}


def test_referenced_parameters_bodies_and_responses_are_resolved() -> None:
    """Components that are not schemas are put in their places."""
    one = operation(
        "A_Get",
        {"$ref": "#/components/parameters/Q"},
        requestBody={"$ref": "#/components/requestBodies/B"},
        responses={"200": {"$ref": "#/components/responses/R"}},
    )
    given = with_operation(one, Thing=obj(a=STRING))
    given["components"] |= {
        "parameters": {"Q": parameter("q")},
        "requestBodies": {"B": content(ref("Thing"))},
        "responses": {"R": content(ref("Thing"))},
    }
    result = normalise(given)
    found = result["paths"][THINGS]["get"]
    assert found["parameters"][-1]["name"] == "q"
    assert ref("Thing") == found["requestBody"]["content"]["application/json"]["schema"]
    assert ref("Thing") == found["responses"]["200"]["content"]["application/json"]["schema"]
    assert [*result["components"]] == ["schemas"]


@pytest.mark.parametrize(
    ("more", "joined"),
    [
        ({"schema": listed(STRING)}, []),
        ({"schema": listed(STRING), "explode": True}, []),
        ({"schema": listed(STRING), "explode": False}, ["q"]),
        ({"schema": listed(STRING), "style": "form", "explode": False}, ["q"]),
        ({"schema": ref("Names"), "explode": False}, ["q"]),
        ({"schema": STRING, "explode": False}, []),
    ],
)
def test_comma_joined_parameters_are_marked(more: Node, joined: list[str]) -> None:
    """A list that is not exploded travels as one value, also when its schema is a component."""
    one = operation("A_Get", parameter("q", **more))
    found = normalised_operation(one, Names=listed(STRING), Thing=obj(a=STRING))
    assert joined == found["x-comma-joined"]


def test_inline_bodies_are_named_after_the_operation() -> None:
    """An object written inside an operation becomes a component."""
    one = operation("Things_MakeThing", body=obj(a=STRING), response=obj(b=STRING))
    result = normalise(with_operation(one, Thing=obj(c=STRING)))
    assert {"Thing", "MakeThingRequest", "MakeThingResponse"} == set(
        result["components"]["schemas"]
    )


def test_keywords_beside_a_referenced_body_are_kept() -> None:
    """A body that is a component and more becomes one object of both."""
    body = ref("Thing") | {"required": ["a"], "properties": {"b": STRING}}
    result = normalise(with_operation(operation("A_Make", body=body), Thing=obj(a=STRING)))
    expected = {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a"]}
    assert expected == result["components"]["schemas"]["MakeRequest"]


# Simple values


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (STRING | {"default": "x", "maxLength": 5, "pattern": "^x", "example": "x"}, STRING),
        (STRING | {"nullable": True, "readOnly": True, "x-note": "n"}, STRING),
        ({"type": "integer", "default": 3, "minimum": 1, "format": "int32"}, {"type": "integer"}),
        ({"type": ["string", "null"]}, STRING),
        (STRING | {"format": "uuid"}, STRING),
        (STRING | {"format": "date"}, STRING),
        (MOMENT, MOMENT),
        ({"anyOf": [STRING, {"type": "null"}]}, STRING),
        ({"oneOf": [ref("Other"), {"type": "null"}]}, ref("Other")),
        ({"allOf": [ref("Other")], "default": {}, "nullable": True}, ref("Other")),
        ({"allOf": [ref("Other")], "description": "D"}, ref("Other") | {"description": "D"}),
        ({"items": STRING, "uniqueItems": True, "maxItems": 3}, listed(STRING)),
        (STRING | {"deprecated": True}, STRING | {"description": "Deprecated."}),
        (ref("Alias"), listed(STRING)),
        ({"additionalProperties": STRING}, {"type": "object", "additionalProperties": STRING}),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
    ],
)
def test_value_is_reduced_to_what_the_type_needs(schema: Node, expected: Node) -> None:
    """Limits, defaults, null and unknown formats are left out: checking is the server's."""
    found = normalised(Thing=obj(a=schema), Other=obj(b=STRING), Alias=listed(STRING))
    value = found["Thing"]["properties"]["a"]
    assert expected == {k: v for k, v in value.items() if k in expected or k != "description"}


def test_default_is_stripped_at_every_depth_but_a_field_of_that_name_stays() -> None:
    """A default would be sent; a property that is called default is data."""
    inner = obj(default=STRING | {"default": "x"}) | {"default": {}}
    found = normalised(Thing=obj(a=listed(inner)))
    assert {key: found["ThingAItem"][key] for key in ("type", "properties")} == {
        "type": "object",
        "properties": {"default": STRING},
    }


def test_parameters_lose_their_defaults_too() -> None:
    """The default of a query parameter is not sent either."""
    schema = {"type": "integer", "default": 10, "maximum": 50}
    one = normalised_operation(operation("A_Get", parameter("size", schema=schema)))
    assert one["parameters"][-1]["schema"] == {"type": "integer"}


def test_closed_objects_are_opened() -> None:
    """Unknown fields are kept, also where the document forbids them."""
    found = normalised(Thing=obj(a=STRING) | {"additionalProperties": False})
    assert found["Thing"] == {"type": "object", "properties": {"a": STRING}}


@pytest.mark.parametrize(
    "schema", [enum("en", "EN", None), {"enum": ["en", "EN"]}, {"const": "en"}]
)
def test_enums_are_lists_of_strings(schema: Node) -> None:
    """Values that differ in case are different, null is absence, a constant is an enum of one."""
    expected = ["en"] if "const" in schema else ["en", "EN"]
    assert enum(*expected) == normalised(Thing=obj(), Colour=schema)["Colour"]


def test_discriminator_is_dissolved() -> None:
    """Alternatives with a discriminator become one class, which has the telling field."""
    cat, dog = obj(kind=STRING, purrs=STRING), obj(kind=STRING, barks=STRING)
    pet = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}}
    found = normalised(Pet=pet, Cat=cat, Dog=dog)["Pet"]
    assert {"kind", "purrs", "barks"} == set(found["properties"])
    assert "discriminator" not in found


# Hoisting


def test_inline_objects_get_the_path_as_their_name() -> None:
    """Without a title the name is that of parent and property; Item and Value are added."""
    deep = listed(obj(c=enum("X")))
    found = normalised(Thing=obj(a=obj(b=deep), m={"additionalProperties": obj(d=STRING)}))
    assert {"Thing", "ThingA", "ThingAB" + "Item", "ThingABItemC", "ThingMValue"} == set(found)
    assert ref("ThingA") == found["Thing"]["properties"]["a"]


def test_inline_object_in_an_inline_alternative_is_hoisted() -> None:
    """The generator removes such a model and still imports it."""
    found = normalised(Thing={"oneOf": [obj(a=obj(x=STRING)), obj(b=STRING)]})
    assert {"Thing", "ThingA"} == set(found)
    assert {"a": ref("ThingA"), "b": STRING} == found["Thing"]["properties"]


def titled(title: str, /, **properties: object) -> Node:
    """An inline object with a title."""
    return obj(**properties) | {"title": title}


def test_titles_name_inline_objects() -> None:
    """A title that means one thing is the name, wherever it stands."""
    found = normalised(A=obj(i=titled("An Item", x=STRING)), B=obj(j=titled("An Item", x=STRING)))
    assert {"A", "B", "AnItem"} == set(found)
    assert ref("AnItem") == found["B"]["properties"]["j"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"x": STRING}, {"y": STRING}),
        ({"x": STRING, "description": STRING}, {"x": STRING}),
        ({"x": STRING, "example": STRING}, {"x": STRING}),
        ({"x": STRING, "x-y": STRING}, {"x": STRING}),
    ],
)
def test_titles_that_clash_name_nothing(first: Node, second: Node) -> None:
    """Where a title means two things both get their path as name, so that no field is lost."""
    found = normalised(A=obj(i=titled("Item", **first)), B=obj(j=titled("Item", **second)))
    assert {"A", "B", "AI", "BJ"} == set(found)
    assert (set(first), set(second)) == tuple(set(found[n]["properties"]) for n in ("AI", "BJ"))


def test_title_that_is_a_component_names_nothing() -> None:
    """The name of a component belongs to it, whatever the case."""
    found = normalised(Item=obj(x=STRING), A=obj(i=titled("ITEM", y=STRING)))
    assert {"Item", "A", "AI"} == set(found)


def test_names_do_not_depend_on_the_order() -> None:
    """Swapping components and properties gives the same names."""
    one, two = obj(i=titled("Item", x=STRING)), obj(j=titled("Item", y=STRING), k=obj(z=STRING))
    assert set(normalised(A=one, B=two)) == set(normalised(B=two, A=one))


# Compositions


def test_one_of_becomes_one_object_of_all_fields() -> None:
    """A union holds the fields of all alternatives, every one optional."""
    found = normalised(
        Thing={"oneOf": [ref("Text"), ref("Card")]},
        Text=obj(["text"], text=STRING),
        Card=obj(["card"], card=STRING),
    )["Thing"]
    assert found == {"type": "object", "properties": {"text": STRING, "card": STRING}}


def test_properties_beside_one_of_are_kept() -> None:
    """The generator loses either half; here both are there."""
    found = normalised(Thing=obj(a=STRING) | {"oneOf": [obj(b=STRING), obj(c=STRING)]})["Thing"]
    assert {"a", "b", "c"} == set(found["properties"])


def test_one_of_inside_all_of_is_flattened() -> None:
    """Nested compositions become one object."""
    inner = {"oneOf": [ref("Text"), obj(card=STRING)]}
    found = normalised(Thing={"allOf": [inner, obj(a=STRING)]}, Text=obj(text=STRING))["Thing"]
    assert {"text", "card", "a"} == set(found["properties"])


def test_description_of_the_whole_wins() -> None:
    """A composition keeps its own description, not that of a part."""
    part = obj(a=STRING) | {"description": "Part."}
    found = normalised(Thing={"allOf": [part, obj(b=STRING)], "description": "Whole."})
    assert found["Thing"]["description"] == "Whole."


@pytest.mark.parametrize(
    ("key", "required"), [("allOf", ["a", "b", "c"]), ("oneOf", ["b"]), ("anyOf", ["b"])]
)
def test_required_of_a_composition(key: str, required: list[str]) -> None:
    """An allOf requires what any part does, a union only what all parts do."""
    parts = [obj(["a", "b"], a=STRING, b=STRING), obj(["b", "c"], b=STRING, c=STRING)]
    one = operation("A_Make", body=ref("Thing"))
    result = normalise(with_operation(one, Thing={key: parts}))
    assert required == result["components"]["schemas"]["Thing"]["required"]


def merged(key: str, first: object, second: object, **components: object) -> dict[str, Node]:
    """The components after two parts that share the field a."""
    return normalised(Thing={key: [obj(a=first), obj(a=second)]}, **components)


@pytest.mark.parametrize("key", ["oneOf", "anyOf"])
def test_union_of_enums_has_the_values_of_both(key: str) -> None:
    """A field that is one enum or another is an enum of all values."""
    found = merged(key, ref("X"), ref("Y"), X=enum("A", "B"), Y=enum("B", "C"))
    assert ref("ThingA") == found["Thing"]["properties"]["a"]
    assert enum("A", "B", "C") == found["ThingA"]


def test_union_of_three_enums_has_the_values_of_all() -> None:
    """The third alternative joins the result of the first two."""
    parts = [obj(a=ref(name)) for name in "XYZ"]
    enums = {name: enum(name) for name in "XYZ"}
    assert enum("X", "Y", "Z") == normalised(Thing={"oneOf": parts}, **enums)["ThingA"]


def test_intersection_of_enums_has_the_common_values() -> None:
    """A field that must satisfy two enums has the values of both only."""
    found = merged("allOf", ref("X"), ref("Y"), X=enum("A", "B"), Y=enum("B", "C"))
    assert enum("B") == found["ThingA"]


@pytest.mark.parametrize(
    ("key", "expected"), [("allOf", ref("X")), ("oneOf", STRING), ("anyOf", STRING)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_enum_and_string(key: str, expected: Node, *, turned: bool) -> None:
    """An allOf narrows a string to the enum, a union widens the enum to the string."""
    pair = (STRING, ref("X")) if turned else (ref("X"), STRING)
    assert expected == merged(key, *pair, X=enum("A"))["Thing"]["properties"]["a"]


def test_union_of_objects_is_merged_at_every_depth() -> None:
    """Alternatives that share a field of two object types get a class of both, recursively."""
    found = merged(
        "oneOf",
        ref("X"),
        ref("Y"),
        X=obj(n=ref("N"), x=STRING),
        Y=obj(n=ref("M"), y=STRING),
        N=obj(one=STRING),
        M=obj(two=STRING),
    )
    assert ref("ThingA") == found["Thing"]["properties"]["a"]
    assert {"n": ref("ThingAN"), "x": STRING, "y": STRING} == found["ThingA"]["properties"]
    assert found["ThingAN"]["properties"] == {"one": STRING, "two": STRING}


@pytest.mark.parametrize("key", ["allOf", "oneOf", "anyOf"])
def test_equal_fields_meet_without_a_new_type(key: str) -> None:
    """Fields that mean the same are one field, however they are described."""
    found = merged(key, MOMENT | {"description": "One."}, MOMENT | {"description": "Two."})
    assert {"Thing"} == set(found)
    assert found["Thing"]["properties"]["a"]["description"] == "One."


def test_field_called_description_counts_when_types_are_compared() -> None:
    """Objects that differ in a field of that name are different, and neither field is lost."""
    found = merged("oneOf", ref("X"), ref("Y"), X=obj(description=STRING), Y=obj())
    target = found[found["Thing"]["properties"]["a"]["$ref"].rsplit("/", 1)[-1]]
    assert "description" in target["properties"]


def test_recursive_objects_stay_references() -> None:
    """An object may contain itself through a property or a list."""
    found = normalised(Node=obj(next=ref("Node"), children=listed(ref("Node"))))["Node"]
    assert {"next": ref("Node"), "children": listed(ref("Node"))} == found["properties"]


# Required lists


def required_of(**more: object) -> dict[str, list[str] | None]:
    """The required lists of components around one operation."""
    components = {
        "Body": obj(["a", "shared"], a=STRING, shared=ref("Shared"), only=ref("Only")),
        "Answer": obj(["b"], b=STRING, shared=ref("Shared")),
        "Shared": obj(["c"], c=STRING),
        "Only": obj(["d"], d=STRING, deep=obj(["e"], e=STRING)),
        "Callback": obj(["f"], f=STRING, data=ref("Payload")),
        "Payload": obj(["g"], g=STRING),
    }
    result = normalise(with_operation(operation("A_Make", **more), **components))
    return {name: s.get("required") for name, s in result["components"]["schemas"].items()}


def test_required_is_kept_only_for_what_only_the_caller_writes() -> None:
    """Bodies keep their required lists; responses, shared parts and callbacks lose theirs."""
    found = required_of(body=ref("Body"), response=ref("Answer"))
    kept = {"Body": ["a", "shared"], "Only": ["d"], "OnlyDeep": ["e"]}
    assert kept == {name: names for name, names in found.items() if names}


def test_required_is_relaxed_when_the_body_is_also_a_response() -> None:
    """A component that travels both ways may come back incomplete."""
    found = required_of(body=ref("Body"), response=ref("Body"))
    assert {name: names for name, names in found.items() if names} == {}


def test_required_of_alternatives_is_asked_before_they_dissolve() -> None:
    """What a body contains through an allOf still counts as written by the caller."""
    parts = {"Thing": {"allOf": [ref("Part"), obj(["b"], b=ref("Deep"))]}}
    parts |= {"Part": obj(["a"], a=STRING), "Deep": obj(["c"], c=STRING)}
    result = normalise(with_operation(operation("A_Make", body=ref("Thing")), **parts))
    found = result["components"]["schemas"]
    assert (found["Thing"]["required"], found["Deep"]["required"]) == (["a", "b"], ["c"])
