"""The second view of a change: the public surface of generated code, before and after.

One change of each kind, with a program that is right before it and fails after it. The contract
calls some of these changes additive, or sees nothing at all; the surface does not.
"""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from drift.change import Kind, worst
from drift.compare import compare
from drift.impact import Touched
from drift.report import DocumentReport, Finding, Report

from codegen.document import Node, schemas
from codegen.reading import load
from codegen.render import render
from codegen.surface import compared, surface
from tests.helpers.codegen import (
    DOCUMENTS,
    GENERATED,
    PACKAGES,
    STRING,
    THINGS,
    Build,
    builder,
    document,
    enum,
    listed,
    obj,
    operation,
    parameter,
    ref,
)

Edit = Callable[[Node], Any]
Program = Callable[[ModuleType], object]


def base() -> Node:
    """The document of a small API; every part of it is used by one of the programs."""
    components = {
        "Thing": obj(
            id=STRING, meta={"type": "object"}, kind=ref("Kind"), look=ref("Look"), made=STRING
        ),
        "Kind": enum("ROUND", "FLAT"),
        "Look": obj(colour=STRING),
        "Common": obj(agent=STRING),
        "Draft": {"allOf": [obj(["name"], name=STRING, note=STRING), ref("Common")]},
        "Event": {"oneOf": [ref("Comment"), ref("Reaction")]},
        "Comment": obj(comment_event=STRING),
        "Reaction": obj(reaction_event=STRING),
    }
    page = obj(things=listed(ref("Thing")), next_page_token=STRING)
    colour, size = parameter("colour"), parameter("size", schema={"type": "integer"})
    one = parameter("thing_id", "path")
    paths = {
        THINGS: {
            "get": operation("Things_ListThings", colour, size, response=page),
            "post": operation("Things_MakeThing", body=ref("Draft"), response=ref("Thing")),
        },
        THINGS + "/{thing_id}": {
            "get": operation("Things_GetThing", one, response=ref("Thing")),
            "delete": operation("Things_DropThing", one),
        },
    }
    return document(components, paths)


def prop(given: Node, name: str) -> dict[str, Node]:
    """The properties of a component."""
    found: dict[str, Node] = given["components"]["schemas"][name]["properties"]
    return found


def at(given: Node, path: str, method: str) -> Node:
    """An operation."""
    found: Node = given["paths"][path][method]
    return found


def renamed(given: Node, old: str, new: str) -> None:
    """Give a property of Thing another name."""
    prop(given, "Thing")[new] = prop(given, "Thing").pop(old)


def copied(given: Node) -> None:
    """Let an operation answer with a copy of its schema."""
    given["components"]["schemas"]["ThingDetail"] = given["components"]["schemas"]["Thing"] | {}
    response = at(given, ONE, "get")["responses"]["200"]
    response["content"]["application/json"]["schema"] = ref("ThingDetail")


def page_of(given: Node) -> dict[str, Node]:
    """The properties of a page."""
    response = at(given, THINGS, "get")["responses"]["200"]
    found: dict[str, Node] = response["content"]["application/json"]["schema"]["properties"]
    return found


def call(api: ModuleType, tag: str, name: str, *given: object, **more: object) -> Any:
    """Build an operation, as a method of the client does."""
    module = getattr(getattr(api.api, tag), name)
    return getattr(module, name)("p", *given, **more)


def read(api: ModuleType, name: str, **values: object) -> Any:
    """A model as a response brings it."""
    return getattr(api.models, name).from_dict(values)


ONE = THINGS + "/{thing_id}"


@dataclass(frozen=True)
class Case:
    """A change, what the contract says of it, and a program that it breaks."""

    edit: Edit
    contract: Kind
    program: Program


