"""Responses of operations that have no handler yet: a sample of their response schema."""

from sinch_wrapper.sandbox._documents import OperationSpec, document
from sinch_wrapper.sandbox._json import Json

_STRINGS = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "byte": "AA=="}
_MAX_DEPTH = 8


def synthesise(spec: OperationSpec) -> object:
    """Return a response that fits the response schema of *spec*; `{}` when it has none."""
    if spec.response is None:
        return {}
    return _SchemaSampler(document(spec.api)["components"]["schemas"]).sample(spec.response, 0)


class _SchemaSampler:
    """Builds one example of a schema; beyond a certain depth only with the required properties."""

    def __init__(self, schemas: Json) -> None:
        self._schemas = schemas

    def sample(self, schema: Json, depth: int) -> object:
        if "$ref" in schema:
            return self.sample(self._schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._alternative(schema, schema[keyword][0], depth)
        if "allOf" in schema:
            return self._joined(schema, depth)
        if "enum" in schema:
            return schema["enum"][0]
        return self._by_type(schema, depth)

    def _by_type(self, schema: Json, depth: int) -> object:
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                count = schema.get("minItems", 0) or int(depth < _MAX_DEPTH)
                return [self.sample(schema.get("items", {}), depth + 1) for _ in range(count)]
            case "integer" | "number":
                return schema.get("minimum", 0)
            case "boolean":
                return False
            case "string":
                text = _STRINGS.get(schema.get("format", ""), "sample")
                return text[: schema.get("maxLength", len(text))]
        return {}

    def _object(self, schema: Json, depth: int) -> Json:
        required = schema.get("required", [])
        return {
            name: self.sample(inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or depth < _MAX_DEPTH
        }

    def _alternative(self, schema: Json, chosen: Json, depth: int) -> object:
        rest = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf")}
        value = self.sample(chosen, depth)
        more = self.sample(rest, depth) if rest.keys() & {"properties", "allOf"} else {}
        return {**more, **value} if isinstance(value, dict) and isinstance(more, dict) else value

    def _joined(self, schema: Json, depth: int) -> object:
        own = {key: value for key, value in schema.items() if key != "allOf"}
        parts = [self.sample(each, depth) for each in schema["allOf"]]
        if "properties" in own:
            parts.append(self._object(own, depth))
        joined: Json = {}
        for part in parts:
            if not isinstance(part, dict):
                return part
            joined |= part
        return joined


def _type(schema: Json) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "")
    return str(kind[0] if isinstance(kind, list) else kind)
