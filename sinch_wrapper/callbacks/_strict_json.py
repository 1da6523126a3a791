"""The JSON of a callback, read strictly: alike with orjson and with the standard library."""

import json
import math
from typing import Final

try:
    import orjson
except ImportError:
    _FAST = False
else:
    _FAST = True

MAX_DEPTH: Final = 100
"""Levels of objects and lists; the deepest documented callback has about ten."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_ESCAPED_COLON: Final = b"\\u003"
_LONGEST_INTEGER: Final = 20
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1


def object_in(body: object) -> tuple[bytes, dict[str, object]] | str:
    """*body* as bytes, and the JSON object in it; or what is wrong with it, quoting nothing.

    Never raises, whatever *body* is: tools show the variables of functions that fail.
    """
    if not isinstance(body, (bytes, bytearray, memoryview)):
        return "must be the bytes as received"
    try:
        content = body if isinstance(body, bytes) else bytes(body)
        value = (decode_fast if _FAST else decode_portably)(content)
    except RecursionError:
        return "is nested too deeply"
    except _RefusedError as error:
        return str(error)
    except ValueError:
        # Messages of the JSON libraries may quote the body.
        return "is not JSON"
    return (content, value) if isinstance(value, dict) else "is not a JSON object"


def read_text(text: object) -> dict[str, object]:
    """Return the JSON object in *text*, empty when there is none; never raises."""
    if isinstance(text, dict):
        return text
    if not isinstance(text, str) or not text:
        return {}
    # Half a surrogate pair stays one, and is refused.
    found = object_in(text.encode(errors="surrogatepass"))
    return {} if isinstance(found, str) else found[1]


def decode_fast(content: bytes) -> object:
    """Decode with orjson.

    Raises: ValueError for invalid JSON, a duplicate key, or JSON that is nested too deeply.
    """
    content = content.removeprefix(_BYTE_ORDER_MARK)
    value: object = orjson.loads(content)
    _check_depth(content, value)
    # Of duplicate keys orjson keeps the last. Each key that is lost takes a colon with it.
    is_escaped = _ESCAPED_COLON in content
    if is_escaped or orjson.dumps(value).count(b":") != content.count(b":"):
        _NAMES.decode(content.decode())
    return value


def decode_portably(content: bytes) -> object:
    """Decode with the standard library, which alone accepts more than JSON, to equal results.

    Raises: as decode_fast(), and RecursionError.
    """
    text = content.removeprefix(_BYTE_ORDER_MARK).decode()
    value: object = _PORTABLE.decode(text)
    _check_depth(content, value)
    if "\\u" in text:
        # Half a surrogate pair is not Unicode: it could be neither stored nor sent.
        json.dumps(value, ensure_ascii=False).encode()
    return value


class _RefusedError(ValueError):
    """What is wrong with the body, in words that quote nothing of it."""


def _check_depth(content: bytes, value: object) -> None:
    if content.count(b"{") + content.count(b"[") <= MAX_DEPTH:
        return
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise _RefusedError("is nested too deeply")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("contains a duplicate key")
    return found


def _no_constant(_name: str) -> object:
    raise _RefusedError("is not JSON")


def _integer(text: str) -> int | float:
    if len(text) <= _LONGEST_INTEGER and _SMALLEST <= (number := int(text)) <= _LARGEST:
        return number
    return _float(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _RefusedError("contains a number out of range")
    return number


# Made once, because making one takes half as long as reading a callback.
_NAMES: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str)
_PORTABLE: Final = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_no_constant,
    parse_int=_integer,
    parse_float=_float,
)
