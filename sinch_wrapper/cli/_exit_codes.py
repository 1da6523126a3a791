"""The exit codes of the command."""

from enum import IntEnum
from typing import NoReturn

import click


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
    INTERRUPTED = 130
    """Ctrl-C, as shells number it: 128 and the number of SIGINT."""


EPILOG = """\
\b
Exit codes:
  0    it worked
  1    it failed; nothing was done, or the output says what was
  2    the command line is wrong
  3    the outcome is unknown: check whether it was done before you repeat it
  130  interrupted (Ctrl-C)

\b
Environment: SINCH_PROJECT_ID, SINCH_KEY_ID, SINCH_KEY_SECRET, SINCH_REGION;
SINCH_SANDBOX_URL is the URL of a sandbox to use instead of a region.
"""


def leave(code: ExitCode) -> NoReturn:
    """End the running command with this exit code."""
    click.get_current_context().exit(code)
