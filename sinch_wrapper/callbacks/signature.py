"""The signature of callbacks: HMAC-SHA256 over body, nonce and timestamp (callbacks.md 2)."""

import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from sinch_wrapper.errors import SignatureError

__all__ = ["ALGORITHM", "DEFAULT_MAX_AGE", "HeaderValue", "sign", "verify"]

ALGORITHM = "HmacSHA256"
DEFAULT_MAX_AGE = 300.0

HeaderValue: TypeAlias = str | Sequence[str]

_SIGNATURE = "x-sinch-webhook-signature"
_TIMESTAMP = "x-sinch-webhook-signature-timestamp"
_NONCE = "x-sinch-webhook-signature-nonce"
_ALGORITHM = "x-sinch-webhook-signature-algorithm"
_MAX_DIGITS = 12


def sign(body: bytes, secret: str, *, nonce: str, timestamp: str) -> dict[str, str]:
    """Return the four signature headers for *body*.

    *timestamp* is the Unix time in whole seconds; *nonce* is unique for each delivery.
    """
    return {
        _SIGNATURE: _signature(body, secret, nonce, timestamp),
        _TIMESTAMP: timestamp,
        _NONCE: nonce,
        _ALGORITHM: ALGORITHM,
    }


def verify(
    body: bytes,
    headers: Mapping[str, HeaderValue],
    secrets: Iterable[str],
    *,
    max_age: float = DEFAULT_MAX_AGE,
    clock: Callable[[], float] = time.time,
) -> None:
    """Accept *body* when one of *secrets* signed it not more than *max_age* seconds from now.

    *body* must be the raw bytes as received: JSON that was parsed and written again may differ.
    Several secrets serve several webhooks, an overridden callback URL, or a change of secret.
    The age counts in both directions; Sinch publishes no limit.

    Raises: SignatureError.
    """
    given = _first_values(headers)
    signature, nonce, timestamp = (
        _required(given, name) for name in (_SIGNATURE, _NONCE, _TIMESTAMP)
    )
    if given.get(_ALGORITHM, ALGORITHM) != ALGORITHM:
        message = f"callback rejected: {_ALGORITHM} is not {ALGORITHM}"
        raise SignatureError(message)
    if not _signed_by_any(body, signature, nonce, timestamp, secrets):
        message = "callback rejected: the signature fits none of the secrets; check the webhook's"
        raise SignatureError(message)
    _check_age(timestamp, max_age, clock())


def _signature(body: bytes, secret: str, nonce: str, timestamp: str) -> str:
    tail = f".{nonce}.{timestamp}".encode(errors="replace")
    return b64encode(hmac.new(secret.encode(), body + tail, sha256).digest()).decode()


def _signed_by_any(
    body: bytes, signature: str, nonce: str, timestamp: str, secrets: Iterable[str]
) -> bool:
    # A lone string is iterable too: each of its characters would become a secret.
    usable = [each for each in ([secrets] if isinstance(secrets, str) else secrets) if each]
    # compare_digest refuses non-ASCII text, but takes any bytes.
    given = signature.encode(errors="replace")
    fits = [
        hmac.compare_digest(given, _signature(body, secret, nonce, timestamp).encode())
        for secret in usable
    ]
    return any(fits)


def _check_age(timestamp: str, max_age: float, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MAX_DIGITS):
        message = f"callback rejected: {_TIMESTAMP} is no Unix time in seconds"
        raise SignatureError(message)
    # Written so that a limit of NaN rejects.
    if not abs(now - int(timestamp)) <= max_age:
        message = f"callback rejected: signed more than {max_age:g} s from now; check the clock"
        raise SignatureError(message)


def _first_values(headers: Mapping[str, HeaderValue]) -> dict[str, str]:
    wanted = (_SIGNATURE, _TIMESTAMP, _NONCE, _ALGORITHM)
    found: dict[str, str] = {}
    for name, value in headers.items():
        if (lowered := name.lower()) in wanted and value:
            found.setdefault(lowered, value if isinstance(value, str) else value[0])
    return found


def _required(headers: Mapping[str, str], name: str) -> str:
    if value := headers.get(name):
        return value
    message = f"callback rejected: header {name} is missing; give the webhook a secret"
    raise SignatureError(message)
