"""The typed details of google.rpc errors, and how they are read from JSON.

Source: google/rpc/error_details.proto; Sinch uses BadRequest in its own examples.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

from sinch_wrapper._json import decode


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) and number >= 0 else None


def _number(text: object) -> float | None:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    try:
        return _finite(float(text))
    except (ValueError, OverflowError):
        return None


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds, fractions too, or an HTTP date counted from *now*.

    Returns: seconds >= 0; 0 for a date in the past; None for negative numbers, infinity, NaN
    and garbage. The retry policy sets the upper limit.
    Source: RFC 9110, 10.2.3.
    """
    if value is None:
        return None
    text = value.strip()
    seconds = _number(text)
    if seconds is not None or not text[:1].isalpha():
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def parse_duration(value: object) -> float | None:
    """Read a google.protobuf.Duration: `"1.5s"`, or `{"seconds": 1, "nanos": 500000000}`.

    Returns: seconds >= 0, or None for anything else.
    """
    if isinstance(value, str):
        return _number(value.removesuffix("s")) if value.endswith("s") else None
    if isinstance(value, Mapping):
        seconds, nanos = _number(value.get("seconds", 0)), _number(value.get("nanos", 0))
        if seconds is not None and nanos is not None:
            return _finite(seconds + nanos / 1e9)
    return None


# Four digits in a row are in most phone numbers, and never in a field name or a status.
_LONG_NUMBER = re.compile(r"\d{4}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,127}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/=|;-]{0,127}")
_PHONE = re.compile(r"\d{6,15}")


def safe_word(text: object) -> str | None:
    """*text* when it looks like a status or reason (`NOT_FOUND`, `invalid_client`), else None."""
    if isinstance(text, str) and _WORD.fullmatch(text) and not _LONG_NUMBER.search(text):
        return text
    return None


def safe_field(path: str) -> str:
    """*path* when it looks like a field path, else `?`."""
    return path if _FIELD.fullmatch(path) and not _LONG_NUMBER.search(path) else "?"


def safe_token(text: str) -> str | None:
    """*text* when it looks like a request id, and not like a phone number, else None."""
    return text if _TOKEN.fullmatch(text) and not _PHONE.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One *field* that the server refused, by its path, *description* and *reason* (a code)."""

    field: str
    description: str = ""
    reason: str = ""

    def __repr__(self) -> str:
        return f"FieldViolation({safe_field(self.field)})"


@dataclass(frozen=True, slots=True)
class BadRequest:
    """The invalid fields of the request: *field_violations*."""

    field_violations: tuple[FieldViolation, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryInfo:
    """How long to wait before the next try: *retry_delay* in seconds, None when unreadable."""

    retry_delay: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """The *reason* as a constant (`BILLING_CREDIT_LIMIT_BREACHED`), its *domain* and *metadata*."""

    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ErrorInfo({safe_word(self.reason) or '?'})"


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """One quota that is used up: whose it is (*subject*), and in words (*description*)."""

    subject: str = field(default="", repr=False)
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class QuotaFailure:
    """The quotas that are used up: *violations*."""

    violations: tuple[QuotaViolation, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownDetail:
    """A detail of another type, with its *value* as it came; *type* is empty when there is none."""

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
    # The form {type_url, value} contains packed bytes, which only its sender can read.
    kind = _text(value.get("@type")) or _text(value.get("type_url")) or _text(value.get("typeUrl"))
    reader = _READERS.get(kind.rpartition("/")[2]) if "@type" in value else None
    return reader(value) if reader is not None else UnknownDetail(kind, value)


def read_details(value: object) -> tuple[Detail, ...]:
    """Read the `details` list of an error body; never raises, whatever *value* is."""
    return tuple(_read_detail(item) for item in value) if isinstance(value, list) else ()


# A proxy's error page may be long; no error body of the API comes near this size.
_READABLE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """The body of an error response: *status*, *details* and *message*.

    The message may echo the request, so it is never shown. *shown* are the field violations
    without what the request contained.
    """

    message: str = field(default="", repr=False)
    status: str = field(default="", repr=False)
    details: tuple[Detail, ...] = ()
    shown: tuple[FieldViolation, ...] = ()

    @property
    def field_violations(self) -> tuple[FieldViolation, ...]:
        """The violations of every BadRequest among the details."""
        requests = [item for item in self.details if isinstance(item, BadRequest)]
        return tuple(violation for item in requests for violation in item.field_violations)

    @property
    def retry_delay(self) -> float | None:
        """The longest delay that a RetryInfo among the details asks for, in seconds."""
        delays = [
            item.retry_delay
            for item in self.details
            if isinstance(item, RetryInfo) and item.retry_delay is not None
        ]
        return max(delays, default=None)


def _first_text(body: Mapping[object, object], *names: str) -> str:
    texts = [body.get(name) for name in names]
    return next((text for text in texts if isinstance(text, str) and text), "")


def read_problem(content: bytes) -> Problem:
    """Read an error body; an unreadable one (HTML, list, string, null, truncated) is empty."""
    if not content or len(content) > _READABLE_BYTES:
        return Problem()
    try:
        body = decode(content.decode(errors="replace").encode())
    except ValueError:
        return Problem()
    if not isinstance(body, Mapping):
        return Problem()
    inner = body.get("error")
    if isinstance(inner, Mapping):
        body = inner
    return Problem(
        _first_text(body, "message", "error_description"),
        _first_text(body, "status", "error"),
        read_details(body.get("details")),
    )
