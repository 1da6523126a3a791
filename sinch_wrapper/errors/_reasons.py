"""Why the server refused a field, as an error may show it: without what the request contained."""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl

from sinch_wrapper._json import decode
from sinch_wrapper.errors._google_rpc import FieldViolation, safe_field, safe_word

_HIDDEN: Final = "<hidden>"
_LONGEST: Final = 200
_WORD: Final = re.compile(r"\w+")
# Words of a description may be words of the message as well; these say nothing about it.
_PLAIN: Final = frozenset(
    _WORD.findall("""
    a allowed an and app are array as at be between body boolean but by can cannot channel
    character characters contact digits empty enum exceeds expected field for format from
    greater has have id identity in integer invalid is it item items json larger least
    length less letters list long longer malformed match matches maximum message minimum
    missing more most must no not null number object of on one only or out parameter phone
    present property range required rcs recipient region seconds set short shorter should
    sms string supported text than the this to too type ulid unknown unsupported up uri url
    value values whatsapp with
    """)
)
_OPENED: Final = r"(?<!\w)'.*?(?:'(?!\w)|$)"
_QUOTED: Final = re.compile(rf'"[^"]*(?:"|$)|`[^`]*(?:`|$)|[“«„][^”»“]*(?:[”»“]|$)|{_OPENED}')
_NAME: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")
# Credentials, addresses, words of other scripts, and numbers that may be those of a phone.
_ADDRESS: Final = re.compile(
    r"(?i:bearer|basic)\s+\S+|[\w.+/=-]{33,}|\S*(?:@|://)\S*|\S*[^\x00-\x7f]\S*"
    r"|[+(]*\d(?:[\s()/.-]{0,2}\d){5,}"
)
# A word that was cut may be the beginning of one in the request.
_CUT: Final = re.compile(r"\w+(?=\.\.\.)")
_AGAIN: Final = re.compile(rf"{_HIDDEN}(?:\W*{_HIDDEN})+")


def safe_violations(
    violations: Iterable[FieldViolation], sent: Iterable[bytes] = (), query: bytes = b""
) -> tuple[FieldViolation, ...]:
    """*violations* with `<hidden>` for whatever may come from the request.

    Hidden are words that are also in a value of *sent* (a JSON body, or any text) or of *query*,
    apart from those of every error message, and what is quoted, an address or a long number.
    """
    found = tuple(violations)
    words = _words_of(sent, query) if found else frozenset()
    return tuple(
        FieldViolation(
            safe_field(each.field),
            _safe(each.description, words),
            safe_word(each.reason) or "",
        )
        for each in found
    )


def _safe(description: str, words: frozenset[str]) -> str:
    text = "".join(sign if sign.isprintable() else " " for sign in description[: 4 * _LONGEST])
    text = _QUOTED.sub(_quoted, " ".join(text.split()))
    for pattern in (_ADDRESS, _CUT):
        text = pattern.sub(_HIDDEN, text)
    text = _WORD.sub(lambda found: _HIDDEN if found[0].casefold() in words else found[0], text)
    text = _AGAIN.sub(_HIDDEN, text.replace(f"<{_HIDDEN}>", _HIDDEN))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rpartition(' ')[0]} ..."


def _quoted(found: re.Match[str]) -> str:
    # The names of fields are quoted as well.
    name = found[0][1:-1]
    return found[0] if _NAME.fullmatch(name) or name in _PLAIN else _HIDDEN


def _words_of(sent: Iterable[bytes], query: bytes) -> frozenset[str]:
    texts = [value for _, value in parse_qsl(query.decode("ascii", "replace"))]
    for content in sent:
        try:
            texts += _leaves(decode(content))
        except ValueError:
            texts.append(content.decode("utf-8", "replace"))
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    # The mask itself stays.
    return frozenset(words - _PLAIN - {"hidden"})


def _leaves(value: object) -> Iterator[str]:
    """The strings and numbers in a JSON *value*, which has been decoded, so it is not too deep."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as found:
                waiting += found.values()
            case list() as found:
                waiting += found
            case str() | int() | float() as leaf:
                yield str(leaf)
