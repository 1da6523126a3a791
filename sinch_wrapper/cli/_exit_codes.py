"""The exit codes of the command."""

from enum import IntEnum
from typing import NoReturn

import click


class Effects:
    """Whether the running command may have changed something: `acts` says that it may have."""

    possible = False


def acts(*, possible: bool = True) -> None:
    """Note that the running command may change something from here on.

    When the reader of its output goes away, a command that only reads has worked all the same.
    """
    context = click.get_current_context(silent=True)
    if context is not None:
        context.ensure_object(Effects).possible = possible


class ExitCode(IntEnum):
    """How a command ended, for the shell; `EPILOG` says the same to people."""

    OK = 0
    """It worked."""
    FAILED = 1
    """It failed: nothing was done, or the output says what was."""
    USAGE = 2
    """The command line is wrong."""
    UNKNOWN = 3
    """It may have been done, but no response or no output confirms it."""
    TWICE = 4
    """A request was accepted twice: some recipients got their message twice."""
    INTERRUPTED = 130
    """Ctrl-C, as shells number it: 128 and the number of SIGINT."""


class Interrupted(click.ClickException):
    """A person or a signal has stopped the command, which says what that means."""

    exit_code = ExitCode.INTERRUPTED


EPILOG = """\
\b
Exit codes:
  0    it worked
  1    it failed; nothing was done, or the output says what was
  2    the command line is wrong
  3    the outcome is unknown: check whether it was done before you repeat it
  4    a request was accepted twice: its recipients get the message twice
  130  interrupted (Ctrl-C)

\b
Environment: SINCH_PROJECT_ID, SINCH_KEY_ID, SINCH_KEY_SECRET, SINCH_REGION;
SINCH_SANDBOX_URL is the URL of a sandbox to use instead of a region.
SINCH_WRAPPER_PROFILE is the profile to use without them: see login.
"""


def leave(code: ExitCode) -> NoReturn:
    """End the running command with this exit code."""
    click.get_current_context().exit(code)
