"""The group of all commands; every failure becomes one line and an exit code."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import contextlib
import os
import sys
from collections.abc import Sequence
from itertools import takewhile

import click

from sinch_wrapper.cli._api import api
from sinch_wrapper.cli._bulk import bulk
from sinch_wrapper.cli._callbacks import callbacks
from sinch_wrapper.cli._completion import completion
from sinch_wrapper.cli._doctor import doctor
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import EPILOG, Effects, ExitCode
from sinch_wrapper.cli._failures import Failure, failure_of, unwritten
from sinch_wrapper.cli._login import login, logout, profiles
from sinch_wrapper.cli._resources import GROUPS
from sinch_wrapper.cli._sandbox import demo, sandbox
from sinch_wrapper.cli._send import send, token
from sinch_wrapper.cli._suppression import suppression
from sinch_wrapper.cli._terminal import say, say_failure, use_json
from sinch_wrapper.errors import SinchError

_EXAMPLES = examples(
    "demo",
    "login",
    'send --app APP --to +46700000001 --text "Your table is ready"',
    'bulk check spring.csv --text "Hi ${name}"',
    "api Contact_ListContacts --help",
)


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    import sinch_batch_api
    import sinch_conversation_api
    import sinch_template_api

    from sinch_wrapper import __version__

    say(
        f"sinch-wrapper {__version__} ("
        f"Conversation API {sinch_conversation_api.DOCUMENT_VERSION}, "
        f"Batch API {sinch_batch_api.DOCUMENT_VERSION}, "
        f"Template API {sinch_template_api.DOCUMENT_VERSION})"
    )
    context.exit()


@click.group(
    epilog=_EXAMPLES + "\n" + EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
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


for _command in (
    demo, sandbox, login, logout, profiles, doctor, token, send, api, bulk, callbacks, suppression,
    completion, *GROUPS,
):  # fmt: skip
    commands.add_command(_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; every failure is one line on stderr."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    stdout, effects = sys.stdout, Effects()
    use_json(wanted="--json" in takewhile(lambda word: word != "--", words))
    try:
        code = commands.main(words, prog_name="sinch-wrapper", standalone_mode=False, obj=effects)
        _flush()
    except click.exceptions.NoArgsIsHelpError as error:
        for line in error.format_message().splitlines():
            say(line, err=True)
        return ExitCode.USAGE
    except (click.ClickException, click.Abort, KeyboardInterrupt, SinchError) as error:
        return _fail(failure_of(error))
    except OSError as error:
        return _unwritten(error, effects)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        # click noticed first that the reader is gone, and has replaced stdout.
        return _unwritten(BrokenPipeError(), effects)
    return code if isinstance(code, int) else ExitCode.OK


def _flush() -> None:
    # stdout is None when the shell has closed it.
    if sys.stdout is not None:
        sys.stdout.flush()


def _unwritten(error: OSError, effects: Effects) -> ExitCode:
    """The exit code of a command that may have worked, but whose output is lost."""
    if sys.__stdout__ is not None:
        # Python flushes stdout once more at exit, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    if isinstance(error, BrokenPipeError):
        # A reader that has seen enough, such as `head`.
        return ExitCode.UNKNOWN if effects.possible else ExitCode.OK
    return _fail(unwritten(error))


def _fail(failure: Failure) -> ExitCode:
    # Where nothing can be written the exit code says it alone.
    with contextlib.suppress(OSError):
        say_failure(f"{failure.command}: {failure.line}", failure.as_json())
    return failure.code
