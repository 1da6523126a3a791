"""Whether a document has the form that OpenAPI prescribes, so that later passes need not ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codegen.document import Node, Refused

Check = Callable[[Any, str], None]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NAMES = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}


def check_form(document: Node) -> None:
    """Refuse a document in which something stands where OpenAPI wants something else.

    Raises: Refused with the place of the first such node.
    """
    _needs(document, "", {"openapi": str, "info": dict, "paths": dict})
    _needs(document["info"], "info", {"title": str, "version": str})
    _mapping(_path_item)(document["paths"], "paths")
    _keys(document, "", {"components": _components})


def _components(node: object, place: str) -> None:
    _is(node, dict, place)
    kinds: dict[str, Check] = {
        "schemas": _mapping(_schema),
        "parameters": _mapping(_parameter),
        "requestBodies": _mapping(_body),
        "responses": _mapping(_body),
        "securitySchemes": _mapping(_scheme),
    }
    _keys(node, place, kinds)


def _path_item(node: object, place: str) -> None:
    if not isinstance(node, dict):
        raise Refused(place, "is no path item")
    _keys(node, place, {"parameters": _list(_parameter), **dict.fromkeys(_METHODS, _operation)})


def _operation(node: object, place: str) -> None:
    if not isinstance(node, dict):
        raise Refused(place, "is no operation")
    rules: dict[str, Check] = {
        "operationId": _text,
        "summary": _text,
        "description": _text,
        "tags": _list(_text),
        "parameters": _list(_parameter),
        "requestBody": _body,
        "responses": _mapping(_body),
    }
    _keys(node, place, rules)


def _parameter(node: object, place: str) -> None:
    _is(node, dict, place)
    rules: dict[str, Check] = {
        "$ref": _text,
        "name": _text,
        "in": _text,
        "description": _text,
        "schema": _schema,
    }
    _keys(node, place, rules)


def _body(node: object, place: str) -> None:
    _is(node, dict, place)
    _keys(node, place, {"$ref": _text, "description": _text, "content": _mapping(_media)})


def _media(node: object, place: str) -> None:
    _is(node, dict, place)
    _keys(node, place, {"schema": _schema})


def _scheme(node: object, place: str) -> None:
    _is(node, dict, place)
    _keys(node, place, {"type": _text, "scheme": _text})


def _schema(node: object, place: str) -> None:
    if not isinstance(node, dict):
        raise Refused(place, "is not a schema object")
    rules: dict[str, Check] = {
        "$ref": _text,
        "type": _type,
        "format": _text,
        "title": _text,
        "description": _text,
        "enum": _list(_anything),
        "required": _list(_text),
        "properties": _mapping(_schema),
        "items": _schema,
        "additionalProperties": _extra,
        **dict.fromkeys(("allOf", "oneOf", "anyOf"), _parts),
    }
    _keys(node, place, rules)


def _type(node: object, place: str) -> None:
    if isinstance(node, list):
        _list(_text)(node, place)
    else:
        _text(node, place)


def _extra(node: object, place: str) -> None:
    if not isinstance(node, bool):
        _schema(node, place)


def _parts(node: object, place: str) -> None:
    _list(_schema)(node, place)
    if not node:
        raise Refused(place, "has no part")


def _text(node: object, place: str) -> None:
    _is(node, str, place)


def _anything(node: object, place: str) -> None:
    """No rule."""


def _mapping(check: Check) -> Check:
    def run(node: object, place: str) -> None:
        for key, value in _is(node, dict, place).items():
            check(value, f"{place}.{key}")

    return run


def _list(check: Check) -> Check:
    def run(node: object, place: str) -> None:
        for index, value in enumerate(_is(node, list, place)):
            check(value, f"{place}[{index}]")

    return run


def _keys(node: Any, place: str, rules: Mapping[str, Check]) -> None:  # noqa: ANN401 - a mapping
    for key, check in rules.items():
        if key in node:
            check(node[key], f"{place}.{key}" if place else key)


def _needs(node: Node, place: str, kinds: Mapping[str, type]) -> None:
    for key, kind in kinds.items():
        where = f"{place}.{key}" if place else key
        if key not in node:
            raise Refused(where, "is missing", "take a whole OpenAPI document")
        _is(node[key], kind, where)


def _is(node: Any, kind: type, place: str) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(node, kind):
        raise Refused(place, f"is not {_NAMES[kind]} but {_shown(node)}", "correct the document")
    return node


def _shown(node: object) -> str:
    for kind, name in _NAMES.items():
        if isinstance(node, kind):
            return name
    return "nothing" if node is None else "a number"
