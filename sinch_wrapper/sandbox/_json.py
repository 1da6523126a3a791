"""JSON as the sandbox reads and writes it, and the times in it.

A copy of the client's reader would repeat the client's mistakes, so this one is the sandbox's own.
"""

import json
from datetime import UTC, datetime
from typing import Any, TypeAlias

try:
    import orjson
except ImportError:
    _FAST = False
else:
    _FAST = True

# Requests are checked against the documents before a resource sees them: their shape is known at
# run time and not to the type checker.
JsonValue: TypeAlias = Any
Json: TypeAlias = dict[str, JsonValue]


def decode(raw: bytes) -> JsonValue:
    """Read strict JSON: neither NaN nor infinity.

    Raises: ValueError for anything else, also for JSON that is nested too deeply to be read.
    """
    if _FAST:
        return orjson.loads(raw)
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def encode(value: object) -> bytes:
    """Write *value* as compact JSON in UTF-8."""
    if _FAST:
        return orjson.dumps(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def encode_text(value: object) -> str:
    """Write *value* as a string, for a field that holds JSON in a string."""
    return encode(value).decode()


def timestamp(seconds: float) -> str:
    """Write Unix time *seconds* as RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_seconds(text: str) -> float:
    """Read an RFC 3339 time as Unix time; a missing offset means UTC.

    Raises: ValueError when *text* is not such a time, or is outside the years 1 to 9999.
    """
    # A leap second is valid in RFC 3339, but datetime does not take it.
    moment = datetime.fromisoformat(text.upper().replace(":60", ":59"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
