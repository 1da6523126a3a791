"""Options that several commands share, and the client they describe."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sinch_wrapper import Endpoints, Sinch

__all__ = ["as_json", "client", "connection_options", "place", "read_json"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --region and --sandbox to *command*."""
    region = click.option("--region", help="us, eu or br: where the app was created.")
    sandbox = click.option(
        "--sandbox",
        envvar="SINCH_SANDBOX_URL",
        metavar="URL",
        help="Use a running sandbox instead of a region.",
    )
    return region(sandbox(command))


def place(region: str | None, sandbox: str | None) -> "tuple[str | None, Endpoints | None]":
    """Return region and endpoints as the client takes them; a sandbox wins, as in the library.

    Raises: ConfigurationError for an unknown region, with a sandbox too.
    """
    from sinch_wrapper import Endpoints, Region

    if not sandbox:
        return region, None
    if region:
        Region.parse(region)
    return None, Endpoints.sandbox(sandbox)


def client(region: str | None, sandbox: str | None) -> "Sinch":
    """Return a client for these options; credentials come from the environment.

    Raises: ConfigurationError that names what is missing.
    """
    from sinch_wrapper import Sinch

    region, endpoints = place(region, sandbox)
    return Sinch(region=region, endpoints=endpoints)


def read_json(text: str, option: str) -> object:
    """Decode *text*, or the file that follows an `@`, or stdin for `@-`.

    Raises: click.UsageError that names the *option* and the place of the mistake.
    """
    try:
        if text == "@-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        message = f"{option}: cannot read the file: {error.strerror}."
    except UnicodeDecodeError:
        message = f"{option}: the file is not UTF-8."
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        message = f"{option} is not JSON: {error.msg} at {where}."
    except RecursionError:
        message = f"{option} is nested too deeply."
    raise click.UsageError(message)
