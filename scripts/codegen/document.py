"""Reading OpenAPI documents, pointing at places in them, and refusing what is not safe."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

Node = dict[str, Any]
"""A mapping in a document; values are JSON values."""


class Refused(Exception):
    """
    A document that cannot be turned into a correct client, with the place and the remedy.

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


class _StrictLoader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either base is a Loader
    """Refuses duplicate keys, which YAML loaders otherwise resolve by losing one silently."""

    place = ""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                place = f"{self.place}, line {key.start_mark.line + 1}"
                raise Refused(place, f"the key {name!r} stands twice in one mapping", "drop one")
            seen.add(name)
        return dict(super().construct_mapping(node, deep=deep))


def load(path: Path) -> Node:
    """
    Read a YAML or JSON document.

    Raises: Refused when the file is missing, is not YAML, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    except UnicodeDecodeError as error:
        raise Refused(path.name, "is not UTF-8", "convert it") from error
    document = _parsed(text, path.name)
    if not isinstance(document, dict):
        raise Refused(path.name, "is not a mapping", "give an OpenAPI document")
    try:
        # A round trip through JSON turns YAML dates and numeric keys into what OpenAPI means.
        plain: Node = json.loads(json.dumps(document, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(path.name, f"is no JSON document ({error})", "correct it") from error
    return plain


def _parsed(text: str, name: str) -> object:
    # JSON is nearly YAML: tabs and escaped surrogate pairs are read by a JSON parser only.
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text.lstrip("\ufeff"), object_pairs_hook=partial(_unique, name))
    try:
        loader = _StrictLoader(text)
        loader.place = name
        return loader.get_single_data()
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise Refused(f"{name}, line {line}", "is not valid YAML", "correct it") from error
    except (TypeError, RecursionError) as error:
        raise Refused(
            name, "has a key or an anchor that JSON does not know", "correct it"
        ) from error


def _unique(place: str, pairs: list[tuple[str, Any]]) -> Node:
    result: Node = {}
    for key, value in pairs:
        if key in result:
            raise Refused(place, f"the key {key!r} stands twice in one mapping", "drop one")
        result[key] = value
    return result


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
    """
    A parameter, body or response, or the component that it refers to.

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
