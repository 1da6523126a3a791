"""The signature of callbacks, written from its description alone.

Source: Sinch documentation, Callbacks.
"""

import hashlib
import hmac
from base64 import b64encode

_PREFIX = "x-sinch-webhook-signature"


def signature_headers(body: bytes, secret: str, nonce: str, timestamp: int) -> dict[str, str]:
    """Return the four headers: base64 of HMAC-SHA256 over body, nonce and timestamp, dotted."""
    signed = b".".join([body, nonce.encode(), str(timestamp).encode()])
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return {
        _PREFIX: b64encode(digest).decode(),
        f"{_PREFIX}-timestamp": str(timestamp),
        f"{_PREFIX}-nonce": nonce,
        f"{_PREFIX}-algorithm": "HmacSHA256",
    }
