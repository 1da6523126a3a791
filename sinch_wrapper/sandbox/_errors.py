"""Refusals: the error responses of the sandbox, in the format of the APIs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sinch_wrapper.sandbox._json import Json

ErrorShape: TypeAlias = Literal["wrapped", "flat"]

_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_STATUS_NAMES = {
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
class Refusal(Exception):  # noqa: N818 (a response, not a mistake)
    """A response with an error status and the error body of the APIs."""

    code: int
    message: str
    details: Sequence[Json] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The first violation with its field, or the message."""
        for detail in self.details:
            for each in detail.get("field_violations", []):
                return f"{each['field']}: {each['description']}"
        return self.message

    def body(self, shape: ErrorShape = "wrapped") -> Json:
        """Return the body: ``{"error": {code, message, status, details}}``, or these four flat.

        Source: Sinch documentation, Errors (both shapes).
        """
        status = _STATUS_NAMES.get(self.code, "UNKNOWN")
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


def unknown_path() -> Refusal:
    """Return a 404 for a path that no document has."""
    return Refusal(404, "This path does not exist")


def unknown_method(allowed: str) -> Refusal:
    """Return a 405 for a path that has other methods, named in *allowed*."""
    return Refusal(405, "This path does not support this method", headers={"allow": allowed})
