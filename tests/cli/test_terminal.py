"""The filter of all that the command prints: over all of Unicode, at random, on any console.

`SINCH_WRAPPER_FUZZ=1000000` sets how many random texts; hypothesis prints those that fail.
"""

import io
import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sinch_wrapper.cli._terminal import say, say_json, shown

INPUTS = int(os.environ.get("SINCH_WRAPPER_FUZZ", "500"))
# Everything a terminal may obey or hide, by category and by name, and not by our own rule.
OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HIDDEN = {
    *map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800)),
    *map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
}

# Texts in which half of the signs are the dangerous ones.
NASTY = st.text(
    st.one_of(
        st.characters(codec=None),
        st.sampled_from("\x00\x07\x08\n\r\x1b\x7f\x80\x9b\x9d\x85\u2028\u2029\u202e\u2066\u200b"),
        st.sampled_from(
            "\u200d\ufeff\ud800\udfff\udc9b\U000e0041\ufe0f\u00ad\u061c\u3164 aZ0é世😀"
        ),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NASTY,
    lambda inner: st.lists(inner) | st.dictionaries(NASTY, inner),
    max_leaves=8,
)
CONSOLES = ["utf-8", "cp1252", "cp437", "latin-1", "ascii", "utf-16", "utf-16-le", "gbk", "cp932"]


def is_dangerous(sign: str) -> bool:
    """Whether a terminal may obey *sign*, or not show it."""
    return unicodedata.category(sign) in OBEYED or sign in HIDDEN


def test_every_sign_of_unicode_is_harmless_or_replaced() -> None:
    """Of all 1,114,112 code points none that is dangerous passes, and every other does."""
    signs = "".join(map(chr, range(sys.maxunicode + 1)))
    for sign, found in zip(signs, shown(signs), strict=True):
        category = unicodedata.category(sign)
        if sign == "\t" or category == "Zs":
            expected = " "
        else:
            expected = "?" if category in OBEYED or sign in HIDDEN else sign
        assert expected == found, hex(ord(sign))


@settings(max_examples=INPUTS, deadline=None)
@given(NASTY)
def test_text_is_one_harmless_line_of_the_same_length(text: str) -> None:
    """Whatever the text: nothing dangerous is left, sign by sign."""
    found = shown(text)
    assert len(text) == len(found)
    assert not any(map(is_dangerous, found))
    assert found == shown(found)


def printed(encoding: str, function: Any, *values: Any) -> str:
    """What *function* prints on a console of this *encoding*."""
    raw = io.BytesIO()
    console = io.TextIOWrapper(raw, encoding=encoding, newline="")
    before, sys.stdout = sys.stdout, console
    try:
        function(*values)
        console.flush()
    finally:
        sys.stdout = before
    return raw.getvalue().decode(encoding)


@settings(max_examples=INPUTS, deadline=None)
@given(NASTY, st.sampled_from(CONSOLES))
def test_text_is_printed_on_any_console(text: str, encoding: str) -> None:
    """No console refuses a line, and none is sent a dangerous sign."""
    line = printed(encoding, say, text)
    assert line.endswith("\n")
    assert not any(map(is_dangerous, line[:-1]))


@settings(max_examples=INPUTS // 4, deadline=None)
@given(VALUES, st.sampled_from(CONSOLES), st.sampled_from([None, 2]))
@example(["¬"], "cp932", None)
def test_json_is_printed_on_any_console(value: Any, encoding: str, indent: int | None) -> None:
    """Programs read the value that was given, and a terminal obeys none of its signs."""
    text = printed(encoding, say_json, value, indent)
    assert value == json.loads(text)
    assert not any(map(is_dangerous, text.replace("\n", "")))


def test_json_stays_readable_where_it_can() -> None:
    """Letters of any script are themselves, where the console has them."""
    value = {"name": "Zoë Ж 世 😀", "said": "a\x9bb"}
    assert '{"name": "Zoë Ж 世 😀", "said": "a\\u009bb"}\n' == printed("utf-8", say_json, value)
    assert printed("cp1252", say_json, value).isascii()
    assert "Zo? ? ? ?\n" == printed("ascii", say, value["name"])


def test_nothing_is_printed_around_the_filter() -> None:
    """No other module calls `click.echo` or `print`; the sandbox prints words of its own."""
    import sinch_wrapper.cli

    files = Path(sinch_wrapper.cli.__file__).parent.glob("*.py")
    around = {
        path.name
        for path in files
        if any(word in path.read_text(encoding="utf-8") for word in ("click.echo(", " print("))
    }
    assert around <= {"_sandbox.py"}


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_closed_stream_is_no_error(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    """A stream that the shell has closed is None: nothing is printed."""
    monkeypatch.setattr(sys, stream, None)
    say("x", err=stream == "stderr")
