"""Places in a document, as two documents are compared: what stands there behind references."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from codegen.document import Node
from codegen.pointer import followed, joined

COMPOSITIONS = ("allOf", "oneOf", "anyOf")


@dataclass(frozen=True, slots=True)
class Spot:
    """A node without references, where it stands, and the component that was referred to."""

    node: Node
    pointer: str
    reference: str = ""


def spot(document: Node, given: Spot, whole: Collection[str] = ()) -> Spot:
    """Follow references, and compositions of one part, to the schema that they stand for.

    Compositions by a keyword of *whole* stay as they are.

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
        # Written so to say something beside a reference; it means the reference.
        if key is None or node.keys() - {key, "description", "title"}:
            return Spot(node, pointer, reference)
        node, pointer = node[key][0], joined(pointer, key, 0)


def as_schema(node: object) -> Node:
    """A node that is a schema; an empty one for true, false and what is missing."""
    return node if isinstance(node, dict) else {}


def spots_of(document: Node, names: Iterable[str]) -> dict[str, Spot]:
    """The component schemas of some names."""
    found = document.get("components", {}).get("schemas", {})
    pointers = {name: joined("#", "components", "schemas", name) for name in names}
    return {name: Spot(found[name], pointer, pointer) for name, pointer in pointers.items()}
