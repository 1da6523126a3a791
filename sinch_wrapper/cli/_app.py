"""The command group, and the translation of every failure to one line and an exit code."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import contextlib
import os
import sys
from collections.abc import Sequence

import click

from sinch_wrapper.cli._api import api, send, token
from sinch_wrapper.cli._bulk import bulk
from sinch_wrapper.cli._callbacks import callbacks
from sinch_wrapper.cli._demo import demo
from sinch_wrapper.cli._sandbox import sandbox
from sinch_wrapper.errors import APIConnectionError, APIResponseValidationError, SinchError

OK = 0
FAILED = 1
USAGE = 2
UNKNOWN = 3
INTERRUPTED = 130

_EPILOG = """\
\b
Exit codes:
  0    it worked
  1    it failed; nothing was done, or the answer says what
  2    the command line is wrong
  3    the outcome is unknown: it may have been done, look before you repeat it
  130  interrupted (Ctrl-C)

\b
Environment: SINCH_PROJECT_ID, SINCH_KEY_ID, SINCH_KEY_SECRET, SINCH_REGION;
SINCH_SANDBOX_URL is the URL of a sandbox to use instead of a region.
"""


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from sinch_wrapper._version import __version__
    from sinch_wrapper.cli._api import document_versions

    documents = ", ".join(f"{title} {version}" for title, version in document_versions())
    click.echo(f"sinch-wrapper {__version__} ({documents})")
    context.exit()


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the versions of the package and of the API documents.",
)
def commands() -> None:
    """Sinch Conversation, Batch and Template APIs on the command line."""


for _command in (demo, sandbox, token, send, api, bulk, callbacks):
    commands.add_command(_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; every failure is one line on stderr."""
    stdout = sys.stdout
    try:
        code = commands.main(arguments, prog_name="sinch-wrapper", standalone_mode=False)
        _flush()
    except (click.ClickException, click.Abort, KeyboardInterrupt, SinchError) as error:
        return _explain(error)
    except OSError as error:
        return _unwritten(error)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        # click has seen first that the reader is gone, and has put something in its place.
        return _unwritten(BrokenPipeError())
    return code if isinstance(code, int) else OK


def _flush() -> None:
    # There is none when the shell has closed it.
    if sys.stdout is not None:
        sys.stdout.flush()


def _unwritten(error: OSError) -> int:
    """The end of a command whose answer is lost, although what it did may be done."""
    if sys.__stdout__ is not None:
        # Python flushes stdout once more at exit, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    if isinstance(error, BrokenPipeError):
        return UNKNOWN
    return _fail(f"reading or writing failed: {error.strerror}", UNKNOWN)


def _explain(error: BaseException) -> int:
    match error:
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return USAGE
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "sinch-wrapper"
            message = error.format_message().rstrip(".")
            return _fail(f"{message}. See {command} --help", USAGE, command)
        case click.ClickException():
            return _fail(error.format_message(), FAILED)
        case SinchError():
            return _fail(str(error), _code(error))
    return _fail("interrupted", INTERRUPTED)


def _code(error: SinchError) -> int:
    if isinstance(error, APIResponseValidationError):
        return UNKNOWN
    if isinstance(error, APIConnectionError) and error.outcome == "unknown":
        return UNKNOWN
    return FAILED


def _fail(message: str, code: int, command: str = "sinch-wrapper") -> int:
    line = " ".join(message.split())
    # The code says it, too, where nothing can be written.
    with contextlib.suppress(OSError):
        click.echo(f"{command}: {line}", err=True)
    return code
