"""What stops a document before it is normalised: a form that is not OpenAPI, or lost meaning.

`check_form` finds nodes of another kind than OpenAPI wants, so that later passes can rely on the
kinds. `check` finds what the generator would leave out or get wrong without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codegen.document import (
    COMPOSITIONS,
    METHODS,
    Node,
    Refused,
    component_of,
    joined,
    operations,
    schemas,
    visible,
)

Check = Callable[[object, str], None]
"""Takes a node and its place; raises Refused."""

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_KINDS = {dict: "a mapping", list: "a list", str: "a string", bool: "a boolean"}


def check_form(document: Node) -> None:
    """Refuse a document with a node of another kind than OpenAPI wants.

    Raises: Refused with the place of the first such node.
    """
    _needs(document, "", {"openapi": str, "info": dict})
    # From 3.1 on a document may consist of components and webhooks.
    if document["openapi"].startswith("3.0") or not document.keys() & {"components", "webhooks"}:
        _needs(document, "", {"paths": dict})
    _needs(document["info"], "info", {"title": str, "version": str})
    paths = _is(document.get("paths", {}), dict, "paths")
    items = {path: item for path, item in paths.items() if not path.startswith("x-")}
    _mapping(_node("a path item"))(items, "paths")
    for name, item in _is(document.get("webhooks", {}), dict, "webhooks").items():
        _node("a path item")(item, f"webhooks.{name}")
    if "components" in document:
        _node("components")(document["components"], "components")


def _needs(node: Node, place: str, kinds: Mapping[str, type]) -> None:
    for key, kind in kinds.items():
        where = _joined(place, key)
        if key not in node:
            raise Refused(where, "is missing", "use a complete OpenAPI document")
        _is(node[key], kind, where)


def _node(name: str) -> Check:
    """A mapping whose keys follow the rules of this name."""

    def run(node: object, place: str) -> None:
        if not isinstance(node, dict):
            raise _wrong(node, name, place)
        for key, check in _RULES[name].items():
            if key in node:
                check(node[key], _joined(place, key))

    return run


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


def _string(node: object, place: str) -> None:
    _is(node, str, place)


def _type(node: object, place: str) -> None:
    (_list(_string) if isinstance(node, list) else _string)(node, place)
    for kind in node if isinstance(node, list) else [node]:
        if kind not in _TYPES:
            raise Refused(place, f"is {kind}, which is not a type", "correct the document")


def _boolean_or_schema(node: object, place: str) -> None:
    if not isinstance(node, bool):
        _node("a schema")(node, place)


def _parts(node: object, place: str) -> None:
    _list(_node("a schema"))(node, place)
    if not node:
        raise Refused(place, "has no parts")


def _anything(node: object, place: str) -> None:
    """No rule."""


_BODY: Mapping[str, Check] = {
    "$ref": _string,
    "description": _string,
    "content": _mapping(_node("a media type")),
}
_RULES: Mapping[str, Mapping[str, Check]] = {
    "components": {
        "schemas": _mapping(_node("a schema")),
        "parameters": _mapping(_node("a parameter")),
        "requestBodies": _mapping(_node("a request body")),
        "responses": _mapping(_node("a response")),
        "securitySchemes": _mapping(_node("a security scheme")),
    },
    "a path item": {
        "parameters": _list(_node("a parameter")),
        **dict.fromkeys(METHODS, _node("an operation")),
    },
    "an operation": {
        **dict.fromkeys(("operationId", "summary", "description"), _string),
        "tags": _list(_string),
        "parameters": _list(_node("a parameter")),
        "requestBody": _node("a request body"),
        "responses": _mapping(_node("a response")),
    },
    "a parameter": {
        **dict.fromkeys(("$ref", "name", "in", "description"), _string),
        "schema": _node("a schema"),
    },
    "a request body": _BODY,
    "a response": _BODY,
    "a media type": {"schema": _node("a schema")},
    "a security scheme": {"type": _string, "scheme": _string},
    "a schema": {
        **dict.fromkeys(("$ref", "format", "title", "description"), _string),
        "type": _type,
        "enum": _list(_anything),
        "required": _list(_string),
        "properties": _mapping(_node("a schema")),
        "items": _node("a schema"),
        "additionalProperties": _boolean_or_schema,
        **dict.fromkeys(COMPOSITIONS, _parts),
    },
}


def _is(node: object, kind: type, place: str) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(node, kind):
        raise _wrong(node, _KINDS[kind], place)
    return node


def _wrong(node: object, wanted: str, place: str) -> Refused:
    shown = "nothing" if node is None else "a number"
    shown = next((name for kind, name in _KINDS.items() if isinstance(node, kind)), shown)
    return Refused(place, f"is not {wanted} but {shown}", "correct the document")


def _joined(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


# Keywords that change which values are valid in ways the generated code cannot express.
_UNSUPPORTED_KEYWORDS = frozenset(
    {
        *("not", "if", "then", "else", "contains", "prefixItems", "unevaluatedItems"),
        *("patternProperties", "propertyNames", "unevaluatedProperties"),
        *("dependentRequired", "dependentSchemas", "$dynamicRef", "$defs", "$id", "$anchor"),
    }
)
_SHOWN = 5
_HTTP_SCHEMES = frozenset({"basic", "bearer"})


def check(document: Node) -> None:
    """Refuse a document with constructs that the generated code would not reflect.

    Raises: Refused with the place of the first such construct.
    """
    check_references(document, "#")
    _check_security_schemes(document)
    _check_paths(document)
    for name, schema in schemas(document).items():
        check_schema(schema, f"components.schemas.{name}", schemas(document))
    for path, method, operation, item in operations(document):
        place = f"paths.{path}.{method}"
        for node in [operation, {"parameters": item.get("parameters", [])}]:
            _check_inline(document, node, place)


def left_out(document: Node) -> list[str]:
    """What generated code leaves out, in words; the schemas that it refers to are."""
    names = [*document.get("webhooks", {})]
    if not names:
        return []
    shown = ", ".join(names[:_SHOWN]) + ", ..." * (len(names) > _SHOWN)
    return [f"#/webhooks is not generated ({visible(shown)}); the components it refers to are"]


def check_references(node: object, pointer: str) -> None:
    """Refuse references out of the document, in examples and extensions too: none is ever fetched.

    Raises: Refused with the pointer to the first one.
    """
    if isinstance(node, list):
        for index, value in enumerate(node):
            check_references(value, joined(pointer, index))
    elif isinstance(node, dict):
        given = node.get("$ref")
        if isinstance(given, str) and not given.startswith("#/"):
            refused = Refused(pointer, "refers to something outside the document", "copy it inside")
            refused.pointer = joined(pointer, "$ref")
            raise refused
        for key, value in node.items():
            check_references(value, joined(pointer, key))


def _check_security_schemes(document: Node) -> None:
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        known = scheme.get("type") == "oauth2" or scheme.get("scheme") in _HTTP_SCHEMES
        if not known:
            place = f"components.securitySchemes.{name}"
            raise Refused(place, "is neither HTTP basic, bearer nor OAuth2", "extend the wrapper")


def _check_paths(document: Node) -> None:
    for path, item in document.get("paths", {}).items():
        if path.startswith("x-"):
            continue
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


def _check_operation(operation: Node, place: str) -> None:
    if not operation.get("operationId"):
        raise Refused(place, "has no operationId")
    for key in ("callbacks", "servers"):
        if key in operation:
            raise Refused(place, f"{key} would be dropped by the generator")
    if len(operation.get("tags", [])) != 1:
        raise Refused(place, "needs exactly one tag, from which its class is named")


def _check_inline(document: Node, node: Node, place: str) -> None:
    """Hold the schemas written inside an operation to the rules for components."""
    known = schemas(document)
    for parameter in node.get("parameters", []):
        if "schema" in parameter:
            check_schema(parameter["schema"], f"{place}.{parameter.get('name')}", known)
    bodies = [("requestBody", node.get("requestBody", {}))]
    bodies += [(f"responses.{code}", body) for code, body in node.get("responses", {}).items()]
    for where, body in bodies:
        for media in body.get("content", {}).values():
            schema = media.get("schema", {})
            # A reference and its siblings are checked apart: together they become a component.
            check_schema({k: v for k, v in schema.items() if k == "$ref"}, place, known)
            rest = {k: v for k, v in schema.items() if k != "$ref"}
            check_schema(rest, f"{place}.{where}", known)


def check_schema(schema: Node, place: str, known: Mapping[str, Node]) -> None:
    """Refuse a schema that the passes after this one cannot express, at any depth."""
    for keyword in sorted(_UNSUPPORTED_KEYWORDS & schema.keys()):
        raise Refused(place, f"uses {keyword}, which generated code cannot express")
    if "$ref" in schema:
        name = component_of(schema["$ref"], "schemas", place)
        if name not in known:
            raise Refused(place, f"refers to {name}, which does not exist")
    _check_siblings(schema, place)
    _check_type(schema, place)
    _check_enum(schema, place)
    for name, child in schema.get("properties", {}).items():
        check_schema(child, f"{place}.properties.{name}", known)
    for key in COMPOSITIONS:
        for index, child in enumerate(schema.get(key, [])):
            check_schema(child, f"{place}.{key}[{index}]", known)
    for key in ("items", "additionalProperties"):
        if key in schema and not isinstance(schema[key], bool):
            check_schema(schema[key], f"{place}.{key}", known)


def _check_siblings(schema: Node, place: str) -> None:
    """Keywords beside a reference or a composition, which would be dropped."""
    if "$ref" in schema:
        beside = schema.keys() & {"properties", "allOf", "oneOf", "anyOf", "enum", "items"}
        if beside:
            raise Refused(place, f"has {sorted(beside)} beside a reference", "write an allOf")
    elif schema.keys() & {*COMPOSITIONS}:
        beside = schema.keys() & {"enum", "const", "items"}
        if beside or isinstance(schema.get("additionalProperties"), dict):
            raise Refused(place, "has values beside a composition", "make them a part of it")


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
        raise Refused(place, "is an enum without values, or with values that are not strings")