N, A, B = Kind.NEUTRAL, Kind.ADDITIVE, Kind.BREAKING
CASES = {
    # Both comparers of the past called these five additive, or nothing at all.
    "a part leaves the allOf of a request": Case(
        lambda d: d["components"]["schemas"]["Draft"]["allOf"].pop(),
        B,
        lambda api: api.models.Draft(name="n", agent="a"),
    ),
    "an alternative leaves a union of callbacks": Case(
        lambda d: d["components"]["schemas"]["Event"]["oneOf"].pop(0),
        B,
        lambda api: read(api, "Event", comment_event="c").comment_event,
    ),
    "a free object gets properties": Case(
        lambda d: prop(d, "Thing").update(meta=obj(campaign=STRING)),
        A,
        lambda api: read(api, "Thing", meta={"campaign": "c"}).meta["campaign"],
    ),
    "a page gets a second list": Case(
        lambda d: page_of(d).update(warnings=listed(STRING)),
        A,
        lambda api: [*read(api, "ListThingsResponse", things=[{"id": "1"}])],
    ),
    "an answer refers to a copy of its schema": Case(
        copied,
        N,
        lambda api: (
            1 / isinstance(call(api, "things", "get_thing", "t").load({}), api.models.Thing)
        ),
    ),
    # And one of each other kind.
    "a field is renamed": Case(
        lambda d: renamed(d, "made", "made_at"), B, lambda api: read(api, "Thing", made="m").made
    ),
    "a field of a request leaves": Case(
        lambda d: d["components"]["schemas"]["Draft"]["allOf"][0]["properties"].pop("note"),
        B,
        lambda api: api.models.Draft(name="n", note="x"),
    ),
    "a field of a request becomes required": Case(
        lambda d: d["components"]["schemas"]["Draft"]["allOf"][0]["required"].append("note"),
        B,
        lambda api: api.models.Draft(name="n"),
    ),
    "a field gets another type": Case(
        lambda d: prop(d, "Thing").update(made={"type": "string", "format": "date-time"}),
        B,
        lambda api: read(api, "Thing", made="2030-05-17T12:00:00Z").made.upper(),
    ),
    "a class gets another name": Case(
        lambda d: (
            d["components"]["schemas"].update(Style=d["components"]["schemas"].pop("Look")),
            prop(d, "Thing").update(look=ref("Style")),
        ),
        N,
        lambda api: api.models.Look(colour="c"),
    ),
    "a value leaves an enum": Case(
        lambda d: d["components"]["schemas"]["Kind"]["enum"].pop(),
        A,
        lambda api: 1 / ("FLAT" in api.models.Kind.__args__),
    ),
    "an operation leaves": Case(
        lambda d: d["paths"][ONE].pop("delete"),
        B,
        lambda api: call(api, "things", "drop_thing", "t"),
    ),
    "an operation gets another id": Case(
        lambda d: at(d, ONE, "delete").update(operationId="Things_RemoveThing"),
        B,
        lambda api: call(api, "things", "drop_thing", "t"),
    ),
    "a tag gets another name": Case(
        lambda d: at(d, ONE, "delete").update(tags=["Items"]),
        B,
        lambda api: call(api, "things", "drop_thing", "t"),
    ),
    "a parameter leaves": Case(
        lambda d: at(d, THINGS, "get")["parameters"].pop(),
        B,
        lambda api: call(api, "things", "list_things", size=1),
    ),
    "a parameter becomes required": Case(
        lambda d: at(d, THINGS, "get")["parameters"][1].update(required=True),
        B,
        lambda api: call(api, "things", "list_things", size=1),
    ),
    "a path parameter is added": Case(
        lambda d: (
            d["paths"].update({ONE + "/{part}": d["paths"].pop(ONE)}),
            [
                at(d, ONE + "/{part}", method)["parameters"].append(parameter("part", "path"))
                for method in ("get", "delete")
            ],
        ),
        B,
        lambda api: call(api, "things", "drop_thing", "t"),
    ),
    "an operation gets a required body": Case(
        lambda d: at(d, ONE, "delete").update(
            requestBody={"required": True} | {"content": content_of(obj(why=STRING))}
        ),
        B,
        lambda api: call(api, "things", "drop_thing", "t"),
    ),
    "an answer becomes a list": Case(
        lambda d: (
            d["components"]["schemas"].update(Things=listed(ref("Thing"))),
            at(d, ONE, "get")["responses"]["200"].update(content=content_of(ref("Things"))),
        ),
        B,
        lambda api: call(api, "things", "get_thing", "t").load({"id": "1"}).id,
    ),
    "an answer becomes empty": Case(
        lambda d: at(d, ONE, "get")["responses"]["200"].pop("content"),
        B,
        lambda api: call(api, "things", "get_thing", "t").load({"id": "1"}).id,
    ),
}


