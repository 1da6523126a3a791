"""Packages of many small documents, in the shapes that went wrong once: they run and are typed.

Names that generated modules use themselves, bodies without fields, ids of two types, compositions
that say their type, documents of components alone.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from codegen.document import Node
from codegen.render import render
from tests.helpers.codegen import (
    GENERATED,
    MOMENT,
    PACKAGES,
    ROOT,
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
    refusal,
    with_operation,
)

NAMES = (
    *("Operation", "Model", "Unset", "Response", "DateTime", "Any", "Mapping", "Self", "Iterator"),
    *("Iterable", "Session", "AsyncSession", "Client", "AsyncClient", "Literal", "Final", "Enum"),
    *("TypeVar", "Callable", "Protocol", "Error", "UnexpectedShape", "Type", "ThingsResource"),
    *("Things", "Str", "Int", "Object", "Exception", "None", "True"),
)
ONE = THINGS + "/{thing_id}"
FREE: Node = {"type": "object"}


def named(name: str) -> Node:
    """A document whose component of that name is sent, received, listed and has a moment."""
    parts = {name: obj(at=MOMENT, more=listed(ref(name)), kind=ref("Kind")), "Kind": enum("A")}
    one = operation("Things_Get", body=ref(name), response=ref(name))
    return with_operation(one, **parts)


def either(*kinds: str) -> Node:
    """A document whose id has one of some types."""
    one = {"oneOf": [{"type": kind} for kind in kinds]}
    given = operation("Things_Get", parameter("thing_id", "path", schema=one), response=ref("T"))
    return with_operation(given, ONE, T=obj(a=STRING))


SHAPES: dict[str, Node] = {
    **{f"a component called {name}": named(name) for name in NAMES},
    "a body without fields": with_operation(operation("A_b", body=FREE)),
    "a body of anything by name": with_operation(
        operation("A_b", body={"type": "object", "additionalProperties": STRING})
    ),
    "a field without a type": document({"T": obj(a={}, b=listed({}), c=FREE)}),
    "an id of two types": either("integer", "string"),
    "a number as id": either("integer"),
    "webhooks": document({"T": obj(a=STRING)}, openapi="3.1.0", webhooks={"a": {"post": {}}}),
    "components alone": {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "components": {"schemas": {"T": obj(a=STRING)}},
    },
    "an extension among the paths": document(paths={"x-note": {"any": "thing"}}),
    "a composition with its type": document(
        {
            "T": {"type": "object", "oneOf": [ref("A"), ref("B")]},
            "U": {"type": "object", "allOf": [ref("A"), obj(c=STRING)]},
            "A": obj(a=STRING),
            "B": obj(b=STRING),
        }
    ),
    "a list as an answer": with_operation(
        operation("A_b", response=ref("L")), L=listed(ref("T")), T=obj(a=STRING)
    ),
    "many kinds of parameters": with_operation(
        operation(
            "A_b",
            parameter("when", schema=MOMENT),
            parameter("whom", schema=listed(STRING), required=True),
            parameter("joined", schema=listed(STRING), explode=False),
            parameter("kind", schema=enum("A")),
            parameter("url", schema={"type": "boolean"}),
        )
    ),
    "a page": with_operation(
        operation("A_b", response=obj(things=listed(ref("T")), next_page_token=STRING)),
        T=obj(a=STRING),
    ),
}


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Render documents and import what they become."""
    yield from builder(tmp_path)


def functions(package: str) -> Iterator[Any]:
    """Every function, method and class of a package that was imported whole."""
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] == package and isinstance(module, ModuleType):
            for value in vars(module).values():
                if getattr(value, "__module__", "") != name:
                    continue
                if inspect.isclass(value):
                    yield from (one for one in vars(value).values() if inspect.isfunction(one))
                    yield value
                elif inspect.isfunction(value):
                    yield value


@pytest.mark.parametrize("name", SHAPES)
def test_annotations_of_a_package_can_be_resolved(name: str, build: Build) -> None:
    """Frameworks that read annotations at run time find what they mean."""
    package = build(SHAPES[name])
    found = [*functions(package.__name__)]
    assert len(found) > 5
    for one in found:
        typing.get_type_hints(one)


@pytest.mark.parametrize("package", PACKAGES.values())
def test_annotations_of_the_packages_can_be_resolved(package: str) -> None:
    """Of every function, method and model of ours."""
    for file in sorted((GENERATED / package).rglob("*.py")):
        module = ".".join(file.relative_to(GENERATED).with_suffix("").parts)
        importlib.import_module(module.removesuffix(".__init__"))
    for one in functions(package):
        typing.get_type_hints(one)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_packages_pass_the_type_checker(tmp_path: Path) -> None:
    """With --strict, all of them in one run."""
    for number, given in enumerate(SHAPES.values()):
        render(given, f"shape_{number}", "a.yaml", tmp_path)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Success: no issues found in" in done.stdout, done.stdout[-3000:]
    assert int(done.stdout.split()[-3]) > 9 * len(SHAPES)


def test_id_of_two_types_takes_both(build: Build) -> None:
    """What the annotation allows is sent."""
    get = build(SHAPES["an id of two types"]).api.things.get.get
    assert ["/7", "/a%2Fb"] == [
        get("p", given).path[-len(end) :] for given, end in ((7, "/7"), ("a/b", "/a%2Fb"))
    ]


@pytest.mark.parametrize("kind", ["boolean", "number"])
def test_id_that_is_neither_text_nor_a_number_is_refused(kind: str) -> None:
    """Its spelling in a path is not defined."""
    refused = refusal(either("string", kind))
    assert "is neither a string nor an integer" in str(refused)
    assert refused.pointer.endswith("/get/parameters/1")


@pytest.mark.parametrize("name", ["Model", "Any", "DateTime"])
def test_component_keeps_its_name_where_that_is_free(name: str, build: Build) -> None:
    """Only what the module of a class uses itself gets another name."""
    models = build(named(name)).models
    assert f"{name}Schema" in models.__all__
    given = document({name: obj(a=STRING), f"{name}Schema": obj(b=STRING)})
    assert "which is taken" in str(refusal(given))
