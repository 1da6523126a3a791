"""The commands that need no account: sandbox, which serves one in the foreground, and demo."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import dataclasses
import json
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._options import REGIONS, as_json, host_option, library_errors
from sinch_wrapper.cli._terminal import say

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
        "*:slow=1. Repeatable.",
    ),
    click.option(
        "--start",
        type=click.Choice(["app", "empty", "sample"]),
        default="app",
        show_default=True,
        help="What the sandbox begins with: one app, nothing, or a sample of everything.",
    ),
    click.option(
        "--region",
        type=click.Choice(REGIONS),
        default="us",
        show_default=True,
        help="Region of paths that name none.",
    ),
    click.option(
        "--error-shape",
        type=click.Choice(["wrapped", "flat"]),
        default="wrapped",
        show_default=True,
        help="Shape of error bodies; both are documented.",
    ),
    click.option("--seed", default=0, show_default=True, help="The same seed repeats a run."),
    click.option(
        "--frozen", is_flag=True, help="Freeze the clock; move it with POST /_sandbox/clock."
    ),
    _number("--drain-rate", 20.0, _RATE, "Messages per second that leave the queue of an app."),
    _number(
        "--queue-limit", 500_000, click.IntRange(1), "Messages that the queue of an app holds."
    ),
    _number("--request-rate", 800.0, _RATE, "Requests per second before answering 429."),
    _number("--token-lifetime", 3600.0, _RATE, "Seconds until a token expires."),
    _number("--callback-rate", 25.0, _RATE, "Callbacks per second of an app."),
    _number("--callback-delay", 0.0, click.FloatRange(0), "Delay before each callback (seconds)."),
    _number("--callback-duplicates", 0.0, _SHARE, "Share of callbacks that are sent twice."),
    _number("--callback-disorder", 0.0, _SHARE, "Share of callbacks that are sent out of order."),
    click.option(
        "--callback-signature",
        type=click.Choice(["new", "first"]),
        default="new",
        show_default=True,
        help="Whether each attempt of a callback is signed anew or like the first.",
    ),
    click.option(
        "--remote-callbacks", is_flag=True, help="Send callbacks to other machines as well."
    ),
    click.option(
        "--allow-host",
        "allow_hosts",
        multiple=True,
        metavar="NAME",
        help="Serve this host name as well, and let its web pages call. Repeatable.",
    ),
)


def _settings_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.command(
    short_help="Serve a stand-in for the three APIs on this machine.",
    epilog=examples(
        "sandbox",
        "sandbox --start sample --fault Batch_SendBatch:503:5%",
    ),
)
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; when it is taken, or 0, a free one.",
)
@host_option
@click.option("--tls", is_flag=True, help="Serve HTTPS, with a certificate made for this run.")
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

    A port that is taken is replaced by a free one. Numbers that end in 000 cannot be reached, those
    that end in 777 on the last channel only, and those that end in 999 never get a final receipt.
    GET /_sandbox lists the requests for tests.
    """
    from sinch_wrapper.sandbox import Server, Settings

    with library_errors():
        found = Settings(**settings)
    with _until_terminated():
        try:
            server = Server(found, host=host, port=port, tls=tls)
        except OSError as error:
            raise click.UsageError(f"--host {host}: {error.strerror}") from error
        if port not in (0, server.port):
            taken = f"port {port} is taken, using {server.port}"
            say(f"sinch-wrapper sandbox: {taken}", err=True)
        if server.exposure:
            say(f"sinch-wrapper sandbox: {server.exposure}", err=True)
        _announce(server, as_json)
        server.run()


@contextmanager
def _until_terminated() -> Iterator[None]:
    """Let SIGTERM end the process as if it had come to its end: files are deleted then."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
    variables, app_id = _variables(server), server.settings.app_id
    if as_json:
        click.echo(json.dumps(variables | {"app_id": app_id}))
        return
    click.echo(f"Sandbox at {server.url} (Ctrl-C to stop). In another shell:\n")
    for name, value in variables.items():
        click.echo(f"  export {name}={shlex.quote(value)}")
    to = "+46700000001"
    click.echo(f"\n  sinch-wrapper send --app {app_id} --to {to} --text Hello")


@click.command(
    short_help="Show everything at work: no account, no network.",
    epilog=examples(
        "demo",
        "demo --report report.html",
    ),
)
@click.option(
    "--report",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the page about the job.  [default: a new folder for temporary files]",
)
@as_json
def demo(page: Path | None, as_json: bool) -> None:
    """Show everything at work: no account, no network, nothing left behind but one page.

    Starts a sandbox and a callback receiver on this machine, sends one message and a bulk job of
    1,000 rows with faults switched on, receives the signed callbacks, accounts for every row, and
    writes a page about the job (with --json only where --report says).
    """
    from sinch_wrapper.cli._demo import run_demo
    from sinch_wrapper.cli._demo_data import expected, fault
    from sinch_wrapper.cli._demo_views import view_for
    from sinch_wrapper.cli._interrupts import interruptible

    if page is None and not as_json:
        page = Path(tempfile.mkdtemp(prefix="sinch-demo-report-"), "report.html")
    with interruptible(), view_for(as_json=as_json) as view, library_errors():
        result = run_demo(view, page)
        view.result(result)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result)))
    if problem := fault(result.summary, expected()):
        raise click.ClickException(problem)
