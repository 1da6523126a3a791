"""Options that say when and to whom of a list a campaign goes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from sinch_wrapper.cli._options import CommandT, options


def _send_time(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise click.BadParameter("expected a time with an offset: 2026-12-01T09:00:00+01:00.")
    return found


_CAMPAIGN = (
    click.option(
        "--send-after",
        metavar="TIME",
        callback=_send_time,
        help="When to send, with an offset, such as 2026-12-01T09:00:00+01:00.  [default: now]",
    ),
)


def campaign_options(command: CommandT) -> CommandT:
    """Add the options of a campaign to *command*."""
    return options(_CAMPAIGN)(command)


def campaign_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `campaign_options`, as the library takes them."""
    return {"send_after": given["send_after"]}
