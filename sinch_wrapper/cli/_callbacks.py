"""The commands about callbacks: serve, verify, list, dead; and the group of them all."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from pathlib import Path
from typing import BinaryIO

import click

from sinch_wrapper.cli._options import as_json, read_headers, secret_option, secrets_from

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
    from sinch_wrapper.cli._callback_server import announce, listen, printer, run

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


_ID = click.IntRange(0, 2**63 - 1)
_STORE = click.argument("store", type=click.Path(path_type=Path))


@click.group()
def callbacks() -> None:
    """Receive callbacks, and look at those that came.

    Secrets of webhooks come from a file or from SINCH_CALLBACK_SECRETS, never from the command
    line. What is printed has neither numbers nor texts in it, unless you ask for them.
    """


@callbacks.command()
@click.argument("body", type=click.File("rb"))
@click.option(
    "--headers",
    required=True,
    type=click.File("rb"),
    help="A file with the headers: lines of Name: value, or a JSON object.",
)
@secret_option
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    help="Seconds between signing and now.  [default: any, for the request was saved]",
)
@as_json
def verify(
    body: BinaryIO,
    headers: BinaryIO,
    secret_file: Path | None,
    tolerance: float | None,
    as_json: bool,
) -> None:
    """Check the signature of a saved request: its raw BODY (- is stdin) and its headers.

    Prints one line: valid, with the kind of the callback and the secret that fits, or invalid,
    and why. Exit code 0 or 1.
    """
    from sinch_wrapper.cli._callback_views import check

    code = check(
        body.read(),
        read_headers(headers.read()),
        secrets_from(secret_file),
        float("inf") if tolerance is None else tolerance,
        as_json=as_json,
    )
    click.get_current_context().exit(code)


@callbacks.command("list")
@_STORE
@click.option(
    "--after", type=_ID, default=0, metavar="ID", help="Only those that came after this one."
)
@click.option(
    "--raw", is_flag=True, help="Each as it came, one line of JSON, numbers and texts in."
)
@as_json
def list_(store: Path, after: int, raw: bool, as_json: bool) -> None:
    """List the callbacks in STORE, in the order in which they came."""
    from sinch_wrapper.cli._callback_views import show_stored

    show_stored(store, after, raw=raw, as_json=as_json)


@callbacks.command()
@_STORE
@click.option("--retry", is_flag=True, help="Let their handlers run again.")
@click.option("--id", "ids", multiple=True, type=_ID, help="With --retry: only this one.")
@as_json
def dead(store: Path, retry: bool, ids: tuple[int, ...], as_json: bool) -> None:
    """List the callbacks in STORE whose handlers failed too often."""
    from sinch_wrapper.cli._callback_views import retry_dead, show_dead

    if ids and not retry:
        raise click.UsageError("--id goes with --retry.")
    if retry:
        retry_dead(store, ids)
    else:
        show_dead(store, as_json=as_json)


callbacks.add_command(serve)
