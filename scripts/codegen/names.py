"""Names that a document gives to generated code: identifiers, and the paths of operations.

What stands here is all that a document may contribute besides string literals and docstrings.
"""

from __future__ import annotations

import re
import unicodedata
from keyword import iskeyword

from codegen.document import Refused

_LONGEST = 120
_NAME = r"[A-Za-z_-][A-Za-z0-9_.-]*"
_PIECE = re.compile(r"([^{}]*)(?:\{([^{}]*)\})?")
# What RFC 3986 allows in a segment without encoding it, and encoded octets.
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")


def sound(identifier: str, name: str, place: str) -> str:
    """The identifier that was made of a name, if Python reads it as it is written.

    Raises: Refused for one that is not an identifier, that Python would normalise into another, or
    that is too long for the name of a file.
    """
    plain = unicodedata.normalize("NFKC", identifier) == identifier
    if not identifier.isidentifier() or iskeyword(identifier) or not plain:
        raise Refused(place, f"has the name {name!r}, of which no Python name can be made")
    if len(identifier) > _LONGEST:
        raise Refused(place, f"has a name of {len(identifier)} characters", "use a shorter one")
    return identifier


def pieces(path: str, place: str) -> list[tuple[str, str]]:
    """A path as pairs of literal text and the name of the parameter after it, which may be empty.

    Raises: Refused for anything in braces that is not a name, for a brace alone, and for literal
    text that would be sent as something else.
    """
    found = [match.groups() for match in _PIECE.finditer(path) if match[0]]
    if "".join(text + ("" if name is None else f"{{{name}}}") for text, name in found) != path:
        raise Refused(place, "has a brace without its counterpart")
    for text, name in found:
        if name is not None and not re.fullmatch(_NAME, name):
            raise Refused(place, f"has {name!r} in braces, which is not the name of a parameter")
        if not _LITERAL.fullmatch(text):
            raise Refused(place, "has characters that a path cannot hold unencoded")
    segments = "".join(text + "{}" * (name is not None) for text, name in found).split("/")
    if segments[0] or {".", "..", "%2e", "%2e%2e"} & {one.lower() for one in segments}:
        raise Refused(place, "does not begin with /, or leads to another path by dots")
    if "" in segments[1:-1]:
        raise Refused(place, "has an empty segment")
    return [(text, name or "") for text, name in found]
