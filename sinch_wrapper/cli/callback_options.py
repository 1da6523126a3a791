"""Options of the callback commands: where secrets come from, and saved headers."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sinch_wrapper.errors import ConfigurationError

__all__ = ["VARIABLE", "read_headers", "secret_option", "secrets_from"]

VARIABLE = "SINCH_CALLBACK_SECRETS"


def secret_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --secret-file to *command*."""
    return click.option(
        "--secret-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"Secrets of the webhooks, one a line.  [default: {VARIABLE}, separated by spaces]",
    )(command)


def secrets_from(path: Path | None) -> list[str]:
    """The secrets in the file at *path*, else in the environment.

    Raises: ConfigurationError when there is none.
    """
    if path is None:
        found = os.environ.get(VARIABLE, "").split()
        if not found:
            raise ConfigurationError(
                f"no callback secret: set {VARIABLE} or give --secret-file with the secret of "
                "each webhook"
            )
        return found
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(
            f"--secret-file {path.name}: cannot read it: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"--secret-file {path.name}: it is not UTF-8") from None
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise ConfigurationError(f"--secret-file {path.name}: there is no secret in it")
    return found


def read_headers(content: bytes) -> list[tuple[str, str]]:
    """The headers in a file: lines of `Name: value` up to a blank one, or a JSON object.

    Raises: click.UsageError when it holds neither.
    """
    # Headers are bytes; what is not ASCII is refused where it matters.
    text = content.decode("latin-1").strip()
    if text.startswith("{"):
        return _from_json(content)
    pairs = []
    for line in text.splitlines():
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name.strip(), value.strip()))
    if not pairs:
        raise click.UsageError("--headers: no line of it is a header, such as Name: value.")
    return pairs


def _from_json(content: bytes) -> list[tuple[str, str]]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise click.UsageError("--headers: it begins like JSON, and is not.") from None
    return [
        (name, text)
        for name, value in found.items()
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str)
    ]
