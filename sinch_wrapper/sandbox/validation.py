"""The check of a request against its operation, and of an answer against its schema."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice

import jsonschema_rs

from sinch_wrapper.sandbox.codec import decode
from sinch_wrapper.sandbox.documents import OperationSpec
from sinch_wrapper.sandbox.errors import Violation, bad_request, invalid
from sinch_wrapper.sandbox.prose_checks import BODY_RULES, QUERY_RULES, Rule
from sinch_wrapper.sandbox.schemas import schema_book
from sinch_wrapper.sandbox.shapes import Json, JsonValue

_MAX_VIOLATIONS = 20


class Checks:
    """The validators of one operation."""

    def __init__(self, spec: OperationSpec) -> None:
        book = schema_book(spec.api, "request")
        self._spec = spec
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
            found = violations(self._body, value)
        except ValueError:
            # Half a surrogate pair is JSON to some parsers, and no text to any validator.
            raise invalid("body", "The body is not JSON.") from None
        _raise(found or _broken(self._body_rules, value))
        return value


@cache
def checks(spec: OperationSpec) -> Checks:
    """Return the validators of *spec*, built once a process."""
    return Checks(spec)


def answer_violations(spec: OperationSpec, answer: object) -> list[Violation]:
    """Return what is wrong with *answer* by the response schema of *spec*."""
    if spec.answer is None:
        return []
    return violations(schema_book(spec.api, "response").validator(spec.answer), answer)


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


def _broken(rules: Iterable[Rule], fields: Json) -> list[Violation]:
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
        pass  # The validator says that the type is wrong.
    return text
