"""Comparing documents by their meaning: what is reported, and as what."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from drift import compare
from drift.change import Change, Direction, Kind, merged, worst

from codegen.document import Node, Refused
from codegen.reading import load
from tests.helpers.codegen import DOCUMENTS, STRING, enum, listed, obj, ref
from tests.helpers.drift_cases import (
    BOTH,
    BREAKING,
    CASES,
    REQUEST,
    RESPONSE,
    SCHEMAS,
    Case,
    base,
    field,
    schema,
)

Edit = Callable[[Node], object]
NAMES = ["conversation", "batch", "template"]


def worst_of(changes: list[Change]) -> tuple[Kind, Direction, list[str]]:
    """The worst kind, the directions of such changes, and where they stand."""
    kind = worst(change.kind for change in changes)
    top = [change for change in changes if change.kind is kind]
    direction = Direction.NONE
    for change in top:
        direction |= change.direction
    return kind, direction, [change.pointer for change in top]


def is_as_expected(case: Case, changes: list[Change]) -> bool:
    """Tell whether the worst of some changes is what a case expects."""
    kind, direction, pointers = worst_of(changes)
    way = not kind or direction is case.direction
    return kind is case.kind and way and (not case.pointer or case.pointer in pointers)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_single_change_is_reported_as_what_it_is(case: Case) -> None:
    """A change has its kind, its direction and its JSON pointer."""
    changes = compare.compare(base(), case.revision())
    assert is_as_expected(case, changes), changes


def test_set_of_single_changes_is_large_enough() -> None:
    """The kinds of change are many: a handful of documents proves little."""
    assert len(CASES) >= 50


@pytest.mark.parametrize("name", NAMES)
def test_document_equals_itself(name: str) -> None:
    """Nothing is reported where nothing changed, in documents of every kind of schema."""
    document = load(DOCUMENTS / f"{name}.yaml")
    assert compare.compare(document, copy.deepcopy(document)) == []


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_lost_properties_of_a_real_document_are_reported(name: str, number: int) -> None:
    """Wherever a property goes, also in callbacks and below unions, a breaking change says so."""
    document = load(DOCUMENTS / f"{name}.yaml")
    revision = copy.deepcopy(document)
    lost = set()
    for component, found in revision["components"]["schemas"].items():
        names = [*found.get("properties", {})]
        if number < len(names):
            del found["properties"][names[number]]
            lost.add(f"{SCHEMAS}/{component}/properties/{names[number]}")
    changes = compare.compare(document, revision)
    reported = {one.pointer for one in changes if one.kind is BREAKING}
    assert lost - reported == set()


# Words, renames and spellings


def reported(
    change: Callable[[Node], object], before: Callable[[Node], object] | None = None
) -> list[tuple[str, str]]:
    """Kind and text of the changes that something makes to the document."""
    old = base()
    if before:
        before(old)
    new = copy.deepcopy(old)
    change(new)
    return [(str(one.kind), one.text) for one in compare.compare(old, new)]


def rename_owner(given: Node) -> None:
    """Call the owner a person."""
    found = given["components"]["schemas"]
    found["Person"] = found.pop("Owner")
    for name in ("Thing", "Draft"):
        found[name]["properties"]["owner"] = ref("Person")


def test_renamed_schema_is_recognised() -> None:
    """A schema of another name and the same meaning is one neutral change, not two."""
    assert reported(rename_owner) == [("neutral", "schema Owner is now called Person")]


def test_renamed_callback_schema_is_recognised() -> None:
    """So is one that no operation refers to."""

    def rename(given: Node) -> None:
        found = given["components"]["schemas"]
        found["ThingNotice"] = found.pop("ThingEvent")

    assert reported(rename) == [("neutral", "schema ThingEvent is now called ThingNotice")]


def test_rename_hides_no_change() -> None:
    """What changed besides the name is reported as well."""

    def change(given: Node) -> None:
        rename_owner(given)
        schema(given, "Person")["properties"].pop("name")

    assert reported(change) == [
        ("breaking", "property name was removed"),
        ("neutral", "schema Owner is now called Person"),
    ]


WORDS: list[tuple[Edit, str]] = [
    (lambda d: field(d, "Thing", "size").pop("type"), "breaking type became anything, was number"),
    (lambda d: field(d, "Draft", "size").pop("type"), "additive type became anything, was number"),
    (
        lambda d: field(d, "Thing", "kind").pop("enum"),
        "additive the value is no longer one of a list",
    ),
    (lambda d: field(d, "Draft", "name").update(enum("A")), "breaking the value is one of a list"),
    (lambda d: field(d, "Draft", "name").update(minLength=2), "breaking minLength 2 was added"),
    (lambda d: field(d, "Draft", "name").update(default="x"), 'additive default "x" was added'),
    (lambda d: field(d, "Draft", "name").update({"x-new": 1}), "neutral x-new was reworded"),
    (lambda d: field(d, "Draft", "name").update({"not": {}}), "breaking not {} was added"),
    (
        lambda d: field(d, "Draft", "parts")["items"].update(type="integer"),
        "breaking type became integer, was string",
    ),
    (
        lambda d: schema(d, "Draft").update(additionalProperties=False),
        "breaking fewer values are valid as additional fields",
    ),
    (
        lambda d: schema(d, "Thing").update(additionalProperties=STRING),
        "additive fewer values are valid as additional fields",
    ),
    (lambda d: schema(d, "Thing").update(required=[]), "breaking id is no longer required"),
    (lambda d: d["components"]["schemas"].update(New=obj()), "additive schema New was added"),
    (
        lambda d: d["components"]["securitySchemes"]["basic"].update(scheme="bearer"),
        "breaking authentication basic was changed",
    ),
    (lambda d: d.update(webhooks={"a": {}}), "additive webhook a was added"),
    (lambda d: d.update(tags=[{"name": "Things"}]), "neutral tags was reworded"),
    (lambda d: d.pop("security"), "additive authentication became the default, was basic"),
    (
        lambda d: schema(d, "Look").update(allOf=[obj(a=STRING), obj(b=STRING)]),
        "breaking became a composition by allOf",
    ),
]


@pytest.mark.parametrize(("change", "expected"), WORDS)
def test_change_is_described_in_words(change: Edit, expected: str) -> None:
    """The text of a change says what became of what."""
    kind, text = expected.split(" ", 1)
    assert (kind, text) in reported(change)


def test_list_that_becomes_another_type_is_one_change() -> None:
    """The items are not compared when the schema is no longer a list."""
    found = reported(
        lambda d: d["components"]["schemas"]["Draft"]["properties"].update(parts=STRING)
    )
    assert ("breaking", "type became string, was array") in found
    assert all("anything" not in text for _, text in found)


def test_null_is_spelt_in_two_ways() -> None:
    """Nullable and a list of types mean the same."""
    ways: list[Node] = [
        {"type": "string", "nullable": True},
        {"type": ["string", "null"]},
    ]

    def spelling(way: Node) -> Edit:
        return lambda d: schema(d, "Thing")["properties"].update(id=way)

    assert [] == [
        found for old in ways for new in ways for found in reported(spelling(new), spelling(old))
    ]


def test_exclusive_bounds_are_spelt_in_two_ways() -> None:
    """A flag beside the bound in OpenAPI 3.0, a bound of its own in 3.1."""
    older: Node = {"minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}
    newer: Node = {"exclusiveMinimum": 0, "maximum": 9}

    def spelling(way: Node) -> Edit:
        return lambda d: schema(d, "Thing")["properties"].update(size={"type": "number"} | way)

    assert [] == [
        *reported(spelling(newer), spelling(older)),
        *reported(spelling(older), spelling(newer)),
    ]
    assert reported(spelling(newer | {"exclusiveMinimum": 1}), spelling(older)) == [
        ("additive", "exclusiveMinimum became 1, was 0")
    ]


def test_reference_that_carries_a_description_is_the_reference() -> None:
    """An allOf of one reference, written to describe it, changes nothing that travels."""
    found = reported(
        lambda d: schema(d, "Thing")["properties"].update(
            owner={"allOf": [ref("Owner")], "description": "Whose it is."}
        )
    )
    assert found == []


def test_schema_that_contains_itself_is_compared() -> None:
    """A walk through a schema that refers to itself comes to an end."""

    def grow(given: Node) -> None:
        schema(given, "Owner")["properties"]["friends"] = listed(ref("Owner"))

    change: list[tuple[str, str]] = reported(
        lambda d: schema(d, "Owner")["properties"].pop("name"), grow
    )
    assert change == [("breaking", "property name was removed")]


@pytest.mark.parametrize(
    "broken",
    [
        lambda d: field(d, "Thing", "owner").update({"$ref": "#/components/schemas/Nobody"}),
        lambda d: d["paths"].update({"/a": {"get": "text"}}),
        lambda d: d["components"].update(schemas=[]),
        lambda d: d.update(paths=[]),
    ],
)
def test_invalid_document_is_refused(broken: Edit) -> None:
    """A document that cannot be walked is refused instead of ending in a traceback."""
    revision = base()
    broken(revision)
    with pytest.raises(Refused, match="cannot be compared"):
        compare.compare(base(), revision)


def test_changes_of_both_directions_are_one() -> None:
    """A schema that is sent and received has one change, of the worse kind."""
    place, text = f"{SCHEMAS}/Owner/required", "name became required"
    one = Change(place, Kind.ADDITIVE, RESPONSE, text)
    two = Change(place, BREAKING, REQUEST, text)
    assert merged([one, two]) == [Change(place, BREAKING, BOTH, text)]


def test_directions_have_words() -> None:
    """Each direction is a word in reports."""
    words = [str(one) for one in (Direction.NONE, REQUEST, RESPONSE, BOTH)]
    assert words == ["document", "request", "response", "both"]
