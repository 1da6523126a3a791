"""The signature of callbacks: HMAC-SHA256 over body, nonce and timestamp.

Source: Sinch documentation, Conversation API: Callbacks; test vectors of its SDKs.
"""

import hmac
import math
import threading
import time
from binascii import b2a_base64
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, runtime_checkable

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.errors import SignatureError

SIGNATURE: Final = "x-sinch-webhook-signature"
TIMESTAMP: Final = "x-sinch-webhook-signature-timestamp"
NONCE: Final = "x-sinch-webhook-signature-nonce"
ALGORITHM: Final = "x-sinch-webhook-signature-algorithm"

TOLERANCE: Final = 300.0
"""Seconds between signing and receiving; Sinch publishes no limit."""

UnixClock: TypeAlias = Callable[[], float]
"""A function that returns the Unix time, such as `time.time`."""

Secrets: TypeAlias = str | bytes | Iterable[str] | Iterable[bytes]
HeaderValue: TypeAlias = str | bytes | Iterable[str] | Iterable[bytes]
Headers: TypeAlias = (
    Mapping[str, HeaderValue]
    | Mapping[str, str]
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
)
"""A mapping, as most frameworks have, or pairs, as ASGI has; names in any case."""

_ONLY_ALGORITHM: Final = "HmacSHA256"
_MAX_DIGITS: Final = 12
_NAMES: Final[Mapping[object, str]] = {
    spelling: name
    for name in (SIGNATURE, TIMESTAMP, NONCE, ALGORITHM)
    for spelling in (name, name.encode())
}


@forgetting
def sign(raw: bytes, secret: str | bytes, *, nonce: str, timestamp: str) -> dict[str, str]:
    """Return the four signature headers for the body *raw*.

    *timestamp* is the Unix time in whole seconds; *nonce* is unique for each delivery.

    Raises: TypeError that names an argument of another kind; ValueError for a blank secret.
    """
    _validate.instance("raw", raw, bytes, "bytes")
    if not isinstance(secret, (str, bytes)):
        raise _validate.wrong_kind("secret", "a string", secret)
    _validate.instance("nonce", nonce, str, "a string")
    _validate.instance("timestamp", timestamp, str, "a string")
    if not is_key(secret):
        raise ValueError("secret= must not be blank")
    tail = f".{nonce}.{timestamp}".encode()
    return {
        SIGNATURE: _signature(raw + tail, key_of(secret)).decode(),
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
    now: UnixClock = time.time,
    nonces: "NonceStore | None" = None,
) -> int:
    """Accept the body *raw* when one of *secrets* signed it, at most *tolerance* seconds from now.

    *raw* must be the bytes as received: JSON that was parsed and written again may differ.
    Several secrets serve several webhooks, an overridden callback URL (whose secret is the app's
    `callback_settings.secret_for_overridden_callback_urls`), or a change of secret. All of them
    are tried, in constant time, without blanks at their ends; one that is blank never matches.
    The tolerance counts in both directions; infinity switches it off. *now* is the clock, a
    function that returns the Unix time.

    With *nonces* a nonce passes once. Whether Sinch renews the nonce when it repeats a callback
    is not documented: when it does not, every repetition is refused, even of a callback that
    could not be stored. Idempotent handling is better: see `receiver`.

    Returns: the Unix time at which it was signed.
    Raises: SignatureError, and nothing else, whatever body, headers and secrets are; TypeError
        or ValueError for another argument that is not what it must be.
    """
    proof = proof_of(raw, headers, secrets)
    # From here on something may be raised, and tools show the variables of a function that fails.
    del raw, headers, secrets
    check_options(tolerance, now, nonces)
    return accept(proof, Window(tolerance, tolerance), now, nonces)


@dataclass(frozen=True, slots=True)
class Window:
    """How many seconds the clock of the sender may be *behind* ours, and *ahead* of it."""

    behind: float
    ahead: float


@dataclass(frozen=True, slots=True)
class Proof:
    """The nonce and the timestamp of a callback, or why one of *secrets* did not sign them."""

    nonce: str = ""
    timestamp: str = ""
    fault: str = ""


