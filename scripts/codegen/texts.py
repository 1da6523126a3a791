"""Text of a document in generated code: as string literals, and wrapped between triple quotes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from openapi_python_client.schema import UntrustedString

_WIDTH = 100
# Quotes that could end a docstring: those before another one, and the last character.
_ENDING = re.compile(r'"(?="|$)')


def raw(text: UntrustedString | str) -> str:
    """The text as it is in the document."""
    return text.get_untrusted_value() if isinstance(text, UntrustedString) else str(text)


def quoted(text: UntrustedString | str) -> str:
    """A string literal, with escapes for quotes and for whatever is not printable."""
    return '"{}"'.format(_visible(raw(text)).replace('"', '\\"'))


def plain(text: UntrustedString | str | None) -> str:
    """One line of prose that cannot end a docstring."""
    line = " ".join(raw(text).split()) if text else ""
    return _ENDING.sub(r'\\"', _visible(line))


def _visible(text: str) -> str:
    """The text with backslashes doubled, and escapes for what would be invisible in code."""
    return "".join(
        one if one.isprintable() and one != "\\" else one.encode("unicode_escape").decode()
        for one in text
    )


def wrapped(text: str) -> str:
    """Prose over several lines, for a docstring that is not indented."""
    return "\n".join(_wrap(text, 3))


def of_class(description: str, described: Sequence[tuple[str, str]]) -> str:
    """The docstring of a class at indentation 4, without its quotes."""
    return _joined(_wrap(description, 7), _section("Attributes:", described), "    ")


def of_function(
    summary: str, description: str, described: Sequence[tuple[str, str]], end: str
) -> str:
    """The docstring of a function, without its quotes and not indented."""
    more = ["", *_wrap(description, 8)] if description else []
    more += _section("Args:", described)
    return _joined(_wrap(f"{summary.rstrip('.')}.", 11), [*more, "", end], "")


def _section(title: str, described: Sequence[tuple[str, str]]) -> list[str]:
    lines = [f"    {line}" for name, text in described for line in _wrap(f"{name}: {text}", 12, 4)]
    return ["", title, *lines] if lines else []


def _joined(first: list[str], more: list[str], indent: str) -> str:
    lines = [*first, *more] if first else more[1:]
    return "\n".join([*lines[:1], *(f"{indent}{line}".rstrip() for line in lines[1:])])


def _wrap(text: str, indent: int, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH - indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
