"""Jobs that workers send: the command `bulk work`, and --cluster of those that send."""

# ruff: noqa: PLR0913, PLR0917 (click passes each option as an argument)

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import ExitCode, leave
from sinch_wrapper.cli._options import (
    CommandT,
    client,
    connection_options,
    options,
)
from sinch_wrapper.cli._places import JobPlace
from sinch_wrapper.cli._terminal import say

if TYPE_CHECKING:
    from sinch_wrapper import Sinch
    from sinch_wrapper.bulk import Report

_OPTIONS = (
    click.option(
        "--cluster",
        is_flag=True,
        help="Let workers send the job, whose --job is in PostgreSQL; see bulk work.",
    ),
    click.option(
        "--no-wait", is_flag=True, help="With --cluster, end as soon as all recipients are read."
    ),
)


def cluster_options(command: CommandT) -> CommandT:
    """Add --cluster and --no-wait to *command*."""
    return options(_OPTIONS)(command)


def sender_of(sinch: "Sinch", call: str, given: Mapping[str, Any]) -> "Callable[..., Report]":
    """The *call*, send or resume, of this process, or with --cluster the one for workers.

    Raises: click.UsageError for --no-wait without it.
    """
    if not given["cluster"]:
        if given["no_wait"]:
            raise click.UsageError("--no-wait needs --cluster.")
        local: Callable[..., Report] = getattr(sinch.bulk, call)
        return local
    from sinch_wrapper import cluster

    source = click.get_current_context().get_parameter_source("concurrency")
    left_out = {"deadline"} | ({"concurrency"} if source is ParameterSource.DEFAULT else set())

    def give(*args: Any, **values: Any) -> "Report":  # noqa: ANN401 (those of send and resume)
        kept = {
            name: value
            for name, value in values.items()
            if name not in left_out or (name == "deadline" and value is not None)
        }
        given_to: Callable[..., Report] = getattr(cluster, call)
        return given_to(sinch, *args, wait=not given["no_wait"], **kept)

    return give


def by_workers(given: Mapping[str, Any]) -> str:
    """How this call has to do with workers, as run_job() takes it."""
    if not given["cluster"]:
        return ""
    return "give" if given["no_wait"] else "follow"


def take_from_workers(job: JobPlace) -> None:
    """Let workers send *job* no longer, if they have it."""
    if isinstance(job, Path):
        return
    from sinch_wrapper import cluster

    cluster.stop(job)


@click.command(
    short_help="Send the jobs in a database, as one worker of many.",
    epilog=examples("bulk work postgresql://host/jobs --concurrency 8"),
)
@click.argument("url")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 200),
    default=4,
    show_default=True,
    help="Requests of this worker in flight at once.",
)
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=30.0,
    show_default=True,
    help="After how long without a sign a worker is taken for dead (seconds); the same for all.",
)
@click.option(
    "--requests-per-second",
    type=click.FloatRange(0.001),
    help="Set the rate that all workers of the project share.  [default: as it is, at first 780]",
)
@connection_options
@click.option("--json", is_flag=True, expose_value=False, help="Write notes as JSON for programs.")
def work(
    url: str,
    concurrency: int,
    lease: float,
    requests_per_second: float | None,
    region: str | None,
    sandbox: str | None,
) -> None:
    """Send the jobs in the database at URL that were begun with --cluster, until it is stopped.

    Start as many as you like, on any machine; each may be killed at any time. SIGTERM, or Ctrl-C,
    ends it gently: requests that are on their way are finished, and other workers go on.
    """
    from sinch_wrapper import RateLimits, cluster
    from sinch_wrapper.cli._interrupts import stopping

    limits = None if requests_per_second is None else RateLimits(requests_per_second)
    with client(region, sandbox) as sinch, stopping() as stop:
        cluster.work(
            sinch, url, concurrency=concurrency, lease=lease, limits=limits, stop=stop, say=_tell
        )
    leave(ExitCode.OK)


def _tell(line: str) -> None:
    say(f"{time.strftime('%H:%M:%S')} {line}", err=True)