def proof_of(raw: object, headers: object, secrets: object) -> Proof:
    """Look for the secret that signed a callback; never raises, whatever the arguments are."""
    try:
        signature, nonce, timestamp = _required(_pick(headers))
        if not isinstance(raw, (bytes, bytearray, memoryview)):
            return Proof(fault="the body must be the bytes as received")
        signed = (raw if isinstance(raw, bytes) else bytes(raw)) + f".{nonce}.{timestamp}".encode()
        _check_signature(signed, signature.encode(), _keys(secrets))
    except _UnsignedError as error:
        return Proof(fault=str(error))
    except Exception:  # noqa: BLE001 (the arguments may be any object)
        return Proof(fault="it cannot be read")
    return Proof(nonce, timestamp)


def check_presence(headers: object) -> "Picked":
    """Return those of *headers* that proof_of() needs, or raise SignatureError for one missing."""
    try:
        found = _pick(headers)
        _required(found)
    except _UnsignedError as error:
        fault = str(error)
    else:
        return found
    del headers
    raise SignatureError(f"callback rejected: {fault}")


def check_options(tolerance: object, now: object, nonces: object) -> None:
    """Raise TypeError or ValueError for an option of `verify` that is not what it must be."""
    if type(tolerance) is not float:
        check_tolerance(tolerance)
    if not callable(now):
        raise _validate.wrong_kind("now", "a function", now)
    if nonces is not None and not isinstance(nonces, NonceStore):
        raise _validate.wrong_kind("nonces", "a store of nonces, such as SeenNonces()", nonces)


def accept(proof: Proof, window: Window, now: UnixClock, nonces: "NonceStore | None" = None) -> int:
    """The Unix time at which a callback was signed; raises SignatureError."""
    if proof.fault:
        raise SignatureError(f"callback rejected: {proof.fault}")
    moment = _check_age(proof.timestamp, window, now())
    if nonces is not None and not nonces.claim(proof.nonce, moment + window.behind):
        raise SignatureError("callback rejected: its nonce was seen before")
    return moment


def check_tolerance(tolerance: object, error: type[Exception] | None = None) -> None:
    """Raise TypeError or ValueError, or *error*, unless *tolerance* is seconds or infinity."""
    if tolerance != math.inf:
        _validate.seconds("tolerance", tolerance, error=error)


class Picked(dict[str, str]):
    """The headers of a signature, by their name in lower case."""

    def __repr__(self) -> str:
        return f"<{len(self)} headers>"


class _UnsignedError(Exception):
    """Why a callback is refused, in words that quote nothing of it."""


def _required(given: Mapping[str, str]) -> tuple[str, str, str]:
    signature, nonce, timestamp = given.get(SIGNATURE), given.get(NONCE), given.get(TIMESTAMP)
    if not (signature and nonce and timestamp):
        missing = next(name for name in (SIGNATURE, NONCE, TIMESTAMP) if name not in given)
        raise _UnsignedError(f"header {missing} is missing; give the webhook a secret")
    if given.get(ALGORITHM, _ONLY_ALGORITHM) != _ONLY_ALGORITHM:
        raise _UnsignedError(f"{ALGORITHM} is not {_ONLY_ALGORITHM}")
    return signature, nonce, timestamp


def _check_signature(signed: bytes, given: bytes, keys: list[bytes]) -> None:
    if not keys:
        raise _UnsignedError("no secret was given to check it with")
    matches = False
    for key in keys:
        # No early end: the time it takes must not reveal which secret matches.
        matches |= hmac.compare_digest(given, _signature(signed, key))
    if not matches:
        raise _UnsignedError(
            "signature does not match any of the secrets; check the webhook's secret"
        )


def _signature(signed: bytes, key: bytes) -> bytes:
    # hmac.digest() releases the GIL, however short the body, and that costs 40 us under load.
    return b2a_base64(hmac.new(key, signed, "sha256").digest(), newline=False)


