"""What an OpenAPI document holds, and the refusal of one that is not safe to turn into code."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

Node = dict[str, Any]
"""A mapping in a document; values are JSON values."""


class Refused(Exception):
    """A document that cannot be turned into a correct client, with the place and the remedy.

    ``place`` is the dotted way by which the pass that refuses knows the node. Whoever has the
    document adds ``pointer``, the JSON pointer to the deepest node on that way, ``beyond``, the
    rest of the way, and ``origin``, the name of the document.
    """

    def __init__(self, place: str, problem: str, remedy: str = "repair it in an overlay") -> None:
        super().__init__(place, problem, remedy)
        self.place = place
        self.problem = problem
        self.remedy = remedy
        self.pointer = ""
        self.beyond = ""
        self.origin = ""

    def __str__(self) -> str:
        inside = f" ({self.beyond})" if self.beyond else ""
        place = f"{self.origin}, {self.place}" if self.origin else self.place
        if self.pointer:
            place = f"{self.origin}{self.pointer}{inside}"
        return f"{place}: {self.problem}; {self.remedy}"


def schemas(document: Node) -> dict[str, Node]:
    """The component schemas of a document, by name."""
    found: dict[str, Node] = document.get("components", {}).get("schemas", {})
    return found


def operations(document: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Yield path, method, operation and path item of every operation, in document order."""
    for path, item in document.get("paths", {}).items():
        for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace"):
            if method in item:
                yield path, method, item[method], item


def component_of(reference: str, kind: str, place: str) -> str:
    """The component name in a reference such as ``#/components/schemas/Name``."""
    prefix = f"#/components/{kind}/"
    name = reference.removeprefix(prefix)
    if not reference.startswith(prefix) or not name or "/" in name:
        raise Refused(place, f"the reference {reference} does not name a component of {kind}")
    return name


def resolved(document: Node, node: Node, kind: str, place: str) -> Node:
    """A parameter, body or response, or the component that it refers to.

    Raises: Refused when that component does not exist.
    """
    if "$ref" not in node:
        return node
    name = component_of(node["$ref"], kind, place)
    try:
        found: Node = document["components"][kind][name]
    except KeyError as error:
        raise Refused(place, f"refers to {name} of {kind}, which does not exist") from error
    return found


def reference_to(name: str) -> Node:
    """A reference to a component schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def references(node: object) -> Iterator[str]:
    """Yield the component schemas that a node refers to, at any depth."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rsplit("/", 1)[-1]
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def shape(schema: object) -> object:
    """A schema without prose, so that two schemas compare equal when they mean the same."""
    if isinstance(schema, list):
        return [shape(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        # The keys below properties are names, whatever they are called.
        key: {name: shape(part) for name, part in value.items()}
        if key == "properties"
        else shape(value)
        for key, value in schema.items()
        if key not in {"description", "example", "examples"} and not key.startswith("x-")
    }


def copied(document: Node) -> Node:
    """A deep copy, so that passes never change what their caller holds."""
    return copy.deepcopy(document)
