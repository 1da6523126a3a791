"""JSON in and out: orjson when it is importable, else the standard library, with equal results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from json.encoder import encode_basestring as encode_text
from typing import TypeAlias

try:
    import orjson
except ImportError:
    _FAST = False
else:
    _FAST = True

__all__ = ["JSON", "Encoded", "decode", "encode", "encode_portably", "encode_text", "plain"]

JSON: TypeAlias = "Mapping[str, JSON] | list[JSON] | str | int | float | bool | None"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that is JSON already; as a body it is sent unchanged."""

    content: bytes = field(repr=False)

    def to_dict(self) -> "Encoded":
        """Return itself: generated code calls this on values that are not models of its own."""
        return self


def plain(value: object) -> object:
    """The JSON form of a value that JSON libraries do not know.

    Raises: TypeError or ValueError when it has none.
    """
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = "a datetime without a time zone: add one, such as datetime.UTC"
            raise ValueError(message)
        return value.isoformat()
    from uuid import UUID  # 4 ms of start-up, for a rare value

    if isinstance(value, UUID):
        return str(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def encode_portably(value: object) -> bytes:
    """Encode with the standard library alone.

    Raises: TypeError or ValueError for what JSON cannot express.
    """
    text = json.dumps(
        value, default=plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def encode(value: object) -> bytes:
    """Encode *value* as compact UTF-8 JSON; mappings and aware datetimes are accepted.

    Raises: TypeError or ValueError for what JSON cannot express.
    """
    if type(value) is Encoded:
        return value.content
    if not _FAST:
        return encode_portably(value)
    try:
        # Without the option orjson accepts naive datetimes, whose meaning depends on the machine.
        content = orjson.dumps(value, default=plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        # orjson refuses more, such as integers beyond 64 bits; the standard library decides.
        return encode_portably(value)
    # orjson writes NaN and infinity as null; the standard library refuses them.
    return encode_portably(value) if b"null" in content else content


def _no_constant(name: str) -> object:
    message = f"{name} is not JSON"
    raise ValueError(message)


def decode(content: bytes) -> object:
    """Decode UTF-8 JSON.

    Raises: ValueError for anything else, however deep or broken.
    """
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if _FAST:
        return orjson.loads(content)
    return decode_portably(content)


def decode_portably(content: bytes) -> object:
    """Decode with the standard library alone.

    Raises: ValueError, for nesting too deep as well.
    """
    try:
        return json.loads(content.decode(), parse_constant=_no_constant)
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None
