"""Identifiers as the API makes them: ULIDs, whose order is the order of their creation."""

import random
import re
from collections.abc import Callable

# Crockford's base 32.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_ULID = re.compile(f"[{_ALPHABET}]{{26}}")


def is_ulid(text: str) -> bool:
    """Say whether *text* has the form of a ULID: 26 characters of Crockford's base 32."""
    return _ULID.fullmatch(text) is not None


class Ulids:
    """A source of ULIDs: 48 bits of milliseconds, then 80 bits that start at random and count up.

    Each identifier is greater than the one before, so that sorting by id is sorting by creation.

    Args:
        clock: gives the Unix time in seconds.
        rng: gives the random bits; the same seed and the same times make the same identifiers.

    """

    def __init__(self, clock: Callable[[], float], rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._last = 0

    def __call__(self) -> str:
        """Return the next identifier."""
        moment = int(self._clock() * 1000) << _RANDOM_BITS
        fresh = moment | self._rng.getrandbits(_RANDOM_BITS - 1)
        self._last = fresh if fresh >> _RANDOM_BITS > self._last >> _RANDOM_BITS else self._last + 1
        return "".join(_ALPHABET[self._last >> shift & 31] for shift in range(125, -1, -5))
