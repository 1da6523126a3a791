"""How long a server asks to wait: `Retry-After` and the durations of google.rpc, in seconds."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["parse_duration", "parse_retry_after"]


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

    Returns: seconds >= 0; 0 for a date that is past; None for negative numbers, infinity, NaN
    and garbage. Not capped: that is for the retry policy.
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

    Returns: seconds >= 0, or None when it is none.
    """
    if isinstance(value, str):
        return _number(value.removesuffix("s")) if value.endswith("s") else None
    if isinstance(value, Mapping):
        seconds, nanos = _number(value.get("seconds", 0)), _number(value.get("nanos", 0))
        if seconds is not None and nanos is not None:
            return _finite(seconds + nanos / 1e9)
    return None
