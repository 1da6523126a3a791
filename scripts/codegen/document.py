"""Reading OpenAPI documents, pointing at places in them, and refusing what is not safe."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Node = dict[str, Any]
"""A mapping in a document; values are JSON values."""


class Refused(Exception):
    """A document that cannot be turned into a correct client, with the place and the remedy."""

    def __init__(self, place: str, problem: str, remedy: str = "repair it in an overlay") -> None:
        super().__init__(place, problem, remedy)
        self.place = place
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}; {self.remedy}"


class _StrictLoader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either base is a Loader
    """Refuses duplicate keys, which YAML loaders otherwise resolve by losing one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                place = f"{self.name}, line {key.start_mark.line + 1}"
                raise Refused(place, f"the key {key.value!r} stands twice in one mapping")
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=deep))


def load(path: Path) -> Node:
    """
    Read a YAML or JSON document.

    Raises: Refused when the file is missing, is not YAML, or is not a mapping.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            document = yaml.load(stream, _StrictLoader)  # noqa: S506 - derived from SafeLoader
    except OSError as error:
        raise Refused(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise Refused(f"{path.name}, line {line}", "is not valid YAML", "correct it") from error
    if not isinstance(document, dict):
        raise Refused(path.name, "is not a mapping", "give an OpenAPI document")
    # A round trip through JSON turns YAML dates and numeric keys into what OpenAPI means.
    plain: Node = json.loads(json.dumps(document, default=str))
    return plain


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


def shape(node: object) -> object:
    """A node without prose, so that two nodes compare equal when they mean the same."""
    if isinstance(node, Mapping):
        return {
            key: shape(value)
            for key, value in node.items()
            if key not in {"description", "example", "examples"} and not key.startswith("x-")
        }
    if isinstance(node, list):
        return [shape(value) for value in node]
    return node


def copied(document: Node) -> Node:
    """A deep copy, so that passes never change what their caller holds."""
    return copy.deepcopy(document)
