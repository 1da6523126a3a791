"""The signature of callbacks: HMAC-SHA256 over body, nonce and timestamp.

Source: Sinch documentation, Conversation API: Callbacks; test vectors of its SDKs.
"""

import hmac
import threading
import time
from binascii import b2a_base64
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol, TypeAlias

from sinch_wrapper.errors import SignatureError

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


class NonceStore(Protocol):
    """Remembers nonces, for example in a database that several processes share."""

    def claim(self, nonce: str, until: float) -> bool:
        """Whether *nonce* is new; from now on it is not, at least *until* that Unix time."""


class SeenNonces:
    """Remembers the nonces of this process, the newest *limit* of them; safe for threads.

    About 200 bytes each. A nonce is forgotten when its signature is too old to pass anyway.
    """

    def __init__(self, limit: int = 100_000, *, now: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._now = now
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def claim(self, nonce: str, until: float) -> bool:
        """Whether *nonce* is new; from now on it is not."""
        with self._lock:
            known = self._seen.get(nonce)
            if known is not None and known >= self._now():
                return False
            self._seen.pop(nonce, None)
            self._seen[nonce] = until
            self._forget()
            return True

    def _forget(self) -> None:
        while len(self._seen) > self._limit or next(iter(self._seen.values())) < self._now():
            self._seen.popitem(last=False)
            if not self._seen:
                return


TOLERANCE: Final = 300.0
"""Seconds between signing and receiving; Sinch publishes no limit."""

Secrets: TypeAlias = str | bytes | Iterable[str] | Iterable[bytes]

_ONLY_ALGORITHM: Final = "HmacSHA256"
_MAX_DIGITS: Final = 12


def sign(raw: bytes, secret: str | bytes, *, nonce: str, timestamp: str) -> dict[str, str]:
    """Return the four signature headers for the body *raw*.

    *timestamp* is the Unix time in whole seconds; *nonce* is unique for each delivery.
    """
    tail = f".{nonce}.{timestamp}".encode()
    return {
        SIGNATURE: _signature(raw + tail, _key(secret)).decode(),
        TIMESTAMP: timestamp,
        NONCE: nonce,
        ALGORITHM: _ONLY_ALGORITHM,
    }


def verify(  # noqa: PLR0913 (what is checked, and how)
    raw: bytes,
    headers: Headers,
    secrets: Secrets,
    *,
    tolerance: float = TOLERANCE,
    now: Callable[[], float] = time.time,
    nonces: NonceStore | None = None,
) -> None:
    """Accept the body *raw* when one of *secrets* signed it, at most *tolerance* seconds from now.

    *raw* must be the bytes as received: JSON that was parsed and written again may differ.
    Several secrets serve several webhooks, an overridden callback URL (whose secret is the app's
    `callback_settings.secret_for_overridden_callback_urls`), or a change of secret. All of them
    are tried, in constant time. The tolerance counts in both directions; infinity switches it off.

    With *nonces* a nonce passes once. Whether Sinch renews the nonce when it repeats a callback
    is not documented: when it does not, every repetition is refused, even of a callback that
    could not be stored. What makes handling idempotent is better: see `receiver`.

    Raises: SignatureError, and nothing else, whatever body and headers are.
    """
    given = pick(headers)
    signature, nonce, timestamp = given.get(SIGNATURE), given.get(NONCE), given.get(TIMESTAMP)
    if not (signature and nonce and timestamp):
        missing = next(name for name in (SIGNATURE, NONCE, TIMESTAMP) if not given.get(name))
        raise SignatureError(
            f"callback rejected: header {missing} is missing; give the webhook a secret"
        )
    if given.get(ALGORITHM, _ONLY_ALGORITHM) != _ONLY_ALGORITHM:
        raise SignatureError(f"callback rejected: {ALGORITHM} is not {_ONLY_ALGORITHM}")
    if not isinstance(raw, (bytes, bytearray, memoryview)):
        raise SignatureError("callback rejected: the body must be the bytes as received")
    signed = (raw if isinstance(raw, bytes) else bytes(raw)) + f".{nonce}.{timestamp}".encode()
    _check_signature(signed, signature.encode(), _keys(secrets))
    moment = _check_age(timestamp, tolerance, now())
    if nonces is not None and not nonces.claim(nonce, moment + tolerance):
        raise SignatureError("callback rejected: its nonce was seen before")


def _check_signature(signed: bytes, given: bytes, keys: list[bytes]) -> None:
    if not keys:
        raise SignatureError("callback rejected: no secret was given to check it with")
    fits = False
    for key in keys:
        # No early end: the time must not tell which secret fits.
        fits |= hmac.compare_digest(given, _signature(signed, key))
    if not fits:
        raise SignatureError(
            "callback rejected: the signature fits none of the secrets; check the webhook's"
        )


def _signature(signed: bytes, key: bytes) -> bytes:
    # hmac.digest() would give way to other threads, however short the body: 40 us under load.
    return b2a_base64(hmac.new(key, signed, "sha256").digest(), newline=False)


def _keys(secrets: Secrets) -> list[bytes]:
    # A lone text is iterable too: each of its characters would become a secret.
    if isinstance(secrets, (str, bytes)):
        return [_key(secrets)] if secrets else []
    try:
        return [_key(each) for each in secrets if each]
    except (AttributeError, TypeError, ValueError):
        raise SignatureError("callback rejected: a secret is no text") from None


def _key(secret: str | bytes) -> bytes:
    # Environment variables that are no UTF-8 come with surrogates in place of their bytes.
    return secret if isinstance(secret, bytes) else secret.encode(errors="surrogateescape")


def _check_age(timestamp: str, tolerance: float, now: float) -> int:
    if not (timestamp.isdigit() and len(timestamp) <= _MAX_DIGITS):
        raise SignatureError(f"callback rejected: {TIMESTAMP} is no Unix time in seconds")
    moment = int(timestamp)
    # Written so that a tolerance of NaN rejects.
    if not abs(now - moment) <= tolerance:
        raise SignatureError(
            f"callback rejected: signed more than {tolerance:g} s from now; check the clock"
        )
    return moment
