"""HTML and SVG in which text from outside stays text; pure."""

import html
import json
from dataclasses import dataclass, field
from typing import Final, TypeAlias

# What a script element must not contain, and what ends a line in JavaScript alone.
_IN_SCRIPT: Final = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})
_VOID: Final = frozenset({"meta", "input", "br"})


@dataclass(frozen=True, slots=True)
class Markup:
    """Text that is HTML already; only this module makes it."""

    text: str = field(repr=False)


Content: TypeAlias = "Markup | str | int | None"


def visible(text: str) -> str:
    """*text* with a sign in place of each that moves, turns or hides others."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def element(name: str, /, *content: Content, **attributes: str | int) -> Markup:
    """An element; content that is not Markup, and every attribute, is escaped.

    A trailing `_` of an attribute is dropped, and `_` becomes `-`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(visible(str(value)))}"'
        for key, value in attributes.items()
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{together(*content).text}</{name}>")


def together(*content: Content) -> Markup:
    """Several pieces as one; None is nothing."""
    return Markup("".join(_written(each) for each in content if each is not None))


def _written(content: Content) -> str:
    if isinstance(content, Markup):
        return content.text
    return html.escape(visible(str(content)))


def code(name: str, text: str, **attributes: str) -> Markup:
    """A style or script element around *text* of our own, which no text from outside reaches."""
    written = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{written}>{text}</{name}>")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_IN_SCRIPT)


def written_size(value: object) -> int:
    """How many bytes *value* takes in `data()`."""
    return len(_json(value).encode())


def data(identifier: str, value: object) -> Markup:
    """*value* as JSON for the script of the page; it cannot end the element that it is in."""
    return code("script", _json(value), type="application/json", id=identifier)
