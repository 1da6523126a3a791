"""JSON in and out: orjson when it is importable, else the standard library."""

import json
from typing import Any

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
