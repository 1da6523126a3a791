"""Values of options that come from files and stdin, so that no list of processes shows them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import click

from sinch_wrapper.cli._options import CommandT, library_errors, options
from sinch_wrapper.cli._terminal import say

_STDIN = "sinch_wrapper.stdin"
_MESSAGE = (
    click.option(
        "--text",
        "words",
        help="Text, with ${name} where the value of column name goes; or @FILE, or @- for stdin, "
        "which no list of processes shows. @@ stands for @ at its beginning.",
    ),
    click.option("--message", metavar="JSON", help="Any message: JSON, @FILE, or @- for stdin."),
)


def message_options(command: CommandT) -> CommandT:
    """Add --text and --message to *command*; `message_of` reads them."""
    return options(_MESSAGE)(command)


def text_of(value: str, option: str) -> str:
    """*value*, or what the file that follows an `@` holds, or stdin for `@-`; `@@` is an `@`.

    The end of the last line does not belong to it.

    Raises: click.UsageError that names the *option*.
    """
    if value.startswith("@@"):
        return value[1:]
    content = _content(value, option, "; @@ stands for @ at the beginning of a value")
    return content.removesuffix("\n").removesuffix("\r")


def read_json(value: str, option: str) -> object:
    """Decode *value*, or the file that follows an `@`, or stdin for `@-`.

    Raises: click.UsageError that names the *option* and the place of the mistake.
    """
    text = _content(value, option)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        message = f"{option} is not JSON: {error.msg} at {where}."
    except RecursionError:
        message = f"{option} is nested too deeply."
    except ValueError:
        message = f"{option} is not JSON: it holds a number with too many digits."
    raise click.UsageError(message)


def message_of(words: str | None, message: str | None) -> Mapping[str, object]:
    """The message that --text or --message describes; raises click.UsageError."""
    from sinch_wrapper import text

    if (words is None) == (message is None):
        raise click.UsageError("give either --text or --message.")
    if words is not None:
        with library_errors():
            return text(text_of(words, "--text"))
    found = read_json(str(message), "--message")
    if not isinstance(found, dict):
        raise click.UsageError("--message must be a JSON object.")
    return found


def say_lookalikes(message: Mapping[str, object]) -> None:
    """Say, before anything is sent, what looks like a placeholder of *message* and is not."""
    from sinch_wrapper.parameters import lookalikes

    if found := [each.written for each in lookalikes(message) if each.is_likely]:
        say(
            f"Note: sent as it is, because it is not a placeholder: {', '.join(found[:20])}. "
            "Placeholders are written ${name}.",
            err=True,
        )


def _content(value: str, option: str, hint: str = "") -> str:
    try:
        if value == "@-":
            return _stdin(option)
        if value.startswith("@"):
            return Path(value[1:]).read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{option}: cannot read the file: {error.strerror}{hint}."
    except UnicodeDecodeError:
        message = f"{option}: the file is not UTF-8."
    except ValueError:
        message = f"{option}: this is not the name of a file{hint}."
    else:
        return value
    raise click.UsageError(message)


def _stdin(option: str) -> str:
    _take_stdin(option)
    return sys.stdin.read()


def stdin_bytes(option: str) -> IO[bytes]:
    """Stdin, for what is not text; raises click.UsageError as above."""
    _take_stdin(option)
    return sys.stdin.buffer


def _take_stdin(option: str) -> None:
    used = click.get_current_context().meta.setdefault(_STDIN, option)
    if used != option:
        raise click.UsageError(f"{used} has read stdin, and nothing is left for {option}.")
    # stdin is None when the shell has closed it.
    if sys.stdin is None:
        raise click.UsageError("stdin is closed.")
