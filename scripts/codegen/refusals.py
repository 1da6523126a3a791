"""What the generator would lose or get wrong without a word, found before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codegen.document import Node, Refused, component_of, operations, schemas

# Keywords that change which values are valid in ways the generated code cannot express.
_UNSUPPORTED_KEYWORDS = frozenset(
    {
        "not",
        "if",
        "then",
        "else",
        "patternProperties",
        "prefixItems",
        "propertyNames",
        "contains",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
        "$defs",
        "$id",
        "$anchor",
    }
)
_HTTP_SCHEMES = frozenset({"basic", "bearer"})


def check(document: Node) -> None:
    """Refuse a document with constructs that no generated code would reflect.

    Raises: Refused with the place of the first such construct.
    """
    if document.get("webhooks"):
        raise Refused("webhooks", "are dropped by the generator", "describe them as components")
    _check_security_schemes(document)
    _check_paths(document)
    for name, schema in schemas(document).items():
        check_schema(schema, f"components.schemas.{name}", schemas(document))
    for path, method, operation, item in operations(document):
        place = f"paths.{path}.{method}"
        for node in [operation, {"parameters": item.get("parameters", [])}]:
            _check_inline(document, node, place)


def _check_security_schemes(document: Node) -> None:
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        known = scheme.get("type") == "oauth2" or scheme.get("scheme") in _HTTP_SCHEMES
        if not known:
            place = f"components.securitySchemes.{name}"
            raise Refused(place, "is neither HTTP basic, bearer nor OAuth2", "extend the wrapper")


def _check_paths(document: Node) -> None:
    for path, item in document.get("paths", {}).items():
        if not isinstance(item, dict):
            raise Refused(f"paths.{path}", "is no path item")
        for key, problem in (("$ref", "a referenced path item"), ("servers", "its own servers")):
            if key in item:
                raise Refused(f"paths.{path}", f"{problem} would be dropped by the generator")
    seen: dict[str, str] = {}
    for path, method, operation, _ in operations(document):
        place = f"paths.{path}.{method}"
        _check_operation(operation, place)
        first = seen.setdefault(operation["operationId"], place)
        if first != place:
            raise Refused(place, f"repeats the operationId {operation['operationId']} of {first}")


def _check_operation(operation: object, place: str) -> None:
    if not isinstance(operation, dict):
        raise Refused(place, "is no operation")
    if not operation.get("operationId"):
        raise Refused(place, "has no operationId")
    for key in ("callbacks", "servers"):
        if key in operation:
            raise Refused(place, f"{key} would be dropped by the generator")
    if len(operation.get("tags", [])) != 1:
        raise Refused(place, "needs exactly one tag, from which its class is named")


def _check_inline(document: Node, node: Node, place: str) -> None:
    """Hold the schemas that stand in an operation to the rules for components."""
    known = schemas(document)
    for parameter in node.get("parameters", []):
        if isinstance(parameter, dict) and "schema" in parameter:
            check_schema(parameter["schema"], f"{place}.{parameter.get('name')}", known)
    bodies = [("requestBody", node.get("requestBody", {}))]
    bodies += [(f"responses.{code}", body) for code, body in node.get("responses", {}).items()]
    for where, body in bodies:
        for media in body.get("content", {}).values():
            schema = media.get("schema", {})
            # What stands beside a reference here becomes a component of both.
            check_schema({k: v for k, v in schema.items() if k == "$ref"}, place, known)
            rest = {k: v for k, v in schema.items() if k != "$ref"}
            check_schema(rest, f"{place}.{where}", known)


def check_schema(schema: object, place: str, known: dict[str, Node]) -> None:
    """Refuse a schema, at any depth, that the passes after this one cannot express."""
    if not isinstance(schema, dict):
        raise Refused(place, "is not a schema object")
    for keyword in sorted(_UNSUPPORTED_KEYWORDS & schema.keys()):
        raise Refused(place, f"uses {keyword}, which generated code cannot express")
    if "$ref" in schema:
        name = component_of(schema["$ref"], "schemas", place)
        if name not in known:
            raise Refused(place, f"refers to {name}, which does not exist")
    _check_siblings(schema, place)
    _check_type(schema, place)
    _check_enum(schema, place)
    _each_child(schema, place, lambda child, where: check_schema(child, where, known))


def _check_siblings(schema: Node, place: str) -> None:
    """Keywords beside a reference or a composition, which would be dropped."""
    if "$ref" in schema:
        beside = schema.keys() & {"properties", "allOf", "oneOf", "anyOf", "enum", "items"}
        if beside:
            raise Refused(place, f"has {sorted(beside)} beside a reference", "write an allOf")
    elif schema.keys() & {"allOf", "oneOf", "anyOf"}:
        beside = schema.keys() & {"enum", "const", "items"}
        if beside or isinstance(schema.get("additionalProperties"), dict):
            raise Refused(place, "has values beside a composition", "write them as a part of it")


def _check_type(schema: Node, place: str) -> None:
    kinds = schema.get("type")
    if isinstance(kinds, list) and len([kind for kind in kinds if kind != "null"]) != 1:
        raise Refused(place, f"has several types {kinds}")
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict) and extra and schema.get("properties"):
        raise Refused(place, "has both properties and typed additionalProperties")


def _check_enum(schema: Node, place: str) -> None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values is None:
        return
    if not values or not all(isinstance(value, str) for value in values if value is not None):
        raise Refused(place, "is an enum of other things than strings")


def _each_child(schema: Node, place: str, visit: Callable[[object, str], None]) -> None:
    for name, child in schema.get("properties", {}).items():
        visit(child, f"{place}.properties.{name}")
    for key in ("allOf", "oneOf", "anyOf"):
        for index, child in enumerate(schema.get(key, [])):
            visit(child, f"{place}.{key}[{index}]")
    for key in ("items", "additionalProperties"):
        if key in schema and not isinstance(schema[key], bool):
            visit(schema[key], f"{place}.{key}")


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
