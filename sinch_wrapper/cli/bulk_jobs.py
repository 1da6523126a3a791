"""The commands that look at a job, and that cancel it."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from pathlib import Path

import click

from sinch_wrapper.cli.bulk_options import job_argument, leave, pairs, poll_option
from sinch_wrapper.cli.options import as_json, client, connection_options

__all__ = ["cancel", "cancel_batches", "report", "status"]


@click.command()
@job_argument
@click.option("--recipients", is_flag=True, help="One line of JSON for each recipient.")
@click.option("--state", "states", multiple=True, help="Only these: failed, pending, invalid, ...")
@as_json
def report(job: Path, recipients: bool, states: tuple[str, ...], as_json: bool) -> None:
    """Say what became of JOB, from its file alone."""
    from sinch_wrapper.bulk import Report
    from sinch_wrapper.cli.bulk_views import show, show_recipients

    found = Report(job)
    if not recipients:
        show(found, as_json=as_json)
        return
    try:
        show_recipients(found, states)
    except ValueError as error:
        from sinch_wrapper.bulk import RecipientState

        names = ", ".join(RecipientState)
        raise click.UsageError(f"--state must be one of {names}.") from error


@click.command()
@job_argument
@connection_options
@as_json
def status(job: Path, region: str | None, sandbox: str | None, as_json: bool) -> None:
    """Ask the API where each batch of JOB stands."""
    from sinch_wrapper.bulk import Bulk
    from sinch_wrapper.cli.bulk_views import show_batches

    with client(region, sandbox) as sinch:
        show_batches(Bulk(sinch).status(job), as_json=as_json)


@click.command()
@job_argument
@connection_options
@poll_option
@as_json
def cancel(
    job: Path, region: str | None, sandbox: str | None, poll_for: float, as_json: bool
) -> None:
    """Cancel what is left of JOB, and say what was really cancelled."""
    from sinch_wrapper.bulk import Bulk
    from sinch_wrapper.cli.bulk_views import show_cancellation

    with client(region, sandbox) as sinch:
        done = Bulk(sinch).cancel(job, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))


@click.command("cancel-batches")
@click.argument("batch_ids", nargs=-1, metavar="[BATCH_ID]...")
@click.option("--metadata", metavar="KEY=VALUE", help="All batches with this batch metadata.")
@connection_options
@poll_option
@as_json
def cancel_batches(  # noqa: PLR0913, PLR0917 (click passes each option as an argument)
    batch_ids: tuple[str, ...],
    metadata: str | None,
    region: str | None,
    sandbox: str | None,
    poll_for: float,
    as_json: bool,
) -> None:
    """Cancel scheduled batches of any job, by id or by batch metadata."""
    from sinch_wrapper.bulk import Bulk
    from sinch_wrapper.cli.bulk_views import show_cancellation

    if not batch_ids and metadata is None:
        raise click.UsageError("give batch ids or --metadata.")
    found = list(pairs("--metadata", () if metadata is None else (metadata,)).items())
    with client(region, sandbox) as sinch:
        pair = found[0] if found else None
        done = Bulk(sinch).cancel_batches(*batch_ids, metadata=pair, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))
