"""Rewrite the operations of a document into the one form that the templates understand."""

from __future__ import annotations

import re
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.document import (
    COMPOSITIONS,
    Node,
    Refused,
    component_of,
    operations,
    reference_to,
    resolved,
    schemas,
)
from codegen.names import pieces, sound
from codegen.schemas import class_name, simplify

_JSON = "application/json"


def normalise_operations(document: Node) -> None:
    """Rewrite paths in place: references resolved, one JSON body, one success response.

    Responses to failures are left out: the session that sends operations raises them. The id of
    an operation moves to ``x-operation-id``; ``operationId`` becomes the name of its method. Array
    parameters that are sent comma-joined are listed in ``x-comma-joined``.

    Raises: Refused for anything that would be sent differently from what the document says.
    """
    rewritten: Node = {}
    for path, method, operation, item in sorted(operations(document), key=lambda one: one[:2]):
        place = f"paths.{path}.{method}"
        plain, names = _plain_path(path)
        result = _operation(document, operation, item, place)
        declared = {one["name"] for one in result["parameters"] if one["in"] == "path"}
        _check_declared(names, declared, place)
        target = rewritten.setdefault(plain, {})
        if method in target:
            raise Refused(place, "has the same address as another path")
        target[method] = result
    _check_method_names(rewritten)
    document["paths"] = rewritten


def method_name(operation_id: str) -> str:
    """The method name of an operation: its id without the prefix of the tag, in snake case."""
    return str(PythonIdentifier(operation_id.rsplit("_", 1)[-1], "op_"))


def _plain_path(path: str) -> tuple[str, list[str]]:
    """A path with the names of its parameters as the generator accepts them, and these names."""
    found = [(text, _plain_name(name)) for text, name in pieces(path, f"paths.{path}")]
    plain = "".join(text + (f"{{{name}}}" if name else "") for text, name in found)
    return plain, [name for _, name in found if name]


def _check_declared(names: list[str], declared: set[str], place: str) -> None:
    for name in sorted(declared ^ {*names}):
        problem = "is not in the path" if name in declared else "is in the path only"
        raise Refused(place, f"has the parameter {name}, which {problem}")
    if len({*names}) != len(names):
        raise Refused(place, "has a parameter twice in its path")


