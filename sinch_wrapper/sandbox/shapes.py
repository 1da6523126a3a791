"""The JSON types of the sandbox, and the small operations on JSON that several resources share."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

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
