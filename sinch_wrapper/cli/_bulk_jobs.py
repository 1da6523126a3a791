"""The commands about bulk jobs that exist: status, cancel, cancel-batches, probe."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

import click

from sinch_wrapper.cli._bulk_cluster import take_from_workers
from sinch_wrapper.cli._bulk_options import job_argument, poll_option
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import leave
from sinch_wrapper.cli._options import (
    app_option,
    as_json,
    client,
    connection_options,
    library_errors,
    pairs,
    yes_option,
)
from sinch_wrapper.cli._places import JOB_OR_DATABASE, JobPlace


@click.command(
    short_help="Ask for the status of batches, or of workers.",
    epilog=examples("bulk status spring.csv.db", "bulk status postgresql://sinch@db/sinch --watch"),
)
@click.argument("job", type=JOB_OR_DATABASE, metavar="JOB | URL")
@connection_options
@click.option("--watch", is_flag=True, help="With URL, look again every two seconds.")
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=30.0,
    show_default=True,
    help="With URL, that of the workers (seconds).",
)
@as_json
def status(
    job: "JobPlace | str",
    region: str | None,
    sandbox: str | None,
    watch: bool,
    lease: float,
    as_json: bool,
) -> None:
    """Ask the API for the status of each batch of JOB, or show what workers at URL do.

    URL is the address of a database: postgresql://user@host/database. It shows its workers, the
    rate that they share, the queue of each app, and of each job that workers send how far it is,
    the time left, and the requests in doubt with the evidence so far. Nothing is asked of the API.
    """
    from sinch_wrapper.cli._bulk_views import show_batches

    if isinstance(job, str):
        from sinch_wrapper import cluster
        from sinch_wrapper.cli._cluster_status import show_cluster

        with library_errors():
            show_cluster(lambda: cluster.status(job, lease=lease), as_json=as_json, watch=watch)
        return
    if watch:
        raise click.UsageError(
            "--watch needs the address of a database; for JOB: bulk report --watch."
        )
    with client(region, sandbox, only_reads=True) as sinch:
        code = show_batches(sinch.bulk.status(job), as_json=as_json)
    leave(code)


@click.command(
    short_help="Cancel what is left of a job.", epilog=examples("bulk cancel spring.csv.db")
)
@job_argument
@connection_options
@poll_option
@as_json
def cancel(
    job: JobPlace, region: str | None, sandbox: str | None, poll_for: float, as_json: bool
) -> None:
    """Cancel what is left of JOB, and show what was really cancelled."""
    from sinch_wrapper.cli._bulk_views import show_cancellation

    with client(region, sandbox) as sinch:
        take_from_workers(job)
        done = sinch.bulk.cancel(job, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))


@click.command(
    "cancel-batches",
    short_help="Cancel scheduled batches of any job.",
    epilog=examples(
        "bulk cancel-batches BATCH_ID",
        "bulk cancel-batches --metadata campaign=spring",
    ),
)
@click.argument("batch_ids", nargs=-1, metavar="[BATCH_ID]...")
@click.option("--metadata", metavar="KEY=VALUE", help="All batches with this batch metadata.")
@connection_options
@poll_option
@as_json
def cancel_batches(
    batch_ids: tuple[str, ...],
    metadata: str | None,
    region: str | None,
    sandbox: str | None,
    poll_for: float,
    as_json: bool,
) -> None:
    """Cancel scheduled batches of any job, by id or by batch metadata."""
    from sinch_wrapper.cli._bulk_views import show_cancellation

    if not batch_ids and metadata is None:
        raise click.UsageError("give batch ids or --metadata.")
    texts = () if metadata is None else (metadata,)
    pair = next(iter(pairs("--metadata", "KEY=VALUE", texts).items()), None)
    with client(region, sandbox) as sinch:
        done = sinch.bulk.cancel_batches(*batch_ids, metadata=pair, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))


@click.command(
    "probe",
    short_help="Measure how look-ups list what was accepted.",
    epilog=examples("bulk probe --app APP --to +46700000001"),
)
@app_option
@click.option("--to", required=True, metavar="NUMBER", help="A number of your own, for SMS.")
@click.option(
    "--count", type=click.IntRange(1, 200), default=5, show_default=True, help="Messages to send."
)
@click.option(
    "--patience",
    type=click.FloatRange(0),
    default=120.0,
    show_default=True,
    help="How long to look for them (seconds).",
)
@connection_options
@yes_option
@as_json
def probe_account(
    app: str,
    to: str,
    count: int,
    patience: float,
    region: str | None,
    sandbox: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure how look-ups list what was accepted: sends a few messages to a number of yours."""
    from sinch_wrapper import Recipient
    from sinch_wrapper.cli._bulk_views import may_probe, show_probe

    if not may_probe(count, yes=yes):
        return
    with client(region, sandbox) as sinch:
        recipient = Recipient.sms(to)
        found = sinch.bulk.probe(app_id=app, recipient=recipient, count=count, patience=patience)
    leave(show_probe(found, as_json=as_json))
