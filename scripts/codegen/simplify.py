"""First pass over schemas: one spelling for each meaning, nothing the client must not act on."""

from __future__ import annotations

from typing import Any

from codegen.document import Node

# Checks belong to the server: a client that enforces today's limits breaks when they are raised.
# `default` is worse than useless here: the generator would send it, so that a PATCH meant for one
# field carried several.
_DROPPED = frozenset(
    {
        "default",
        "discriminator",
        "example",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "externalDocs",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "nullable",
        "pattern",
        "readOnly",
        "uniqueItems",
        "writeOnly",
        "xml",
    }
)
_COMPOSITIONS = ("allOf", "oneOf", "anyOf")


def simplify(schema: Node) -> Node:
    """Rewrite a schema, at any depth, into the few forms that later passes know.

    Null is dropped everywhere: the client reads null as absent. ``additionalProperties: false``
    is dropped too, because unknown fields are kept. Of the formats only date-time changes the
    Python type.
    """
    result: Node = {key: value for key, value in schema.items() if _is_kept(key, value)}
    _spell_types(result)
    _spell_enums(result)
    if result.get("format") not in (None, "date-time"):
        del result["format"]
    if result.pop("deprecated", False):
        result["description"] = f"Deprecated. {result.get('description', '')}".strip()
    for key in _COMPOSITIONS:
        if key in result:
            result[key] = [simplify(part) for part in result[key] if part.get("type") != "null"]
    if "properties" in result:
        result["properties"] = {
            name: simplify(value) for name, value in result["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = simplify(result[key])
    return _unwrap_single(result)


def _is_kept(key: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if key == "additionalProperties" and isinstance(value, bool):
        return False
    return key not in _DROPPED and not key.startswith("x-")


def _spell_types(schema: Node) -> None:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        schema["type"] = next(kind for kind in kinds if kind != "null")
    if "type" not in schema:
        if "properties" in schema or "additionalProperties" in schema:
            schema["type"] = "object"
        elif "items" in schema:
            schema["type"] = "array"


def _spell_enums(schema: Node) -> None:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
        schema["type"] = "string"


def _unwrap_single(schema: Node) -> Node:
    """An allOf of one reference, written so to carry a description, is that reference."""
    for key in _COMPOSITIONS:
        parts = schema.get(key, [])
        beside = schema.keys() - {key, "description", "title"}
        if len(parts) == 1 and "$ref" in parts[0] and not beside:
            return {**parts[0], **{k: schema[k] for k in ("description",) if k in schema}}
    return schema
