"""The parameters of an operation in the one form that the templates know."""

from __future__ import annotations

from openapi_python_client.strings import PythonIdentifier

from codegen.document import Node, Refused, component_of, resolved, schemas
from codegen.simplify import simplify


def parameters(document: Node, listed: list[Node], place: str) -> list[Node]:
    """The parameters of an operation, its own before those of its path, without references.

    Each has ``x-joined``: whether a list travels as one value, joined by commas.

    Raises: Refused for a parameter that would be spelt otherwise than the document says.
    """
    result: dict[tuple[str, str], Node] = {}
    for node in listed:
        parameter = resolved(document, node, "parameters", place)
        if not {"name", "in"} <= parameter.keys():
            raise Refused(f"{place}.{parameter.get('name')}", "has no name or no place")
        name, where = parameter["name"], parameter["in"]
        plain = plain_name(name) if where == "path" else name
        # The operation's own list comes first and wins over the path's.
        if (plain, where) not in result:
            result[plain, where] = _parameter(document, parameter, plain, f"{place}.{name}")
    identifiers = [str(PythonIdentifier(name, "field_")) for name, _ in result]
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
        raise Refused(place, "has a style or reserved characters that would be spelt otherwise")
    schema = _own_schema(document, parameter["schema"], place)
    is_list = schema.get("type") == "array"
    if schema.get("type") == "object" or (is_list and where == "path"):
        raise Refused(place, "is an object or a list in the path, whose spelling is not defined")
    joined = is_list and parameter.get("explode", where == "query") is False
    required = where == "path" or bool(parameter.get("required"))
    description = parameter.get("description", schema.get("description"))
    if description and "$ref" not in schema:
        schema["description"] = description
    return {"name": name, "in": where, "required": required, "schema": schema, "x-joined": joined}


def plain_name(name: str) -> str:
    """The name of a path parameter, as the generator accepts it."""
    # The generator skips an endpoint whose path parameter has a dot in its name.
    return name.replace(".", "_")


def _own_schema(document: Node, schema: Node, place: str) -> Node:
    """The schema of a parameter; a reference stays one only where it names an enum."""
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
