"""The command that serves a sandbox in the foreground."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

from typing import TYPE_CHECKING

import click

from sinch_wrapper.cli.options import as_json

if TYPE_CHECKING:
    from sinch_wrapper.sandbox import FaultRule

__all__ = ["sandbox"]

_PORT = 8787


def _faults(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> "tuple[FaultRule, ...]":
    from sinch_wrapper.sandbox import parse_fault

    try:
        return tuple(map(parse_fault, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--fault",
    "faults",
    multiple=True,
    callback=_faults,
    metavar="RULE",
    help="What goes wrong, such as Batch_SendBatch:503:5%, *:429=2, Messages_*:drop or *:slow=1.",
)
@click.option("--seed", default=0, show_default=True, help="Makes a run repeatable.")
@click.option(
    "--drain-rate",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Messages per second that leave the queue of an app.",
)
@click.option(
    "--token-lifetime",
    default=3600.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds until a token expires.",
)
@as_json
def sandbox(
    port: int,
    faults: "tuple[FaultRule, ...]",
    seed: int,
    drain_rate: float,
    token_lifetime: float,
    as_json: bool,
) -> None:
    """Serve a stand-in for the three APIs on this machine until Ctrl-C.

    A port that is taken is replaced by a free one. Numbers that end in 000 cannot be reached,
    numbers that end in 999 never get a final receipt.
    """
    from sinch_wrapper.sandbox import Server, Settings

    settings = Settings(
        faults=faults, seed=seed, drain_rate=drain_rate, token_lifetime=token_lifetime
    )
    server = Server(settings, port=port)
    if port not in (0, server.port):
        click.echo(f"sinch-wrapper sandbox: port {port} is taken, using {server.port}", err=True)
    variables = {
        "SINCH_SANDBOX_URL": server.url,
        "SINCH_PROJECT_ID": settings.project_id,
        "SINCH_KEY_ID": settings.key_id,
        "SINCH_KEY_SECRET": settings.key_secret,
    }
    _announce(variables, settings.app_id, as_json)
    server.run()


def _announce(variables: dict[str, str], app_id: str, as_json: bool) -> None:
    import json
    import shlex

    if as_json:
        click.echo(json.dumps(variables | {"app_id": app_id}))
        return
    click.echo(f"Sandbox at {variables['SINCH_SANDBOX_URL']} (Ctrl-C ends it). In another shell:\n")
    for name, value in variables.items():
        click.echo(f"  export {name}={shlex.quote(value)}")
    to = "+46700000001"
    click.echo(f"\n  sinch-wrapper send --app {app_id} --to {to} --text Hello")
