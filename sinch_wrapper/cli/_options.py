"""Options that several commands share, and the client they describe."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    from sinch_wrapper import Endpoints, Sinch


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


job_argument = click.argument("job", type=click.Path(path_type=Path))

late_option = click.option(
    "--send-now", is_flag=True, help="Go on although the time of --send-after has passed."
)

poll_option = click.option(
    "--poll-for",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the end of each batch.",
)

_SENDING = (
    click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True),
    click.option("--deadline", type=click.FloatRange(0), help="Seconds after which to stop."),
    click.option(
        "--settle",
        type=click.FloatRange(0),
        default=30.0,
        show_default=True,
        help="Seconds after which a request that is not found was surely not accepted.",
    ),
    click.option(
        "--drain-rate",
        type=click.FloatRange(0, min_open=True),
        default=20.0,
        show_default=True,
        help="Messages per second that leave the queue of the app.",
    ),
    click.option("--queue", type=click.IntRange(1), default=500_000, show_default=True),
)


def sending_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of SendingRules to *command*."""
    for option in reversed(_SENDING):
        command = option(command)
    return command


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    click.get_current_context().exit(code)


def split(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of sending, as the library takes them."""
    from sinch_wrapper.bulk import MessageLimits

    return {
        "concurrency": given["concurrency"],
        "deadline": given["deadline"],
        "settle": given["settle"],
        "limits": MessageLimits(given["queue"], given["drain_rate"]),
        "send_now": given.get("send_now", False),
    }


def pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    """Read `name=value` texts; raises click.UsageError that names the *option*."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{option} {text}: write it as two names with = between.")
        found[name] = value
    return found


def path_text(path: Path) -> str:
    """*path* for a command line that is shown."""
    import shlex

    return shlex.quote(str(path))


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
