"""Which words of a server may enter a log line or an exception text.

Servers echo what they were sent: a text, a number, a name. Only words of a harmless shape pass.
"""

import re

__all__ = ["safe_field", "safe_token", "safe_word"]

# Four digits in a row are never part of a field name or status, but of most phone numbers.
_LONG_NUMBER = re.compile(r"\d{4}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,127}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/=|;-]{0,127}")
_PHONE = re.compile(r"\d{6,15}")


def safe_word(text: object) -> str | None:
    """*text* when it looks like a status or reason (`NOT_FOUND`, `invalid_client`), else None."""
    if isinstance(text, str) and _WORD.fullmatch(text) and not _LONG_NUMBER.search(text):
        return text
    return None


def safe_field(path: str) -> str:
    """*path* when it looks like a field path, else `?`."""
    return path if _FIELD.fullmatch(path) and not _LONG_NUMBER.search(path) else "?"


def safe_token(text: str) -> str | None:
    """*text* when it looks like a request id, and not like a phone number, else None."""
    return text if _TOKEN.fullmatch(text) and not _PHONE.fullmatch(text) else None
