"""Access keys and access tokens, and what is checked of them before any request."""

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sinch_wrapper.errors import ConfigurationError

# About an hour is what the overview of the Conversation API gives as lifetime.
_USUAL_LIFETIME: Final = 3600.0
# What may stand in a header (RFC 6750, 2.1 names fewer, real servers send more).
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


def lifetime_from(value: object) -> float:
    """Read an `expires_in`, in seconds; what is missing or absurd counts as an hour."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except (ValueError, OverflowError):
            return _USUAL_LIFETIME
        if math.isfinite(seconds) and seconds > 0:
            return seconds
    return _USUAL_LIFETIME


def _stripped(value: object) -> str:
    """A text without the white space around it; what is no text counts as empty."""
    return value.strip() if isinstance(value, str) else ""


# Both classes have constructors of their own: one that a dataclass writes keeps its arguments as
# locals, where tools that print the locals of a traceback would find them.


@dataclass(frozen=True, slots=True, init=False)
class AccessKey:
    """An access key of the Sinch dashboard; neither half shows in the repr.

    Raises: ConfigurationError for an empty half, or characters that no key has.
    """

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)

    def __init__(self, key_id: str, key_secret: str) -> None:
        # Copied keys and mounted secrets often end in a line break.
        object.__setattr__(self, "key_id", _stripped(key_id))
        object.__setattr__(self, "key_secret", _stripped(key_secret))
        del key_id, key_secret
        for name in self.__slots__:
            if not _VISIBLE.fullmatch(getattr(self, name)):
                message = (
                    f"{name} is no text, empty or holds a character that no key has: copy it again"
                )
                raise ConfigurationError(message)


@dataclass(frozen=True, slots=True, init=False)
class AccessToken:
    """A bearer token and the seconds that it still lasts; the token does not show in the repr.

    Raises: ConfigurationError when *value* cannot stand in a header.
    """

    value: str = field(repr=False)
    expires_in: float = _USUAL_LIFETIME

    def __init__(self, value: str, expires_in: float = _USUAL_LIFETIME) -> None:
        object.__setattr__(self, "value", _stripped(value))
        object.__setattr__(self, "expires_in", lifetime_from(expires_in))
        del value
        if not _VISIBLE.fullmatch(self.value):
            message = "an access token must be a text of visible ASCII characters: check auth="
            raise ConfigurationError(message)


_Answer: TypeAlias = str | AccessToken | AccessKey
# Gives a token, or the key to fetch one with; AsyncSinch takes an asynchronous one too.
AuthProvider: TypeAlias = Callable[[], _Answer] | Callable[[], Awaitable[_Answer]]
