"""JSON pointers: writing them, following them, and finding the one that a refusal is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from codegen.document import Node, Refused


def joined(pointer: str, *keys: str | int) -> str:
    """A pointer with keys added below it."""
    escaped = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
    return "/".join([pointer, *escaped])


def keys_of(pointer: str) -> list[str]:
    """The keys of a pointer such as ``#/paths/~1things/get``, unescaped."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def followed(document: Node, pointer: str) -> Any:  # noqa: ANN401 - any JSON value
    """What a pointer leads to.

    Raises: KeyError or IndexError when there is nothing.
    """
    node: Any = document
    for key in keys_of(pointer):
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


@contextmanager
def pointing(document: Node, origin: str = "") -> Iterator[None]:
    """Give every refusal that passes through its pointer in the document, and the document."""
    try:
        yield
    except Refused as refused:
        if not refused.pointer:
            refused.pointer, refused.beyond = located(document, refused.place)
        refused.origin = refused.origin or origin
        raise


def located(document: Node, place: str) -> tuple[str, str]:
    """The pointer to the deepest node on a dotted way, and the rest of the way.

    Keys may hold dots themselves: the longest that fits is taken. The pointer is empty when the
    place lies outside of the document.
    """
    node, pointer, rest = _start(document, place)
    while rest and (step := _step(node, rest.removeprefix("."))):
        keys, rest = step
        for key in keys:
            node = node[key]
        pointer = joined(pointer, *keys)
    return ("", "") if pointer == "#" else (pointer, rest.removeprefix("."))


def _start(document: Node, place: str) -> tuple[Any, str, str]:
    """The document; or the operation, where the place is the id of one."""
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
    """A parameter is named by its name, not by its number."""
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
    """The schema of a body is named as if the body were it."""
    content = node.get("content")
    media = next(iter(content), None) if isinstance(content, dict) and len(content) == 1 else None
    if not isinstance(content, dict) or media is None or not isinstance(content[media], dict):
        return None
    return (["content", media, "schema"], rest) if "schema" in content[media] else None
