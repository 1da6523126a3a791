"""Last pass: what the server may send is never required, so that a missing field fails nothing."""

from __future__ import annotations

from collections.abc import Iterable

from codegen.document import Node, operations, references, schemas


def sent_only(document: Node) -> set[str]:
    """Names of the components that only the caller writes.

    All others may come from the server: those reachable from a response, and those that no request
    reaches at all (callback events), with everything they contain.
    """
    components = schemas(document)
    requests = _closure(components, _roots(document, "requestBody"))
    inbound = _closure(
        components, [*_roots(document, "responses"), *(components.keys() - requests)]
    )
    return requests - inbound


def relax(document: Node, keep: set[str]) -> None:
    """Drop the required lists of all components but those to keep, in place."""
    for name, schema in schemas(document).items():
        if name not in keep:
            schema.pop("required", None)


def _roots(document: Node, key: str) -> list[str]:
    return [
        name
        for _, _, operation, _ in operations(document)
        for name in references(operation.get(key))
    ]


def _closure(components: dict[str, Node], roots: Iterable[str]) -> set[str]:
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in found and name in components:
            found.add(name)
            todo.extend(references(components[name]))
    return found
