"""The typed details of google.rpc errors, and how they are read from JSON.

Source: google/rpc/error_details.proto; Sinch uses BadRequest in its own examples.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sinch_wrapper.errors._delay import parse_duration
from sinch_wrapper.errors._words import safe_field, safe_word

__all__ = [
    "BadRequest",
    "Detail",
    "ErrorInfo",
    "FieldViolation",
    "QuotaFailure",
    "QuotaViolation",
    "RetryInfo",
    "UnknownDetail",
    "read_details",
]


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that the server refuses, by its path, and why."""

    field: str
    description: str = ""
    reason: str = ""

    def __repr__(self) -> str:
        return f"FieldViolation({safe_field(self.field)})"


@dataclass(frozen=True, slots=True)
class BadRequest:
    """The fields of the request that are wrong."""

    field_violations: tuple[FieldViolation, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryInfo:
    """How long to wait before the next try, in seconds; None when it was not readable."""

    retry_delay: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """The reason as a constant (such as `BILLING_CREDIT_LIMIT_BREACHED`) and who gives it."""

    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ErrorInfo({safe_word(self.reason) or '?'})"


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """One quota that is used up."""

    subject: str = field(default="", repr=False)
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class QuotaFailure:
    """The quotas that are used up."""

    violations: tuple[QuotaViolation, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownDetail:
    """A detail of another kind, kept as it came; *type* is empty when it has none."""

    type: str = field(default="", repr=False)
    value: object = field(default=None, repr=False)


Detail: TypeAlias = BadRequest | RetryInfo | ErrorInfo | QuotaFailure | UnknownDetail
_Object: TypeAlias = Mapping[object, object]


def _get(value: _Object, snake: str) -> object:
    # proto3 JSON is written in camelCase, the examples of Sinch in snake_case.
    head, *tail = snake.split("_")
    camel = head + "".join(word.title() for word in tail)
    return value.get(snake, value.get(camel))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: object) -> list[_Object]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _bad_request(value: _Object) -> BadRequest:
    return BadRequest(
        tuple(
            FieldViolation(
                _text(item.get("field")), _text(item.get("description")), _text(item.get("reason"))
            )
            for item in _objects(_get(value, "field_violations"))
        )
    )


def _retry_info(value: _Object) -> RetryInfo:
    return RetryInfo(parse_duration(_get(value, "retry_delay")))


def _error_info(value: _Object) -> ErrorInfo:
    metadata = value.get("metadata")
    pairs = metadata.items() if isinstance(metadata, Mapping) else ()
    return ErrorInfo(
        _text(value.get("reason")),
        _text(value.get("domain")),
        {str(key): _text(item) for key, item in pairs},
    )


def _quota_failure(value: _Object) -> QuotaFailure:
    return QuotaFailure(
        tuple(
            QuotaViolation(_text(item.get("subject")), _text(item.get("description")))
            for item in _objects(value.get("violations"))
        )
    )


_READERS: Final[Mapping[str, Callable[[_Object], Detail]]] = {
    "google.rpc.BadRequest": _bad_request,
    "google.rpc.RetryInfo": _retry_info,
    "google.rpc.ErrorInfo": _error_info,
    "google.rpc.QuotaFailure": _quota_failure,
}


def _read_detail(value: object) -> Detail:
    if not isinstance(value, Mapping):
        return UnknownDetail("", value)
    # The form {type_url, value} holds packed bytes, which nobody but its sender can read.
    kind = _text(value.get("@type")) or _text(value.get("type_url")) or _text(value.get("typeUrl"))
    reader = _READERS.get(kind.rpartition("/")[2]) if "@type" in value else None
    return reader(value) if reader is not None else UnknownDetail(kind, value)


def read_details(value: object) -> tuple[Detail, ...]:
    """Read the `details` list of an error body; never raises, whatever *value* is."""
    return tuple(_read_detail(item) for item in value) if isinstance(value, list) else ()
