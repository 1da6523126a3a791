"""The headers of a signature, however a framework hands them over."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from sinch_wrapper.errors import SignatureError

__all__ = ["ALGORITHM", "NONCE", "SIGNATURE", "TIMESTAMP", "HeaderValue", "Headers", "pick"]

SIGNATURE: Final = "x-sinch-webhook-signature"
TIMESTAMP: Final = "x-sinch-webhook-signature-timestamp"
NONCE: Final = "x-sinch-webhook-signature-nonce"
ALGORITHM: Final = "x-sinch-webhook-signature-algorithm"

HeaderValue: TypeAlias = str | bytes | Iterable[str] | Iterable[bytes]
Headers: TypeAlias = (
    Mapping[str, HeaderValue]
    | Mapping[str, str]
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
)
"""A mapping, as most frameworks have it, or pairs, as ASGI has them; names in any case."""

_NAMES: Final[Mapping[object, str]] = {
    spelling: name
    for name in (SIGNATURE, TIMESTAMP, NONCE, ALGORITHM)
    for spelling in (name, name.encode())
}


def pick(headers: Headers) -> dict[str, str]:
    """Return those of *headers* that belong to the signature, by their name in lower case.

    Empty ones are left out. One that is given twice must say the same twice.

    Raises: SignatureError, and nothing else, whatever *headers* is.
    """
    found: dict[str, str] = {}
    try:
        pairs = headers.items() if hasattr(headers, "items") else headers
        for spelling, value in pairs:
            name = _NAMES.get(spelling.lower())
            if name is not None:
                _put(found, name, value)
    except (AttributeError, TypeError, ValueError):
        message = "callback rejected: the headers are no mapping and no pairs of names and texts"
        raise SignatureError(message) from None
    return found


def _put(found: dict[str, str], name: str, value: object) -> None:
    if isinstance(value, (str, bytes)):
        text = _ascii(name, value)
        if text and found.setdefault(name, text) != text:
            raise SignatureError(f"callback rejected: header {name} is given twice")
        return
    if not isinstance(value, Iterable):
        raise TypeError
    for each in value:
        if not isinstance(each, (str, bytes)):
            raise TypeError
        _put(found, name, each)


def _ascii(name: str, value: str | bytes) -> str:
    if not value.isascii():
        raise SignatureError(f"callback rejected: header {name} is not ASCII")
    return value.decode() if isinstance(value, bytes) else value
