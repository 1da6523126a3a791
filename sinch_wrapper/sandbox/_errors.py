"""Refusals of the sandbox in the error format of the APIs."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

try:
    import orjson
except ImportError:
    _FAST = False
else:
    _FAST = True


def decode(raw: bytes) -> Any:  # noqa: ANN401 (JSON can be anything)
    """Read strict JSON: no NaN, no infinity.

    Raises: ValueError for anything else, also for JSON that is nested too deep to be read.
    """
    if _FAST:
        return orjson.loads(raw)
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def encode(value: object) -> bytes:
    """Write *value* as compact UTF-8."""
    if _FAST:
        return orjson.dumps(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def encode_text(value: object) -> str:
    """Write *value* as the text of a field that holds JSON in a string."""
    return encode(value).decode()


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


# Requests are checked against the documents before a resource sees them: their shape is known at
# run time and not to the type checker.
JsonValue: TypeAlias = Any
Json: TypeAlias = dict[str, JsonValue]

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def timestamp(seconds: float) -> str:
    """Write Unix time *seconds* as RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(text: str) -> float:
    """Read an RFC 3339 time as Unix seconds; a missing offset means UTC.

    Raises: ValueError for what is no such time, or beyond the years 1 to 9999.
    """
    # A leap second is RFC 3339, but no datetime.
    moment = datetime.fromisoformat(text.upper().replace(":60", ":59"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def placeholders(value: object) -> set[str]:
    """Collect the names of all ``${name}`` in the strings of *value*."""
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    if isinstance(value, Mapping):
        return set().union(*map(placeholders, value.values()))
    if isinstance(value, list):
        return set().union(*map(placeholders, value))
    return set()


def substitute(value: JsonValue, parameters: Mapping[str, str]) -> JsonValue:
    """Return *value* with each ``${name}`` in its strings replaced from *parameters*."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: parameters[found[1]], value)
    if isinstance(value, Mapping):
        return {key: substitute(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, parameters) for item in value]
    return value


ErrorShape: TypeAlias = Literal["wrapped", "flat"]

_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ALREADY_EXISTS",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A field and what is wrong with it; never its value."""

    field: str
    description: str


@dataclass(slots=True)
class Refusal(Exception):  # noqa: N818 (an answer, no mistake)
    """A request that is answered with an error status and the error body of the APIs."""

    code: int
    message: str
    details: Sequence[Json] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, shape: ErrorShape = "wrapped") -> Json:
        """Return the body: ``{"error": {code, message, status, details}}``, or these four flat.

        Both shapes are documented (Sinch documentation, Errors).
        """
        status = STATUS_NAMES.get(self.code, "UNKNOWN")
        error: Json = {"code": self.code, "message": self.message, "status": status}
        error["details"] = list(self.details)
        return error if shape == "flat" else {"error": error}


def bad_request(violations: Sequence[Violation]) -> Refusal:
    """Return a 400 that lists *violations* as google.rpc BadRequest."""
    fields = [{"field": each.field, "description": each.description} for each in violations]
    detail = {"@type": _BAD_REQUEST, "field_violations": fields}
    return Refusal(400, "Invalid argument", [detail])


def invalid(field_name: str, description: str) -> Refusal:
    """Return a 400 for one field."""
    return bad_request([Violation(field_name, description)])


def not_found(kind: str) -> Refusal:
    """Return a 404 for a resource of *kind*."""
    return Refusal(404, f"{kind} not found in this project and region")