def _operation(document: Node, operation: Node, item: Node, place: str) -> Node:
    identifier = operation["operationId"]
    name = method_name(identifier)
    result: Node = {
        "tags": operation["tags"],
        "operationId": name,
        "x-operation-id": identifier,
        "x-deprecated": bool(operation.get("deprecated")),
        **_end(operation, place),
    }
    for key in ("summary", "description"):
        if key in operation:
            result[key] = operation[key]
    pascal = class_name(name)
    listed = [*operation.get("parameters", []), *item.get("parameters", [])]
    result["parameters"] = _parameters(document, listed, place)
    result["x-comma-joined"] = [p["name"] for p in result["parameters"] if p.pop("x-joined")]
    if "requestBody" in operation:
        schema = _body(document, operation["requestBody"], pascal, place)
        result["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    result["responses"] = _responses(document, operation, pascal, place)
    return result


def _end(operation: Node, place: str) -> Node:
    """The day from which the API no longer has an operation, and what to use then.

    No document says it: an overlay adds it from the release notes.
    """
    ends = str(operation.get("x-ends", ""))
    if ends and not re.fullmatch(r"\d{4}-\d\d-\d\d", ends):
        raise Refused(f"{place}.x-ends", "is not a day such as 2030-05-17", "correct it")
    return {"x-ends": ends, "x-instead": str(operation.get("x-instead", ""))}


def _body(document: Node, node: Node, pascal: str, place: str) -> Node:
    body = resolved(document, node, "requestBodies", place)
    content = body.get("content", {})
    if set(content) != {_JSON} or "schema" not in content[_JSON]:
        raise Refused(f"{place}.requestBody", f"is not JSON with a schema but {sorted(content)}")
    return _named(document, content[_JSON]["schema"], f"{pascal}Request", place)


def _responses(document: Node, operation: Node, pascal: str, place: str) -> Node:
    successes = {
        code: resolved(document, node, "responses", place)
        for code, node in operation.get("responses", {}).items()
        if re.fullmatch(r"2\d\d", str(code))
    }
    if len(successes) != 1:
        raise Refused(f"{place}.responses", f"has {len(successes)} responses of success, not one")
    (code, response), *_ = successes.items()
    content = response.get("content", {})
    result: Node = {"description": response.get("description", "")}
    if content:
        if set(content) != {_JSON} or "schema" not in content[_JSON]:
            where = f"{place}.responses.{code}"
            raise Refused(where, f"is not JSON with a schema but {sorted(content)}")
        schema = _named(document, content[_JSON]["schema"], f"{pascal}Response", place)
        result["content"] = {_JSON: {"schema": schema}}
    return {code: result}


def _named(document: Node, schema: Node, name: str, place: str) -> Node:
    """A reference to the schema of a body; an inline schema is named after the operation."""
    beside = schema.keys() - {"$ref", "description", "summary"}
    if "$ref" in schema:
        component_of(schema["$ref"], "schemas", place)
        if not beside:
            return {"$ref": schema["$ref"]}
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {"allOf": [{"$ref": schema["$ref"]}, {"type": "object", **rest}]}
    if not _is_object(schema):
        raise Refused(place, "has a body that is neither an object nor a component")
    known: dict[str, Any] = schemas(document)
    if name in known:
        raise Refused(place, f"needs the name {name} for its body, which is taken")
    known[name] = simplify(schema)
    return reference_to(name)


def _is_object(schema: Node) -> bool:
    return schema.get("type") == "object" or any(
        key in schema for key in ("properties", *COMPOSITIONS)
    )


def _check_method_names(paths: Node) -> None:
    seen: dict[tuple[str, str], str] = {}
    tags: dict[str, str] = {}
    for path, item in paths.items():
        for method, operation in item.items():
            place = f"paths.{path}.{method}"
            tag, name = str(PythonIdentifier(operation["tags"][0], "tag")), operation["operationId"]
            sound(tag, operation["tags"][0], f"{place}.tags[0]")
            sound(name, operation["x-operation-id"], f"{place}.operationId")
            if str(PythonIdentifier(name, "op_")) != name:
                raise Refused(f"{place}.operationId", "does not give one method name")
            for key in ((tag, name), (tag, f"{name}_detailed")):
                if key in seen:
                    raise Refused(place, f"gets the same method name as {seen[key]}")
                seen[key] = operation["x-operation-id"]
            tags.setdefault(tag, operation["tags"][0])
            if tags[tag] != operation["tags"][0]:
                raise Refused(place, f"has a tag of the same Python name as {tags[tag]}")


def _parameters(document: Node, listed: list[Node], place: str) -> list[Node]:
    """The parameters of an operation, its own before those of its path, without references.

    Each has ``x-joined``: whether a list is sent as one value, joined by commas.

    Raises: Refused for a parameter that would be encoded differently from what the document says.
    """
    result: dict[tuple[str, str], Node] = {}
    for node in listed:
        parameter = resolved(document, node, "parameters", place)
        if not {"name", "in"} <= parameter.keys():
            raise Refused(f"{place}.{parameter.get('name')}", "has no name or no location")
        name, where = parameter["name"], parameter["in"]
        plain = _plain_name(name) if where == "path" else name
        # The operation's own list comes first and wins over the path's.
        if (plain, where) not in result:
            result[plain, where] = _parameter(document, parameter, plain, f"{place}.{name}")
    identifiers = [
        sound(str(PythonIdentifier(name, "field_")), name, f"{place}.{name}") for name, _ in result
    ]
    for identifier in sorted(set(identifiers)):
        if identifiers.count(identifier) > 1:
            raise Refused(place, f"has two parameters that become {identifier} in Python")
    return list(result.values())


def _parameter(document: Node, parameter: Node, name: str, place: str) -> Node:
    where = parameter["in"]
    styles = {"path": "simple", "query": "form"}
    if where not in styles:
        raise Refused(place, f"is a {where} parameter, which would be dropped or misplaced")
    if "schema" not in parameter:
        raise Refused(place, "is described by content instead of a schema")
    if parameter.get("style", styles[where]) != styles[where] or parameter.get("allowReserved"):
        raise Refused(place, "has a style, or allowReserved, that would be encoded differently")
    schema = _own_schema(document, parameter["schema"], place)
    is_list = schema.get("type") == "array"
    if schema.get("type") == "object" or (is_list and where == "path"):
        raise Refused(place, "is an object, or a list in the path, whose encoding is not defined")
    if where == "path" and not _kinds(document, schema) <= {"string", "integer"}:
        raise Refused(place, "is neither a string nor an integer, which alone address a resource")
    joined = is_list and parameter.get("explode", where == "query") is False
    required = where == "path" or bool(parameter.get("required"))
    description = parameter.get("description", schema.get("description"))
    if description and "$ref" not in schema:
        schema["description"] = description
    return {"name": name, "in": where, "required": required, "schema": schema, "x-joined": joined}


def _kinds(document: Node, schema: Node) -> set[str]:
    """The types that a parameter may have; a date-time is one of its own."""
    if "$ref" in schema:
        name = component_of(schema["$ref"], "schemas", "")
        return _kinds(document, schemas(document)[name])
    parts = [part for key in COMPOSITIONS for part in schema.get(key, [])]
    if parts:
        return set().union(*(_kinds(document, part) for part in parts))
    return {str(schema.get("format") or schema.get("type", "any"))}


def _plain_name(name: str) -> str:
    """The name of a path parameter in a form that the generator accepts."""
    # It skips an operation whose path parameter has a dot in its name.
    return name.replace(".", "_")


def _own_schema(document: Node, schema: Node, place: str) -> Node:
    """The schema of a parameter; only a reference to an enum stays a reference."""
    seen: set[str] = set()
    simple = simplify(schema)
    while "$ref" in simple:
        name = component_of(simple["$ref"], "schemas", place)
        target = schemas(document)[name]
        if "enum" in target or name in seen:
            break
        seen.add(name)
        simple = simplify(target)
    return simple
