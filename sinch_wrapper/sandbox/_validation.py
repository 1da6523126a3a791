"""The check of a request against its operation, and of a response against its schema."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from typing import Literal

import jsonschema_rs

from sinch_wrapper.sandbox._documents import Api, OperationSpec, document
from sinch_wrapper.sandbox._errors import Violation, bad_request, invalid
from sinch_wrapper.sandbox._json import Json, JsonValue, decode, unix_seconds
from sinch_wrapper.sandbox._prose_rules import BODY_RULES, QUERY_RULES, ProseRule

Direction = Literal["request", "response"]

# Properties that only the other side writes are not required.
_FOREIGN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
# Keywords of OpenAPI that mean something else, or nothing, to JSON Schema.
_DROPPED = frozenset({"discriminator", "example", "examples", "xml", "externalDocs", "default"})
_MAX_VIOLATIONS = 20
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_COMPOSED = ("allOf", "anyOf", "oneOf")


class SchemaBook:
    """The validators of one document for one direction.

    OpenAPI 3.0 is translated to JSON Schema 2020-12, the dialect of OpenAPI 3.1: `nullable` becomes
    a type, and properties that only the other side writes are not required. In a `oneOf` over
    wrappers (objects with one property) each alternative requires its property, because the
    documents distinguish such alternatives by the key that is present. Any other `oneOf` is read
    as `anyOf`: its alternatives overlap. A time without an offset means UTC.
    """

    def __init__(self, root: Json, base: str, direction: Direction) -> None:
        self._root = root
        self._base = base
        self._foreign = _FOREIGN[direction]
        components = {"schemas": self._prepare_all(root["components"]["schemas"])}
        _widen(components["schemas"])
        self._registry = jsonschema_rs.Registry(
            [(base, {"components": components})], draft=jsonschema_rs.Draft202012
        )

    def validator(self, schema: Json) -> jsonschema_rs.Draft202012Validator:
        """Return a validator of *schema*; its messages never contain the value."""
        return jsonschema_rs.Draft202012Validator(
            self._prepare(schema),
            registry=self._registry,
            validate_formats=True,
            formats={"date-time": is_time},
            mask="value",
        )

    def without_nulls(self, schema: Json, value: JsonValue) -> JsonValue:
        """Return *value* without the fields of *schema* that are null: null means absent.

        That is the JSON form of protobuf, whose error format the API has, and official SDKs send
        null. In objects of free form, such as metadata, null is a value like any other.
        """
        if isinstance(value, list):
            return [self.without_nulls(self._items(schema), each) for each in value]
        if not isinstance(value, dict):
            return value
        known = self._fields(schema)
        return {
            name: self.without_nulls(known.get(name, {}), each)
            for name, each in value.items()
            if each is not None or name not in known or known[name].get("nullable")
        }

    def _fields(self, schema: Json) -> Json:
        schema = self._resolve(schema)
        parts = [each for key in _COMPOSED for each in schema.get(key, [])]
        found: Json = {}
        for each in map(self._fields, parts):
            found |= each
        found |= schema.get("properties", {})
        return found

    def _items(self, schema: Json) -> Json:
        items: Json = self._resolve(schema).get("items", {})
        return items

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


def _widen(schemas: Json) -> None:
    """Allow what fixtures and end-to-end steps of the official SDKs have in responses."""
    if language := schemas.get("ContactLanguage"):
        language["enum"] = [*language["enum"], "UNSPECIFIED"]
    if fallback := schemas.get("DeliveryReportBasedFallback"):
        # 0 where it is not enabled.
        del fallback["properties"]["delivery_report_waiting_time"]["minimum"]


def _with_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def is_time(text: str) -> bool:
    """Say whether *text* is a time in the form of RFC 3339, with an offset or without one."""
    if _TIME.fullmatch(text) is None:
        return False
    try:
        unix_seconds(text)
    except ValueError:
        return False
    return True


@cache
def schema_book(api: Api, direction: Direction) -> SchemaBook:
    """Return the schemas of *api*, prepared for *direction* once per process."""
    return SchemaBook(document(api), f"urn:{api}:{direction}", direction)


class OperationChecks:
    """The validators of one operation."""

    def __init__(self, spec: OperationSpec) -> None:
        book = schema_book(spec.api, "request")
        self._spec, self._book = spec, book
        self._path = book.validator(_object(spec.parameters_in("path")))
        self._query = book.validator(_object(spec.parameters_in("query")))
        self._body = None if spec.body is None else book.validator(spec.body)
        self._schemas = {each["name"]: each for each in spec.parameters_in("query")}
        self._query_rules = QUERY_RULES.get(spec.id, ())
        self._body_rules = BODY_RULES.get(spec.id, ())

    def path(self, values: Mapping[str, str]) -> None:
        """Check the path parameters; raises Refusal 400."""
        _raise(violations(self._path, dict(values)))

    def query(self, pairs: Iterable[tuple[str, str]]) -> Json:
        """Return the query parameters as typed values; raises Refusal 400."""
        values: Json = {}
        for name, text in pairs:
            schema = self._schemas.get(name, {}).get("schema", {})
            if schema.get("type") == "array":
                values[name] = values.get(name, []) + [each for each in text.split(",") if each]
            else:
                values[name] = _typed(text, schema.get("type"))
        _raise(violations(self._query, values) or _broken(self._query_rules, values))
        return values

    @property
    def takes_body(self) -> bool:
        """Whether the operation has a body."""
        return self._body is not None

    def body(self, raw: bytes) -> JsonValue:
        """Return the decoded body, None when the operation has none; raises Refusal 400."""
        if self._body is None:
            return None
        if not raw and not self._spec.body_required:
            return {}
        try:
            value = decode(raw)
            if b"null" in raw:
                value = self._book.without_nulls(self._spec.body or {}, value)
            found = violations(self._body, value)
        except ValueError:
            # Some parsers accept half a surrogate pair; the validator does not.
            raise invalid("body", "The body is not JSON.") from None
        _raise(found or _broken(self._body_rules, value))
        return value


@cache
def checks(spec: OperationSpec) -> OperationChecks:
    """Return the validators of *spec*, built once per process."""
    return OperationChecks(spec)


def response_violations(spec: OperationSpec, response: object) -> list[Violation]:
    """Return what is wrong with *response* by the response schema of *spec*."""
    if spec.response is None:
        return []
    book = schema_book(spec.api, "response")
    return violations(book.validator(spec.response), book.without_nulls(spec.response, response))


def violations(validator: jsonschema_rs.Draft202012Validator, value: object) -> list[Violation]:
    """Return the first violations of *value*."""
    return [_violation(error) for error in islice(validator.iter_errors(value), _MAX_VIOLATIONS)]


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    path = _dotted(error.instance_path)
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        name = str(error.kind.property)
        return Violation(f"{path}.{name}" if path else name, "Field is mandatory.")
    return Violation(path or "body", error.message)


def _dotted(steps: Iterable[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _broken(rules: Iterable[ProseRule], fields: Json) -> list[Violation]:
    return [violation for rule in rules for violation in rule(fields)]


def _raise(found: list[Violation]) -> None:
    if found:
        raise bad_request(found)


def _object(parameters: list[Json]) -> Json:
    return {
        "type": "object",
        "properties": {each["name"]: each.get("schema", {}) for each in parameters},
        "required": [each["name"] for each in parameters if each.get("required")],
        "additionalProperties": False,
    }


def _typed(text: str, kind: str | None) -> object:
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        pass  # The validator reports the wrong type.
    return text
