"""Nonces that were seen: a signature that is sent again is refused, by who asks for it."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

__all__ = ["NonceStore", "SeenNonces"]


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
