"""Options of looking before sending: how much of a list, what it costs, and what it may cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sinch_wrapper.cli._options import CommandT, options

_PREVIEW = (
    click.option("--limit", type=click.IntRange(1), help="Read only that many rows of FILE."),
    click.option(
        "--prices",
        type=click.Path(path_type=Path),
        help="CSV file with the columns prefix, price and perhaps channel. An SMS costs the price "
        "once per part.",
    ),
    click.option(
        "--max-parts",
        type=click.IntRange(1),
        help="Send nothing when an SMS has more parts than this. A bill may have a part more where "
        "the text ends close to a limit.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(0),
        help="Send nothing when it may cost more than this, by --prices.",
    ),
)


def preview_options(command: CommandT) -> CommandT:
    """Add the options that limit a job before it begins to *command*."""
    return options(_PREVIEW)(command)


def preview_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `preview_options`, as the library takes them."""
    return {name: given[name] for name in ("limit", "prices", "max_parts", "max_cost")}
