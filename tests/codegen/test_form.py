"""A document that is not valid OpenAPI is refused at the faulty node, never with a traceback."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from drift import compare

from codegen.document import Node, Refused
from codegen.normalise import normalise
from tests.helpers.codegen import THINGS, refusal
from tests.helpers.drift_cases import PATH, base

Edit = Callable[[Node], Any]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, "", "x", [], {}, [None], ["x"], {"a": None}),
    *({"$ref": "#/x"}, {"$ref": 5}, {"type": 5}, {"type": "string"}),
    *({"oneOf": []}, {"oneOf": 5}, {"enum": 5}, {"required": 5}),
]
KEYS = ["type", "enum", "required", "properties", "items", "oneOf", "allOf", "$ref", "schema"]
KEYS += ["parameters", "tags", "responses", "nullable", "const", "additionalProperties", "default"]


def get(given: Node) -> Node:
    """The operation that lists things."""
    found: Node = given["paths"][THINGS]["get"]
    return found


def thing(given: Node) -> Node:
    """The schema of a thing."""
    found: Node = given["components"]["schemas"]["Thing"]
    return found


THING = "#/components/schemas/Thing"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("info"), "info: is missing"),
        (lambda d: d.pop("openapi"), "openapi: is missing"),
        (lambda d: d["info"].update(version=1.0), "#/info/version: is not a string but a number"),
        (lambda d: d["info"].pop("title"), "#/info (title): is missing"),
        (lambda d: d.update(paths=[]), "#/paths: is not a mapping but a list"),
        (lambda d: d["components"].update(schemas="x"), "#/components/schemas: is not a mapping"),
        (lambda d: d["paths"].update({"/a": None}), "#/paths/~1a: is not a path item"),
        (lambda d: d["paths"][THINGS].update(put=[]), f"{PATH}/put: is not an operation"),
        (lambda d: get(d).update(operationId=5), f"{PATH}/get/operationId: is not a string"),
        (lambda d: get(d).update(tags="Things"), f"{PATH}/get/tags: is not a list but a string"),
        (lambda d: get(d)["parameters"].append(5), f"{PATH}/get/parameters/3: is not a parameter"),
        (
            lambda d: get(d).update(responses=True),
            f"{PATH}/get/responses: is not a mapping but a b",
        ),
        (lambda d: thing(d).update(properties=[]), f"{THING}/properties: is not a mapping"),
        (lambda d: thing(d).update(required="id"), f"{THING}/required: is not a list but a string"),
        (lambda d: thing(d).update(required=[1]), f"{THING}/required/0: is not a string"),
        (lambda d: thing(d).update(oneOf=[]), f"{THING}/oneOf: has no parts"),
        (
            lambda d: thing(d)["properties"].update(id=5),
            f"{THING}/properties/id: is not a schema but",
        ),
        (lambda d: thing(d).update(type=["string", 5]), f"{THING}/type/1: is not a string"),
        (
            lambda d: thing(d).update(additionalProperties=5),
            f"{THING}/additionalProperties: is not",
        ),
    ],
)
def test_node_of_another_form_is_refused_at_its_pointer(change: Edit, said: str) -> None:
    """A node of the wrong kind is named, with the kind it has."""
    given = base()
    change(given)
    assert str(refusal(given)).startswith(said)


def ways(node: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to all nodes of a document."""
    yield way
    children: Any = ()
    if isinstance(node, dict):
        children = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    for key, child in children:
        yield from ways(child, (*way, key))


def damaged(source: Node, chance: random.Random) -> Node:
    """A document in which one node is gone or is something else."""
    result = copy.deepcopy(source)
    *way, last = chance.choice([*ways(source)][1:])
    node: Any = result
    for key in way:
        node = node[key]
    value = copy.deepcopy(chance.choice(VALUES))
    kind = chance.choice(["gone", "replaced", "replaced", "extended"])
    if kind == "gone":
        del node[last]
    elif kind == "replaced" or not isinstance(node[last], dict):
        node[last] = value
    else:
        node[last][chance.choice(KEYS)] = value
    return result


def outcome(act: Callable[..., object], *arguments: Node) -> str:
    """What is said of documents; nothing, when they are accepted."""
    try:
        act(*arguments)
    except Refused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("seed", range(4))
def test_damaged_document_is_refused_or_accepted(seed: int) -> None:
    """Whatever is damaged in a document, both generation and comparison say so or go on."""
    chance, source = random.Random(seed), base()  # noqa: S311 - reproducible, not secret
    for _ in range(200):
        given = damaged(source, chance)
        outcomes = [outcome(normalise, given), outcome(compare.compare, source, given)]
        assert all("\n" not in said for said in outcomes)
