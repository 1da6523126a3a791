"""The schemas of an OpenAPI document, made ready for a JSON Schema validator."""

from functools import cache
from typing import Literal

import jsonschema_rs

from sinch_wrapper.sandbox.documents import Api, document
from sinch_wrapper.sandbox.shapes import Json, JsonValue

Direction = Literal["request", "response"]

# Neither side may require what only the other side writes.
_FOREIGN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
# Keywords of OpenAPI that mean something else, or nothing, to JSON Schema.
_DROPPED = frozenset({"discriminator", "example", "examples", "xml", "externalDocs", "default"})


class SchemaBook:
    """The validators of one document for one direction.

    OpenAPI 3.0 is brought to JSON Schema 2020-12, the dialect of OpenAPI 3.1: `nullable` becomes a
    type, what only the other side writes is not required, and of a `oneOf` over wrappers
    (objects of one property) each alternative requires its property, since the documents
    tell such alternatives apart by the key that is present. Any other `oneOf` is read as
    `anyOf`: its alternatives overlap.
    """

    def __init__(self, root: Json, base: str, direction: Direction) -> None:
        self._root = root
        self._base = base
        self._foreign = _FOREIGN[direction]
        components = {"schemas": self._prepare_all(root["components"]["schemas"])}
        self._registry = jsonschema_rs.Registry(
            [(base, {"components": components})], draft=jsonschema_rs.Draft202012
        )

    def validator(self, schema: Json) -> jsonschema_rs.Draft202012Validator:
        """Return a validator of *schema*; its messages never contain the value."""
        return jsonschema_rs.Draft202012Validator(
            self._prepare(schema), registry=self._registry, validate_formats=True, mask="value"
        )

    def _prepare_all(self, schemas: Json) -> Json:
        return {name: self._prepare(schema) for name, schema in schemas.items()}

    def _prepare(self, schema: JsonValue) -> JsonValue:
        if not isinstance(schema, dict):
            return schema
        ready = {
            key: self._keyword(key, value) for key, value in schema.items() if key not in _DROPPED
        }
        if "oneOf" in schema and not all(map(self._is_wrapper, schema["oneOf"])):
            ready["anyOf"] = ready.pop("oneOf")
        if "required" in ready and "properties" in schema:
            ready["required"] = [
                name for name in ready["required"] if not self._is_foreign(schema, name)
            ]
        return _with_null(ready) if ready.pop("nullable", False) else ready

    def _keyword(self, key: str, value: JsonValue) -> JsonValue:
        match key:
            case "$ref":
                return self._base + value
            case "properties" | "patternProperties":
                return self._prepare_all(value)
            case "oneOf":
                return [self._alternative(each) for each in value]
            case "allOf" | "anyOf":
                return [self._prepare(each) for each in value]
            case "items" | "additionalProperties" | "not":
                return self._prepare(value)
        return value

    def _alternative(self, schema: Json) -> Json:
        ready: Json = self._prepare(schema)
        if not self._is_wrapper(schema):
            return ready
        return {"allOf": [ready], "required": list(self._resolve(schema)["properties"])}

    def _is_wrapper(self, schema: Json) -> bool:
        return len(self._resolve(schema).get("properties", {})) == 1

    def _is_foreign(self, schema: Json, name: str) -> bool:
        return bool(schema["properties"].get(name, {}).get(self._foreign, False))

    def _resolve(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema


def _with_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


@cache
def schema_book(api: Api, direction: Direction) -> SchemaBook:
    """Return the schemas of *api*, prepared for *direction* once a process."""
    return SchemaBook(document(api), f"urn:{api}:{direction}", direction)
