"""References in a document: which operations use a component, and what a reference stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from codegen.document import COMPOSITIONS, Node, followed, joined, operations
from drift.change import Direction

Users = Mapping[str, Mapping[str, Direction]]


def users(document: Node) -> Users:
    """For each component, by its pointer, the ids of the operations that use it, with directions.

    A component that no operation uses is left out: the server sends it in callbacks.
    """
    components = {
        joined("#", "components", kind, name): node
        for kind, group in document.get("components", {}).items()
        if isinstance(group, Mapping)
        for name, node in group.items()
    }
    found: dict[str, dict[str, Direction]] = defaultdict(dict)
    for _, _, operation, item in operations(document):
        identifier = str(operation.get("operationId", ""))
        sent = [operation.get("parameters"), item.get("parameters"), operation.get("requestBody")]
        ways = ((Direction.REQUEST, sent), (Direction.RESPONSE, operation.get("responses")))
        for direction, roots in ways:
            for pointer in _closure(components, roots):
                known = found[pointer].get(identifier, Direction.NONE)
                found[pointer][identifier] = known | direction
    return found


def direction_of(component: str, reached: Users) -> Direction:
    """The direction of a component, by its pointer; one that nothing uses is a response."""
    result = Direction.NONE
    for direction in reached.get(component, {}).values():
        result |= direction
    return result or Direction.RESPONSE


def component_of(pointer: str) -> str:
    """The pointer of the component that a pointer leads into, or an empty string."""
    parts = pointer.split("/")
    inside = parts[:2] == ["#", "components"] and len(parts) > 3  # noqa: PLR2004 - #/components/kind/name
    return "/".join(parts[:4]) if inside else ""


def _closure(components: Mapping[str, object], roots: object) -> set[str]:
    found: set[str] = set()
    todo = list(pointers(roots))
    while todo:
        pointer = component_of(todo.pop())
        if pointer not in found and pointer in components:
            found.add(pointer)
            todo.extend(pointers(components[pointer]))
    return found


def pointers(node: object) -> Iterator[str]:
    """Yield every local reference in a node, at any depth."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from pointers(value)
    elif isinstance(node, list):
        for value in node:
            yield from pointers(value)


@dataclass(frozen=True, slots=True)
class Spot:
    """A node after following references, its pointer, and the component it was found by."""

    node: Node
    pointer: str
    reference: str = ""


def spot(document: Node, given: Spot, whole: Collection[str] = ()) -> Spot:
    """Follow references, and compositions of one part, to the schema that they stand for.

    Compositions by a keyword in *whole* are kept.

    Raises: KeyError or IndexError for a reference that leads nowhere.
    """
    node, pointer, reference = given.node, given.pointer, given.reference
    seen: set[str] = set()
    while True:
        if isinstance(node.get("$ref"), str) and node["$ref"] not in seen:
            pointer = reference = node["$ref"]
            seen.add(pointer)
            node = as_schema(followed(document, pointer))
            continue
        single = (key for key in COMPOSITIONS if len(node.get(key) or []) == 1)
        key = next((key for key in single if key not in whole), None)
        # A composition of one part is a way to add a description to a reference.
        beside = {"description", "title", *(["type"] if node.get("type") == "object" else [])}
        if key is None or node.keys() - {key, *beside}:
            return Spot(node, pointer, reference)
        node, pointer = node[key][0], joined(pointer, key, 0)


def as_schema(node: object) -> Node:
    """The node if it is a schema, else (true, false, missing) an empty one."""
    return node if isinstance(node, dict) else {}


def spots_of(document: Node, names: Iterable[str]) -> dict[str, Spot]:
    """The component schemas of some names."""
    found = document.get("components", {}).get("schemas", {})
    pointers = {name: joined("#", "components", "schemas", name) for name in names}
    return {name: Spot(found[name], pointer, pointer) for name, pointer in pointers.items()}
