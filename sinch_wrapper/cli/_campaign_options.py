"""Options that say when a campaign goes, to whom of a list, and when it stops."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._options import CommandT, options
from sinch_wrapper.cli._places import LIST

if TYPE_CHECKING:
    from sinch_wrapper.bulk import SendWindow


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


def _days(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> list[date]:
    try:
        return [date.fromisoformat(text) for text in texts]
    except ValueError:
        raise click.BadParameter("expected a date such as 2026-12-25.") from None


_SHARE = click.FloatRange(0, 1)
_CAMPAIGN = (
    click.option(
        "--send-after",
        metavar="TIME",
        callback=_send_time,
        help="When to send, with an offset, such as 2026-12-01T09:00:00+01:00.  [default: now]",
    ),
    click.option(
        "--exclude",
        multiple=True,
        type=LIST,
        help="Whom not to write to: a suppression list (.db, or its address in PostgreSQL), or a "
        "file of numbers. Repeatable.",
    ),
    click.option(
        "--consents", is_flag=True, help="Leave out those who opted out by the lists of the API."
    ),
    click.option(
        "--window",
        multiple=True,
        metavar="HOURS",
        help="When to send, in the recipient's own time: 09:00-20:00, or Mo-Fr 09:00-20:00. "
        "Repeatable.",
    ),
    click.option(
        "--timezone",
        metavar="COLUMN",
        help="Column of time zones, such as Europe/Stockholm.  [default: by the number]",
    ),
    click.option(
        "--default-timezone", metavar="ZONE", help="Time zone of those for whom none is known."
    ),
    click.option(
        "--quiet-day",
        "quiet_days",
        multiple=True,
        metavar="DATE",
        callback=_days,
        help="A day on which nothing is sent, such as 2026-12-25. Repeatable.",
    ),
    click.option(
        "--schedule",
        is_flag=True,
        help="With --window: hand all over at once, scheduled for when the window opens.",
    ),
    click.option(
        "--pilot",
        type=click.IntRange(1),
        help="Send to the first ones only, and go on when enough of them are delivered.",
    ),
    click.option(
        "--pilot-delivered",
        type=_SHARE,
        default=0.9,
        show_default=True,
        help="The share of the pilot that must be delivered.",
    ),
    click.option(
        "--pilot-wait",
        type=click.FloatRange(0),
        default=900.0,
        show_default=True,
        help="How long to wait for the receipts of the pilot (seconds).",
    ),
    click.option(
        "--stop-if-failed", type=_SHARE, help="Stop when more than this share has failed."
    ),
)


def campaign_options(command: CommandT) -> CommandT:
    """Add the options of a campaign to *command*."""
    return options(_CAMPAIGN)(command)


def campaign_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `campaign_options`, as the library takes them."""
    names = ("send_after", "consents", "pilot", "pilot_delivered", "pilot_wait", "stop_if_failed")
    exclude = [each.absolute() for each in given["exclude"]]
    return {name: given[name] for name in names} | {"exclude": exclude, "window": _window(given)}


def _window(given: Mapping[str, Any]) -> "SendWindow | None":
    from sinch_wrapper.bulk import SendWindow

    more = {name: given[name] for name in ("default_timezone", "quiet_days", "schedule")}
    if given["window"]:
        try:
            return SendWindow(list(given["window"]), **more)
        except ValueError as error:
            name, _, fault = str(error).partition("= ")
            raise click.UsageError(f"--{name.replace('_', '-')} {fault}.") from None
    if any(more.values()) or given["timezone"]:
        raise click.UsageError("--timezone, --quiet-day and the like go with --window.")
    return None
