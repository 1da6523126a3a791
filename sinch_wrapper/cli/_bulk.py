"""The commands that send in bulk: send, resume, retry-failed; and the group of them all."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._options import (
    as_json,
    client,
    connection_options,
    job_argument,
    late_option,
    leave,
    pairs,
    poll_option,
    read_json,
    sending_options,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command()
@job_argument
@click.option("--recipients", is_flag=True, help="One line of JSON for each recipient.")
@click.option("--state", "states", multiple=True, help="Only these: failed, pending, invalid, ...")
@as_json
def report(job: Path, recipients: bool, states: tuple[str, ...], as_json: bool) -> None:
    """Say what became of JOB, from its file alone."""
    from sinch_wrapper.bulk import Report
    from sinch_wrapper.cli._bulk_views import show, show_recipients

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
    from sinch_wrapper.cli._bulk_views import show_batches

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
    from sinch_wrapper.cli._bulk_views import show_cancellation

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
    from sinch_wrapper.cli._bulk_views import show_cancellation

    if not batch_ids and metadata is None:
        raise click.UsageError("give batch ids or --metadata.")
    found = list(pairs("--metadata", () if metadata is None else (metadata,)).items())
    with client(region, sandbox) as sinch:
        pair = found[0] if found else None
        done = Bulk(sinch).cancel_batches(*batch_ids, metadata=pair, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))


@click.group()
def bulk() -> None:
    """Send to any number of recipients, and account for each.

    A job lives in a file, its journal: it survives crashes, is resumed from there, and says what
    became of every recipient.
    """


@bulk.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@connection_options
@click.option("--app", required=True, help="The id of the app that sends.")
@click.option("--text", "words", help="The text, with ${name} for the column name.")
@click.option("--message", metavar="JSON", help="Any message: JSON, @file or @- for stdin.")
@click.option(
    "--job", type=click.Path(path_type=Path), help="The journal.  [default: FILE with .db added]"
)
@click.option("--key", help="The column of your own key.  [default: the line number]")
@click.option(
    "--to",
    multiple=True,
    metavar="COLUMN=CHANNEL",
    help="Where to send, in order of preference.  [default: phone=SMS]",
)
@click.option("--parameter", multiple=True, metavar="NAME=COLUMN", help="Where the names differ.")
@click.option("--metadata", multiple=True, metavar="KEY=COLUMN", help="Message metadata.")
@click.option("--send-after", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="With offset.")
@click.option("--api", type=click.Choice(["v1", "v1beta"]), default="v1", show_default=True)
@click.option(
    "--on-invalid", type=click.Choice(["stop", "skip"]), default="stop", show_default=True
)
@click.option(
    "--on-duplicate", type=click.Choice(["stop", "skip", "send"]), default="skip", show_default=True
)
@click.option("--chunk-size", type=click.IntRange(1, 1000), default=1000, show_default=True)
@late_option
@sending_options
@as_json
def send(
    source: Path,
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send one message to every recipient in FILE (CSV, JSON lines, Parquet).

    The whole file is checked first. Called again with the same FILE it goes on where it was.
    """
    from sinch_wrapper.bulk import Bulk, Columns
    from sinch_wrapper.cli._bulk_views import run_job

    columns = Columns(
        to=pairs("--to", given["to"]),
        key=given["key"],
        parameters=pairs("--parameter", given["parameter"]),
        message_metadata=pairs("--metadata", given["metadata"]),
    )
    names = ("send_after", "api", "on_invalid", "on_duplicate", "chunk_size")
    options = {name: given[name] for name in names} | split(given)
    message = _message(given["words"], given["message"])
    job = given["job"] or source.with_name(f"{source.name}.db")
    with client(region, sandbox) as sinch:
        code = run_job(
            lambda **live: Bulk(sinch).send(
                app_id=given["app"],
                message=message,
                recipients=source,
                job=job,
                columns=columns,
                **options,
                **live,
            ),
            job,
            as_json=as_json,
        )
    leave(code)


def _message(words: str | None, message: str | None) -> "Mapping[str, object]":
    from sinch_wrapper import text

    if (words is None) == (message is None):
        raise click.UsageError("give either --text or --message.")
    if words is not None:
        try:
            return text(words)
        except ValueError as error:
            raise click.UsageError(f"{error}.") from error
    found = read_json(str(message), "--message")
    if not isinstance(found, dict):
        raise click.UsageError("--message must be a JSON object.")
    return found


@bulk.command()
@job_argument
@connection_options
@late_option
@sending_options
@as_json
def resume(job: Path, region: str | None, sandbox: str | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401 (the options above, as click passes them)
    """Go on with JOB after a crash, a stop or a deadline; its input is not needed."""
    from sinch_wrapper.bulk import Bulk
    from sinch_wrapper.cli._bulk_views import run_job

    with client(region, sandbox) as sinch:
        code = run_job(
            lambda **live: Bulk(sinch).resume(job, **split(given), **live), job, as_json=as_json
        )
    leave(code)


@bulk.command("retry-failed")
@job_argument
@click.argument("new_job", type=click.Path(path_type=Path))
@click.option(
    "--reason", "reasons", multiple=True, required=True, help="Such as RECIPIENT_NOT_REACHABLE."
)
@connection_options
@sending_options
@as_json
def retry_failed(  # noqa: PLR0913, PLR0917 (click passes each option as an argument)
    job: Path,
    new_job: Path,
    reasons: tuple[str, ...],
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send again, as NEW_JOB, to the recipients of JOB that failed for a --reason."""
    from sinch_wrapper.bulk import Bulk
    from sinch_wrapper.cli._bulk_views import run_job

    with client(region, sandbox) as sinch:
        code = run_job(
            lambda **live: Bulk(sinch).retry_failed(
                job, new_job=new_job, reasons=reasons, **split(given), **live
            ),
            new_job,
            as_json=as_json,
        )
    leave(code)


for _command in (status, cancel, cancel_batches, report):
    bulk.add_command(_command)
