"""The command that serves a sandbox in the foreground."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._options import as_json

if TYPE_CHECKING:
    from sinch_wrapper.sandbox import FaultRule, Server


_PORT = 8787
_RATE = click.FloatRange(0, min_open=True)
_SHARE = click.FloatRange(0, 1)


def _faults(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> "tuple[FaultRule, ...]":
    from sinch_wrapper.sandbox import parse_fault

    try:
        return tuple(map(parse_fault, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _number(
    name: str, default: float, kind: "click.ParamType[Any]", text: str
) -> Callable[..., Any]:
    return click.option(name, default=default, show_default=True, type=kind, help=text)


# In the order of the help; the names are those of the settings.
_SETTINGS = (
    click.option(
        "--fault",
        "faults",
        multiple=True,
        callback=_faults,
        metavar="RULE",
        help="What goes wrong, such as Batch_SendBatch:503:5%, *:429=2, Messages_*:drop:#3 or "
        "*:slow=1. May be given several times.",
    ),
    click.option(
        "--start",
        type=click.Choice(["app", "empty", "sample"]),
        default="app",
        show_default=True,
        help="What is there at first: one app, nothing, a sample of everything.",
    ),
    click.option(
        "--region",
        type=click.Choice(["us", "eu", "br"]),
        default="us",
        show_default=True,
        help="The region of paths that name none.",
    ),
    click.option(
        "--error-shape",
        type=click.Choice(["wrapped", "flat"]),
        default="wrapped",
        show_default=True,
        help="The body of errors; both are documented.",
    ),
    click.option("--seed", default=0, show_default=True, help="Makes a run repeatable."),
    click.option("--frozen", is_flag=True, help="Time moves only when POST /_sandbox/clock says."),
    _number("--drain-rate", 20.0, _RATE, "Messages per second that leave the queue of an app."),
    _number("--queue-limit", 500_000, click.IntRange(1), "Messages that the queue takes."),
    _number("--request-rate", 800.0, _RATE, "Requests per second, beyond which it is 429."),
    _number("--token-lifetime", 3600.0, _RATE, "Seconds until a token expires."),
    _number("--callback-rate", 25.0, _RATE, "Callbacks per second of an app."),
    _number("--callback-delay", 0.0, click.FloatRange(0), "Seconds that callbacks come late."),
    _number("--callback-duplicates", 0.0, _SHARE, "Share of callbacks that come twice."),
    _number("--callback-disorder", 0.0, _SHARE, "Share of callbacks that are overtaken."),
    click.option("--remote-callbacks", is_flag=True, help="Let callbacks leave this machine."),
)


def _settings_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.command()
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="Who else may reach it.")
@click.option("--tls", is_flag=True, help="HTTPS, with a certificate made for this run.")
@_settings_options
@as_json
def sandbox(
    port: int,
    host: str,
    tls: bool,
    as_json: bool,
    **settings: Any,  # noqa: ANN401 (the values of _SETTINGS)
) -> None:
    """Serve a stand-in for the three APIs on this machine until Ctrl-C.

    A port that is taken is replaced by a free one. Numbers that end in 000 cannot be reached,
    numbers that end in 999 never get a final receipt. GET /_sandbox lists what tests can ask.
    """
    from sinch_wrapper.sandbox import Server, Settings

    try:
        server = Server(Settings(**settings), host=host, port=port, tls=tls)
    except OSError as error:
        raise click.UsageError(f"--host {host}: {error.strerror}") from error
    if port not in (0, server.port):
        click.echo(f"sinch-wrapper sandbox: port {port} is taken, using {server.port}", err=True)
    _announce(server, as_json)
    server.run()


def _variables(server: "Server") -> dict[str, str]:
    settings = server.settings
    variables = {
        "SINCH_SANDBOX_URL": server.url,
        "SINCH_PROJECT_ID": settings.project_id,
        "SINCH_KEY_ID": settings.key_id,
        "SINCH_KEY_SECRET": settings.key_secret,
    }
    if server.certificate is not None:
        variables["SSL_CERT_FILE"] = str(server.certificate)
    return variables


def _announce(server: "Server", as_json: bool) -> None:
    import json
    import shlex

    variables, app_id = _variables(server), server.settings.app_id
    if as_json:
        click.echo(json.dumps(variables | {"app_id": app_id}))
        return
    click.echo(f"Sandbox at {server.url} (Ctrl-C ends it). In another shell:\n")
    for name, value in variables.items():
        click.echo(f"  export {name}={shlex.quote(value)}")
    to = "+46700000001"
    click.echo(f"\n  sinch-wrapper send --app {app_id} --to {to} --text Hello")
