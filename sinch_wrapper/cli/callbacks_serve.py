"""The command that receives callbacks in the foreground."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from pathlib import Path

import click

from sinch_wrapper.cli.callback_options import secret_option, secrets_from
from sinch_wrapper.cli.options import as_json

__all__ = ["serve"]

_PORT = 8080


@click.command()
@secret_option
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="The file that keeps the callbacks.  [default: JOB with .callbacks added]",
)
@click.option(
    "--job",
    "jobs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The journal of a bulk job to follow; it may begin later. May be given several times.",
)
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets others in.")
@click.option("--path", default="/", show_default=True, help="Where callbacks are POSTed to.")
@click.option(
    "--tolerance",
    default=300.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds between signing and receiving.",
)
@click.option("--quiet", is_flag=True, help="Print no line for each callback.")
@as_json
def serve(  # noqa: PLR0913, PLR0917 (click passes each option as an argument)
    secret_file: Path | None,
    store: Path | None,
    jobs: tuple[Path, ...],
    port: int,
    host: str,
    path: str,
    tolerance: float,
    quiet: bool,
    as_json: bool,
) -> None:
    r"""Receive callbacks until Ctrl-C or SIGTERM; print a line for each once it is stored.

    A callback is verified, written to the store, and then answered with 200. GET /health says
    whether it works. Put something that speaks HTTPS in front of it.

    \b
    Exit codes: 0 ended by SIGTERM, 1 it could not start, 2 the command line is
    wrong, 130 ended by Ctrl-C. What was answered is stored, however it ends.
    """
    from sinch_wrapper.callbacks import receiver
    from sinch_wrapper.cli.callback_server import announce, listen, printer, run

    if store is None and not jobs:
        raise click.UsageError("give --store, --job, or both.")
    app = receiver(
        secrets_from(secret_file), store=store, job=jobs or None, path=path, tolerance=tolerance
    )
    # So that a file that cannot be opened is told before anything is promised.
    app.check()
    name = getattr(app.store, "path", None)
    listener = listen(host, port)
    lines = None if quiet else printer(as_json=as_json)
    if lines is not None:
        app.on(name="sinch-wrapper callbacks serve")(lines)
    announce(listener, path, name)
    run(app, listener, lines)
