"""Turn a repaired document into the plain subset of OpenAPI that the generator understands."""

from __future__ import annotations

from openapi_python_client.strings import PythonIdentifier

from codegen.document import COMPOSITIONS, Node, Refused, copied, pointing, schemas
from codegen.flatten import flatten
from codegen.names import sound
from codegen.operations import normalise_operations
from codegen.refusals import check, check_form
from codegen.schemas import class_name, hoist, relax, rename_reserved, sent_only, simplify


def normalise(document: Node) -> Node:
    """Return a document of flat objects, string enums and JSON operations with the same meaning.

    Raises: Refused, with the JSON pointer, for anything whose meaning would change.
    """
    with pointing(document):
        return _normalised(document)


def _normalised(document: Node) -> Node:
    check_form(document)
    check(document)
    result = copied(document)
    components = result.setdefault("components", {})
    components["schemas"] = {
        name: simplify(schema) for name, schema in components.get("schemas", {}).items()
    }
    normalise_operations(result)
    hoist(result)
    _check_required(result)
    # Before compositions are flattened: afterwards nothing refers to their parts any more.
    keep = sent_only(result)
    flatten(result)
    relax(result, keep)
    rename_reserved(result)
    _check_field_names(result)
    _sort(result)
    for kind in ("parameters", "requestBodies", "responses", "securitySchemes"):
        result["components"].pop(kind, None)
    for key in ("security", "webhooks"):
        result.pop(key, None)
    result["openapi"] = "3.1.0"
    return result


def _sort(document: Node) -> None:
    """Put schemas and fields in the order of their names: that of a document may change any day."""
    components = document["components"]
    components["schemas"] = dict(sorted(components["schemas"].items()))
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["properties"] = dict(sorted(schema["properties"].items()))


def _check_required(document: Node) -> None:
    """Refuse a schema that requires a field it does not have; parts of an allOf share theirs."""
    for name, schema in schemas(document).items():
        _check_part(schema, f"components.schemas.{name}")


def _check_part(schema: Node, place: str) -> None:
    for key in ("oneOf", "anyOf"):
        for part in schema.get(key, []):
            _check_part(part, place)
    composed = schema.keys() & {*COMPOSITIONS}
    for field in schema.get("required", []):
        if not composed and "properties" in schema and field not in schema["properties"]:
            raise Refused(place, f"requires {field}, which is not one of its properties")


def _check_field_names(document: Node) -> None:
    for name, schema in schemas(document).items():
        sound(class_name(name), name, f"components.schemas.{name}")
        seen: dict[str, str] = {}
        for field in schema.get("properties", {}):
            place = f"components.schemas.{name}.properties.{field}"
            identifier = sound(str(PythonIdentifier(field, "field_")), field, place)
            if identifier in seen:
                raise Refused(place, f"has the same Python name as {seen[identifier]}")
            seen[identifier] = field
