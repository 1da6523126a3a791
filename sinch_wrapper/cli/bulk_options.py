"""Options that the bulk commands share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

__all__ = [
    "job_argument", "late_option", "leave", "pairs", "path_text", "poll_option",
    "sending_options", "split",
]  # fmt: skip

job_argument = click.argument("job", type=click.Path(path_type=Path))

late_option = click.option(
    "--send-now", is_flag=True, help="Go on although the time of --send-after has passed."
)

poll_option = click.option(
    "--poll-for",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the end of each batch.",
)

_SENDING = (
    click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True),
    click.option("--deadline", type=click.FloatRange(0), help="Seconds after which to stop."),
    click.option(
        "--settle",
        type=click.FloatRange(0),
        default=30.0,
        show_default=True,
        help="Seconds after which a request that is not found was surely not accepted.",
    ),
    click.option(
        "--drain-rate",
        type=click.FloatRange(0, min_open=True),
        default=20.0,
        show_default=True,
        help="Messages per second that leave the queue of the app.",
    ),
    click.option("--queue", type=click.IntRange(1), default=500_000, show_default=True),
)


def sending_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of SendingRules to *command*."""
    for option in reversed(_SENDING):
        command = option(command)
    return command


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    click.get_current_context().exit(code)


def split(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of sending, as the library takes them."""
    from sinch_wrapper.bulk import MessageLimits

    return {
        "concurrency": given["concurrency"],
        "deadline": given["deadline"],
        "settle": given["settle"],
        "limits": MessageLimits(given["queue"], given["drain_rate"]),
        "send_now": given.get("send_now", False),
    }


def pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    """Read `name=value` texts; raises click.UsageError that names the *option*."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{option} {text}: write it as two names with = between.")
        found[name] = value
    return found


def path_text(path: Path) -> str:
    """*path* for a command line that is shown."""
    import shlex

    return shlex.quote(str(path))