def content_of(schema: Node) -> Node:
    """A JSON body of a schema."""
    return {"application/json": {"schema": schema}}


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Render documents and import what they become."""
    yield from builder(tmp_path)


def edited(edit: Edit) -> Node:
    """The document after a change."""
    result = base()
    edit(result)
    return result


def reported(old: Node, new: Node, folder: Path) -> Report:
    """The report on a change from one document to another, without overlays."""
    for given, name in ((old, "old"), (new, "new")):
        render(given, "things_api", "things.yaml", folder / name, tidy=False)
    change = compared(surface(folder / "old"), surface(folder / "new"))
    findings = tuple(Finding(one, Touched()) for one in compare(old, new))
    return Report("upstream", (DocumentReport("things", findings=findings, surface=change),))


@pytest.mark.parametrize("name", CASES)
def test_change_that_breaks_a_program_is_breaking(name: str, build: Build, tmp_path: Path) -> None:
    """A program that ran before the change and does not after it: the verdict is breaking."""
    case = CASES[name]
    old, new = base(), edited(case.edit)
    case.program(build(old))
    with pytest.raises((AttributeError, TypeError, ZeroDivisionError, ModuleNotFoundError)):
        case.program(build(new))
    report = reported(old, new, tmp_path)
    assert "breaking" == report.verdict
    assert case.contract == report.documents[0].contract
    assert Kind.BREAKING == report.documents[0].code
    both = ("contract", "generated code")
    assert (both if case.contract is Kind.BREAKING else both[1:]) == report.views


ID = parameter("thing_id", "path")
MORE = obj(later_event=STRING)
HARMLESS: dict[str, tuple[Edit, Kind]] = {
    "nothing": (lambda _: None, N),
    "a description": (lambda d: prop(d, "Thing").update(id=STRING | {"description": "Id."}), N),
    "a field": (lambda d: prop(d, "Thing").update(extra=STRING), A),
    "a value": (lambda d: d["components"]["schemas"]["Kind"]["enum"].append("X"), A),
    "a parameter": (lambda d: at(d, THINGS, "get")["parameters"].append(parameter("more")), A),
    "an operation": (lambda d: d["paths"][ONE].update(put=operation("Things_Put", ID)), A),
    "a class": (lambda d: d["components"]["schemas"].update(Later=obj(x=STRING)), A),
    "an enum for a string": (lambda d: prop(d, "Thing").update(made=enum("OLD", "NEW")), A),
    "an alternative": (lambda d: d["components"]["schemas"]["Event"]["oneOf"].append(MORE), A),
    "a field that may be left out": (
        lambda d: d["components"]["schemas"]["Draft"]["allOf"][0].pop("required"),
        A,
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_change_that_breaks_no_program_is_not_breaking(name: str, tmp_path: Path) -> None:
    """What is added is additive, and prose is nothing, to both views."""
    edit, expected = HARMLESS[name]
    report = reported(base(), edited(edit), tmp_path)
    assert expected == report.documents[0].kind
    assert expected == report.documents[0].code


def properties(given: Node) -> list[tuple[Node, str]]:
    """Every property of every component of a document, with the schema that has it."""
    return [
        (part, name)
        for schema in schemas(given).values()
        for part in [schema, *schema.get("allOf", [])]
        for name in part.get("properties", {})
    ]


@pytest.mark.parametrize("seed", range(24))
def test_renamed_property_is_breaking(seed: int) -> None:
    """One property of a document of ours gets another name: its reader or writer breaks."""
    chance = random.Random(seed)  # noqa: S311 - a sample
    given = load(DOCUMENTS / f"{chance.choice(['batch', 'template'])}.yaml")
    newer = json.loads(json.dumps(given))
    schema, name = chance.choice(properties(newer))
    schema["properties"] = {
        f"{key}_renamed" if key == name else key: it for key, it in schema["properties"].items()
    }
    required = schema.get("required", [])
    schema["required"] = [f"{key}_renamed" if key == name else key for key in required]
    assert Kind.BREAKING == worst(one.kind for one in compare(given, newer))


def test_required_body_where_there_was_none_is_breaking_to_the_contract() -> None:
    """Every call of the operation lacks it."""
    case = CASES["an operation gets a required body"]
    texts = [one.text for one in compare(base(), edited(case.edit)) if one.kind is Kind.BREAKING]
    assert ["the body of Things_DropThing was added"] == texts


@pytest.mark.parametrize("package", PACKAGES.values())
def test_surface_has_every_class_and_method(package: str) -> None:
    """The inventory that the verdict rests on is complete: nothing can leave unseen."""
    api, classes = (importlib.import_module(package + part) for part in ("", ".models"))
    found = surface(GENERATED, package)
    names = {key.partition(": ")[2] for key in found.models} - {"callbacks"}
    assert {*classes.__all__} == names
    for name in names:
        model = getattr(classes, name)
        fields = {one.name for one in getattr(model, "__attrs_attrs__", ())}
        facts = found.models[f"{package}: {name}"].facts.keys() - {"", "iteration"}
        if fields:
            assert fields - {"additional_properties"} == facts, name
    tags = {key.partition(": ")[2].partition(".")[0] for key in found.operations}
    client = {name for name in vars(api.Client) if not name.startswith("_")}
    assert client == tags
