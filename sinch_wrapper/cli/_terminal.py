"""What the command prints: no terminal obeys a sign of it, and every console can show it.

Servers, files and senders choose much of what is printed. Everything goes through `say` or
`say_json`.
"""

import json
import re
import shlex
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

# Signs without a form of their own that Python calls printable; the others it does not.
_HIDDEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def shown(text: str) -> str:
    """*text* as one line, with `?` for each sign that moves, turns, colours or hides.

    Control characters (C0, C1, DEL), those of direction, ends of lines, signs without width, half
    surrogate pairs, and what Unicode has not assigned. Spaces of any width are spaces.
    """
    return text if _is_harmless(text) else "".join(_signs(text))


def path_text(path: object) -> str:
    """*path* as a command line has it; an address without its password."""
    return shlex.quote(str(path))


class _Mode:
    """How the running command speaks on stderr: with *json* every line is a JSON object."""

    json = False


def use_json(*, wanted: bool) -> None:
    """Write notes and failures as JSON from here on, or as text."""
    _Mode.json = wanted


def say(text: str, *, err: bool = False) -> None:
    """Print *text* as one line, on stderr with *err*; there a note, where programs read it."""
    if err and _Mode.json:
        say_json({"note": text}, err=True)
        return
    line, encoding = shown(text), _encoding(err=err)
    if not _fits(line, encoding):
        line = line.encode(encoding, "replace").decode(encoding)
    _write(line, err=err)


def terminal_width(*, err: bool = False) -> int | None:
    """The columns of the terminal that stdout is, or stderr with *err*; None when it is not one."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream and stream.isatty() else None


def say_wrapped(text: str, indent: str = "    ", *, err: bool = False) -> None:
    """Print *text*, on a terminal in as many lines as it needs, the further ones with *indent*."""
    width = terminal_width(err=err)
    pieces = [text]
    if width is not None and len(text) > width:
        # What is copied from a terminal, such as an id, stays in one piece.
        pieces = textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)
    for piece in pieces:
        say(piece, err=err)


def say_failure(line: str, facts: Mapping[str, object]) -> None:
    """Print why the command failed on stderr: a *line* for people, *facts* for programs."""
    if _Mode.json:
        say_json(facts, err=True)
    else:
        say_wrapped(" ".join(line.split()), "  ", err=True)


def say_json(value: object, indent: int | None = None, *, err: bool = False) -> None:
    """Print *value* as JSON: readable where the console allows it, and with escapes elsewhere."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    # Ends of lines are those of the indentation, for strings have theirs as escapes.
    if not _is_harmless(text.replace("\n", "")):
        text = "".join(each if each == "\n" else _escaped(each) for each in text)
    if not _fits(text, _encoding(err=err)):
        text = json.dumps(value, indent=indent, default=str)
    _write(text, err=err)


def _write(text: str, *, err: bool) -> None:
    # Not click.echo: it writes UTF-8 where the console says that it has ASCII.
    stream = sys.stderr if err else sys.stdout
    # A stream that the shell has closed is None.
    if stream is not None:
        stream.write(f"{text}\n")
        stream.flush()


def _is_harmless(text: str) -> bool:
    return text.isprintable() and not _HIDDEN.search(text)


def _signs(text: str) -> Iterator[str]:
    for each in text:
        if _is_harmless(each):
            yield each
        else:
            yield " " if each == "\t" or unicodedata.category(each) == "Zs" else "?"


def _escaped(sign: str) -> str:
    return sign if _is_harmless(sign) else json.dumps(sign)[1:-1]


def _encoding(*, err: bool) -> str:
    stream = sys.stderr if err else sys.stdout
    return getattr(stream, "encoding", None) or "utf-8"


def _fits(text: str, encoding: str) -> bool:
    # Some encodings have one byte for two signs, and would give the other one back.
    try:
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False
