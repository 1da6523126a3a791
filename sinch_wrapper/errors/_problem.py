"""What an error body says: wrapped in `error`, flat, as OAuth writes it, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper._json import decode
from sinch_wrapper.errors._details import (
    BadRequest,
    Detail,
    FieldViolation,
    RetryInfo,
    read_details,
)

__all__ = ["Problem", "read_problem"]

# A proxy's error page may be long; no error body of the API comes near this size.
_READABLE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """The body of an error response; *message* may echo the request, so it is never shown."""

    message: str = field(default="", repr=False)
    status: str = field(default="", repr=False)
    details: tuple[Detail, ...] = ()

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
    """Read an error body; an unreadable one (HTML, list, text, null, cut short) is empty."""
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
