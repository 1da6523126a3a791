"""The option --debug: what goes over the wire, on stderr, without secrets, numbers and texts."""

import logging
import time
from typing import Final

import click

from sinch_wrapper.cli._terminal import say

_LOGGER: Final = logging.getLogger("sinch_wrapper")


class _Printer(logging.Handler):
    """Prints the log of the library, which contains no secrets, numbers or texts."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        say(f"{moment}.{record.msecs:03.0f} {record.getMessage()}", err=True)


def _show(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 (click passes it)
    if not wanted or context.resilient_parsing:
        return
    printer, before = _Printer(), _LOGGER.level

    def stop() -> None:
        _LOGGER.removeHandler(printer)
        _LOGGER.setLevel(before)

    _LOGGER.addHandler(printer)
    _LOGGER.setLevel(logging.DEBUG)
    context.call_on_close(stop)


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show,
    help="Print each request on stderr: method, path, status, time, id. No secrets, no numbers.",
)
