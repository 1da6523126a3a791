"""An OpenAPI document as a value, and the refusal of one that cannot become correct code.

A refusal names its place by a dotted path, as the passes know it (`components.schemas.Thing`);
`pointing` turns that into the JSON pointer to the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Node = dict[str, Any]
"""A mapping in a document; values are JSON values."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that hold operations."""

_LONGEST = 600
COMPOSITIONS = ("allOf", "oneOf", "anyOf")
"""The keywords that combine schemas."""


class Refused(Exception):
    """A document that cannot be turned into a correct client, with the place and the remedy.

    ``place`` is the dotted path by which a pass knows the node. `pointing` adds ``pointer``, the
    JSON pointer to the deepest node on that path, ``beyond``, the rest of the path, and
    ``origin``, the name of the document.
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
        return visible(f"{place}: {self.problem}; {self.remedy}")


def visible(text: str) -> str:
    """Text in one line of bounded length, with escapes for what could move a cursor."""
    line = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def schemas(document: Node) -> dict[str, Node]:
    """The component schemas of a document, by name."""
    found: dict[str, Node] = document.get("components", {}).get("schemas", {})
    return found


def operations(document: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Yield path, method, operation and path item of every operation, in document order."""
    for path, item in document.get("paths", {}).items():
        if path.startswith("x-"):
            continue
        for method in METHODS:
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
    """A schema without prose: two schemas of the same meaning have the same shape."""
    if isinstance(schema, list):
        return [shape(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        # The keys below properties are names, even when they look like keywords.
        key: {name: shape(part) for name, part in value.items()}
        if key == "properties"
        else shape(value)
        for key, value in schema.items()
        if key not in {"description", "example", "examples"} and not key.startswith("x-")
    }


def copied(document: Node) -> Node:
    """A deep copy, so that passes never change what their caller holds."""
    found: Node = _copy(document)
    return found


def _copy(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    # Several times as fast as copy.deepcopy, because JSON values need no bookkeeping.
    if isinstance(node, dict):
        return {key: _copy(value) for key, value in node.items()}
    return [_copy(value) for value in node] if isinstance(node, list) else node


def joined(pointer: str, *keys: str | int) -> str:
    """A pointer with keys added below it."""
    escaped = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
    return "/".join([pointer, *escaped])


def keys_of(pointer: str) -> list[str]:
    """The keys of a pointer such as ``#/paths/~1things/get``, unescaped."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def followed(document: Node, pointer: str) -> Any:  # noqa: ANN401 - any JSON value
    """The node that a pointer leads to.

    Raises: KeyError or IndexError when it leads nowhere.
    """
    node: Any = document
    for key in keys_of(pointer):
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


@contextmanager
def pointing(document: Node, origin: str = "") -> Iterator[None]:
    """Add the JSON pointer and the document's name to every refusal raised inside."""
    try:
        yield
    except Refused as refused:
        if not refused.pointer:
            refused.pointer, refused.beyond = located(document, refused.place)
        refused.origin = refused.origin or origin
        raise


def located(document: Node, place: str) -> tuple[str, str]:
    """The pointer to the deepest node on a dotted path, and the rest of the path.

    Keys may contain dots: the longest key that fits is taken. The pointer is empty when the place
    is outside the document.
    """
    node, pointer, rest = _start(document, place)
    while rest and (step := _step(node, rest.removeprefix("."))):
        keys, rest = step
        for key in keys:
            node = node[key]
        pointer = joined(pointer, *keys)
    if pointer == "#/components/schemas" and rest:
        pointer = _origin(document, rest) or pointer
    return ("", "") if pointer == "#" else (pointer, rest.removeprefix("."))


def _origin(document: Node, rest: str) -> str:
    """The node from which the name of a class was made that is not in the document.

    Names of inline schemas begin with that of their component or operation.
    """
    wanted = _letters(rest.removeprefix("."))
    found = {_letters(name): joined("#/components/schemas", name) for name in schemas(document)}
    for path, method, operation, _ in operations(document):
        name = str(operation.get("operationId", "")).rsplit("_", 1)[-1]
        found.setdefault(_letters(name), joined("#/paths", path, method))
    fitting = [name for name in found if name and wanted.startswith(name)]
    return found.get(max(fitting, key=len, default=""), "")


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _start(document: Node, place: str) -> tuple[Any, str, str]:
    """The node to start from: the document, or the operation that the place is the id of."""
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method, operation in item.items() if isinstance(item, dict) else ():
            if isinstance(operation, dict) and operation.get("operationId") == place:
                return operation, joined("#", "paths", path, method), ""
    return document, "#", place


def _step(node: object, rest: str) -> tuple[list[str | int], str] | None:
    if isinstance(node, list):
        match = re.match(r"\[(\d+)\]", rest)
        inside = match is not None and int(match[1]) < len(node)
        return ([int(match[1])], rest[match.end() :]) if match and inside else None
    if not isinstance(node, dict):
        return None
    if key := _longest(map(str, node), rest):
        return [key], rest[len(key) :]
    return _parameter(node, rest) or _content(node, rest)


def _longest(names: Iterator[str] | list[str], rest: str) -> str:
    fitting = [name for name in names if rest == name or rest.startswith((f"{name}.", f"{name}["))]
    return max(fitting, key=len, default="")


def _parameter(node: Node, rest: str) -> tuple[list[str | int], str] | None:
    """A parameter is found by its name, not by its index."""
    listed = node.get("parameters")
    found = listed if isinstance(listed, list) else []
    names = [str(item.get("name", "")) if isinstance(item, dict) else "" for item in found]
    name = _longest(names, rest)
    if not name:
        return None
    after = rest[len(name) :]
    inner: list[str | int] = ["schema"] if after and "schema" in found[names.index(name)] else []
    return ["parameters", names.index(name), *inner], after


def _content(node: Node, rest: str) -> tuple[list[str | int], str] | None:
    """A body stands for its schema when it has one media type."""
    content = node.get("content")
    media = next(iter(content), None) if isinstance(content, dict) and len(content) == 1 else None
    if not isinstance(content, dict) or media is None or not isinstance(content[media], dict):
        return None
    return (["content", media, "schema"], rest) if "schema" in content[media] else None