def _keys(secrets: object) -> list[bytes]:
    try:
        # A single string is iterable too: each of its characters would become a secret.
        given = [secrets] if isinstance(secrets, (str, bytes)) else secrets
        return [key for each in given if (key := key_of(each))]  # type: ignore[attr-defined]  # whatever it is
    except Exception:  # noqa: BLE001 (the secrets of the caller may be any object)
        raise _UnsignedError("secrets must be strings") from None


def is_key(secret: str | bytes) -> bool:
    """Whether *secret* can sign: it is not blank, and is Unicode."""
    try:
        return bool(key_of(secret))
    except UnicodeEncodeError:
        return False


def key_of(secret: str | bytes) -> bytes:
    """The bytes of a *secret*, without blanks at its ends; raises AttributeError, ValueError."""
    # Environment variables that are not UTF-8 have surrogates in place of their bytes.
    bare = secret.strip()
    return bare if isinstance(bare, bytes) else bare.encode(errors="surrogateescape")


def _check_age(timestamp: str, window: Window, now: float) -> int:
    if not (timestamp.isdigit() and len(timestamp) <= _MAX_DIGITS):
        raise SignatureError(f"callback rejected: {TIMESTAMP} is not a Unix timestamp")
    moment = int(timestamp)
    # Written so that a tolerance of NaN rejects.
    if not -window.ahead <= now - moment <= window.behind:
        allowed = window.behind if now > moment else window.ahead
        raise SignatureError(
            f"callback rejected: signed more than {allowed:g} s from now; check the clock"
        )
    return moment


def _pick(headers: object) -> Picked:
    """Return the headers of the signature among *headers*, by their name in lower case.

    Empty ones are left out. One that is given twice must have the same value twice.

    Raises: _UnsignedError, and nothing else, whatever *headers* is.
    """
    if type(headers) is Picked:
        return headers
    found = Picked()
    try:
        pairs = headers.items() if hasattr(headers, "items") else headers
        for spelling, value in pairs:  # type: ignore[union-attr]  # whatever it is
            name = _NAMES.get(spelling.lower())
            if name is not None:
                _put(found, name, value)
    except _UnsignedError:
        raise
    except Exception:  # noqa: BLE001 (the headers of a framework may be any object)
        raise _UnsignedError("headers must be a mapping or (name, value) pairs") from None
    return found


def _put(found: dict[str, str], name: str, value: object) -> None:
    if isinstance(value, (str, bytes)):
        text = _ascii(name, value)
        if text and found.setdefault(name, text) != text:
            raise _UnsignedError(f"header {name} is given twice")
        return
    if not isinstance(value, Iterable):
        raise TypeError
    for each in value:
        if not isinstance(each, (str, bytes)):
            raise TypeError
        _put(found, name, each)


def _ascii(name: str, value: str | bytes) -> str:
    if not value.isascii():
        raise _UnsignedError(f"header {name} is not ASCII")
    return value.decode() if isinstance(value, bytes) else value


@runtime_checkable
class NonceStore(Protocol):
    """Remembers nonces, for example in a database that several processes share."""

    def claim(self, nonce: str, until: float) -> bool:
        """Whether *nonce* is new; then it is known, at least *until* that Unix time (seconds)."""


class SeenNonces:
    """Remembers the nonces of this process, the newest *limit* of them; safe for threads.

    Each takes about 200 bytes. A nonce is forgotten when its signature is too old to pass anyway.
    *now* is the clock, a function that returns the Unix time.
    """

    def __init__(self, limit: int = 100_000, *, now: UnixClock = time.time) -> None:
        self._limit = _validate.whole("limit", limit)
        self._now = _validate.function("now", now)
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def claim(self, nonce: str, until: float) -> bool:
        """Whether *nonce* is new; then it is known *until* that Unix time (seconds).

        Raises: TypeError for anything but a string and a time.
        """
        _validate.instance("nonce", nonce, str, "a string")
        if isinstance(until, bool) or not isinstance(until, int | float):
            raise _validate.wrong_kind("until", "a Unix time", until)
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
