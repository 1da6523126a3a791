"""The commands about callbacks: serve, verify, list, dead."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import leave
from sinch_wrapper.cli._options import (
    as_json,
    host_option,
    library_errors,
    read_headers,
    secret_option,
    secrets_from,
)
from sinch_wrapper.cli._places import JOB, LIST

_PORT = 8080
_TOKEN_VARIABLE = "SINCH_HEALTH_TOKEN"  # noqa: S105 (its name)
_ID = click.IntRange(0, 2**63 - 1)
_STORE = click.argument("store", type=click.Path(path_type=Path))


@click.group(
    epilog=examples(
        "callbacks serve --store callbacks.db",
        "callbacks list callbacks.db",
    )
)
def callbacks() -> None:
    """Receive callbacks, and look at those that were stored.

    Secrets of webhooks come from a file or from SINCH_CALLBACK_SECRETS, never from the command
    line. The output has neither phone numbers nor message text, unless you ask for them.
    """


_SERVE_CODES = """\
\b
Exit codes:
  0    ended by SIGTERM
  1    it could not start
  2    the command line is wrong
  3    the reader of its lines has gone
  130  ended by Ctrl-C

A callback that was confirmed is stored, however it ends.
"""


@callbacks.command(
    short_help="Receive callbacks, and store them.",
    epilog=_SERVE_CODES
    + "\n"
    + examples(
        "callbacks serve --store callbacks.db --secret-file secrets.txt",
        "callbacks serve --job spring.csv.db --suppression stop.db --port 8080",
    ),
)
@secret_option
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="File to store callbacks in.  [default: JOB with .callbacks added]",
)
@click.option(
    "--job",
    "jobs",
    multiple=True,
    type=JOB,
    help="Journal of a bulk job to follow, a file or its address in PostgreSQL; the job may begin "
    "later. Repeatable.",
)
@click.option(
    "--suppression",
    type=LIST,
    help="Suppression list to keep, a file or its address in PostgreSQL: who opts out by OPT_OUT "
    "callbacks or words such as STOP.",
)
@click.option(
    "--doubtful",
    type=click.Choice(["person", "suppress"]),
    default="person",
    show_default=True,
    help="With --suppression: whether messages that may be meant so wait for a person, or count.",
)
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 chooses a free one.",
)
@host_option
@click.option("--path", default="/", show_default=True, help="Path that callbacks are POSTed to.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    help="Seconds between signing and receiving.  [default: 300 ahead of this clock; back in time, "
    "a week less 300, for which a repeated callback is recognised]",
)
@click.option(
    "--receive-timeout",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds in which headers and body of a request must arrive.",
)
@click.option("--quiet", is_flag=True, help="Print nothing for each callback.")
@as_json
def serve(
    secret_file: Path | None,
    store: Path | None,
    port: int,
    host: str,
    quiet: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the other options, as click passes them)
) -> None:
    """Receive callbacks until Ctrl-C or SIGTERM; print one line per callback once it is stored.

    A callback is verified, written to the store, and then confirmed with 200. GET /health tells
    whether the receiver works, and the numbers of callbacks to requests of this machine, or with
    SINCH_HEALTH_TOKEN to who sends that as a bearer token. Put a server that speaks HTTPS in
    front.
    """
    from sinch_wrapper.callbacks import receiver
    from sinch_wrapper.cli._callback_server import Printer, announce, listen, run

    if store is None and not given["jobs"]:
        raise click.UsageError("give --store, --job, or both.")
    secrets = secrets_from(secret_file)
    with library_errors():
        app = receiver(secrets, store=store, **_receiver_arguments(given))
    # A file that cannot be opened is reported before anything is announced.
    app.check()
    listener = listen(host, port)
    printer = None if quiet else Printer(as_json=as_json)
    if printer is not None:
        app.on(name="sinch-wrapper callbacks serve")(printer)
    announce(listener, given["path"], getattr(app.store, "path", None))
    run(app, listener, printer, given["receive_timeout"])


def _receiver_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a receiver is given beside its secrets and its store."""
    from sinch_wrapper.bulk import JournalFollower, OptOutFollower
    from sinch_wrapper.callbacks import OptOutWords

    words, path = OptOutWords(doubtful=given["doubtful"]), given["suppression"]
    return {
        **{name: given[name] for name in ("path", "tolerance", "receive_timeout")},
        "job": JournalFollower(given["jobs"]) if given["jobs"] else None,
        "suppression": None if path is None else OptOutFollower(path, words),
        "health_token": os.environ.get(_TOKEN_VARIABLE) or None,
    }


@callbacks.command(
    short_help="Check the signature of a saved request.",
    epilog=examples("callbacks verify body.json --headers headers.txt"),
)
@click.argument("body", type=click.File("rb"))
@click.option(
    "--headers",
    required=True,
    type=click.File("rb"),
    help="File with the headers: lines like 'Name: value', or a JSON object.",
)
@secret_option
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    help="Seconds between signing and now.  [default: any, because the request was saved]",
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

    Prints one line: valid, with the kind of the callback and the secret that matches, or invalid,
    with the reason. Exit code 0 or 1.
    """
    from sinch_wrapper.cli._callback_views import check

    code = check(
        body.read(),
        read_headers(headers.read()),
        secrets_from(secret_file),
        float("inf") if tolerance is None else tolerance,
        as_json=as_json,
    )
    leave(code)


@callbacks.command(
    "list",
    epilog=examples(
        "callbacks list callbacks.db",
        "callbacks list callbacks.db --after 1000 --json",
    ),
)
@_STORE
@click.option(
    "--after", type=_ID, default=0, metavar="ID", help="Only callbacks stored after this one."
)
@click.option(
    "--raw",
    is_flag=True,
    help="Print raw callbacks as JSON lines, including phone numbers and message text.",
)
@as_json
def list_(store: Path, after: int, raw: bool, as_json: bool) -> None:
    """List the callbacks in STORE, in the order in which they came."""
    from sinch_wrapper.cli._callback_views import show_stored

    show_stored(store, after, raw=raw, as_json=as_json)


@callbacks.command(
    epilog=examples(
        "callbacks dead callbacks.db",
        "callbacks dead callbacks.db --retry --id 7",
    )
)
@_STORE
@click.option("--retry", is_flag=True, help="Let their handlers run again.")
@click.option(
    "--id", "ids", multiple=True, type=_ID, help="With --retry: only this callback. Repeatable."
)
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
