"""Options of the commands that send in bulk, whatever the list: its journal, its speed, doubts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._options import CommandT, options
from sinch_wrapper.cli._places import JOB

if TYPE_CHECKING:
    from sinch_wrapper.bulk import MessageLimits

job_argument = click.argument("job", type=JOB)

late_option = click.option(
    "--send-now", is_flag=True, help="Send although the time of --send-after has passed."
)

go_on_option = click.option(
    "--go-on", is_flag=True, help="Go on in spite of a pilot or of failures that stopped the job."
)

poll_option = click.option(
    "--poll-for",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="How long to wait for each batch to end (seconds).",
)

_LIMITS = (
    click.option(
        "--drain-rate",
        type=click.FloatRange(0, min_open=True),
        default=20.0,
        show_default=True,
        help="Messages per second that leave the queue of the app.",
    ),
    click.option(
        "--queue",
        type=click.IntRange(1),
        default=500_000,
        show_default=True,
        help="Messages that the queue of the app holds.",
    ),
)

_SENDING = (
    click.option(
        "--concurrency",
        type=click.IntRange(1),
        default=4,
        show_default=True,
        help="Requests in flight at once.",
    ),
    click.option("--deadline", type=click.FloatRange(0), help="Stop sending after this (seconds)."),
    click.option(
        "--settle",
        type=click.FloatRange(0),
        default=600.0,
        show_default=True,
        help="How long an unconfirmed request must be missing from look-ups before it may be sent "
        "again (seconds).",
    ),
    click.option(
        "--send-again",
        type=click.Choice(["evidence", "never"]),
        help="Whether an unconfirmed request is sent again: on evidence that it was not accepted, "
        "or never. The job remembers it.  [default: evidence]",
    ),
    *_LIMITS,
)


def limits_options(command: CommandT) -> CommandT:
    """Add the options about the queue of the app to *command*."""
    return options(_LIMITS)(command)


def limits_from(given: Mapping[str, Any]) -> "MessageLimits":
    """The values of `limits_options`, as the library takes them."""
    from sinch_wrapper.bulk import MessageLimits

    return MessageLimits(given["queue"], given["drain_rate"])


def sending_options(command: CommandT) -> CommandT:
    """Add the options of every command that sends in bulk to *command*."""
    return options(_SENDING)(command)


def sending_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `sending_options`, as the library takes them."""
    return {
        "concurrency": given["concurrency"],
        "deadline": given["deadline"],
        "settle": given["settle"],
        **({"send_again": given["send_again"]} if given["send_again"] else {}),
        "limits": limits_from(given),
        "send_now": given.get("send_now", False),
        "go_on": given.get("go_on", False),
    }
