"""The commands about bulk jobs: send, resume, send-again, retry-failed, status, cancel, report."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._exit_codes import leave
from sinch_wrapper.cli._inputs import message_of
from sinch_wrapper.cli._options import (
    as_json,
    client,
    connection_options,
    job_argument,
    late_option,
    library_errors,
    pairs,
    poll_option,
    sending_arguments,
    sending_options,
    yes_option,
)
from sinch_wrapper.cli._terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sinch_wrapper.bulk import Columns


@click.group()
def bulk() -> None:
    """Send to any number of recipients, and account for each.

    A job lives in a file, its journal. A job survives crashes, can be resumed from its file, and
    knows what happened to every recipient.
    """


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


@bulk.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@connection_options
@click.option("--app", required=True, help="Id of the app that sends.")
@click.option(
    "--text",
    "words",
    help="Text, with ${name} where the value of column name goes; or @FILE, or @- for stdin, which "
    "no list of processes shows. @@ stands for @ at its beginning.",
)
@click.option("--message", metavar="JSON", help="Any message: JSON, @FILE, or @- for stdin.")
@click.option(
    "--job",
    type=click.Path(path_type=Path),
    help="Journal of the job.  [default: FILE with .db added]",
)
@click.option("--key", help="Column holding your own record id.  [default: the line number]")
@click.option(
    "--to",
    multiple=True,
    metavar="COLUMN=CHANNEL",
    help="Where to send, in order of preference. Repeatable.  [default: phone=SMS]",
)
@click.option(
    "--parameter",
    multiple=True,
    metavar="NAME=COLUMN",
    help="Map placeholder NAME to COLUMN when they differ. Repeatable.",
)
@click.option(
    "--metadata",
    multiple=True,
    metavar="KEY=COLUMN",
    help="Put COLUMN in the metadata of each message as KEY. Repeatable.",
)
@click.option(
    "--send-after",
    metavar="TIME",
    callback=_send_time,
    help="When to send, with an offset, such as 2026-12-01T09:00:00+01:00.  [default: now]",
)
@click.option(
    "--api",
    type=click.Choice(["v1", "v1beta"]),
    default="v1",
    show_default=True,
    help="Version of the Batch API to send with; v1beta ends on 2026-12-16.",
)
@click.option(
    "--on-invalid",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do when a row cannot be sent.",
)
@click.option(
    "--on-duplicate",
    type=click.Choice(["stop", "skip", "send"]),
    default="skip",
    show_default=True,
    help="What to do when two rows name the same recipient.",
)
@click.option(
    "--chunk-size",
    type=click.IntRange(1, 1000),
    default=1000,
    show_default=True,
    help="Recipients per request.",
)
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

    The whole file is checked first. The same command with the same FILE resumes the job.
    """
    from sinch_wrapper.cli._bulk_views import run_job

    names = ("send_after", "api", "on_invalid", "on_duplicate", "chunk_size")
    options = {name: given[name] for name in names} | sending_arguments(given)
    _say_when_it_ends(given["api"])
    columns, message = _columns(given), message_of(given["words"], given["message"])
    job = given["job"] or _beside(source)
    with client(region, sandbox) as sinch, library_errors():
        code = run_job(
            lambda **live: sinch.bulk.send(
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


def _say_when_it_ends(api: str) -> None:
    if api == "v1beta":
        say("v1beta ends on 2026-12-16: send with --api v1", err=True)


def _columns(given: "Mapping[str, Any]") -> "Columns":
    from sinch_wrapper.bulk import Columns

    with library_errors():
        return Columns(
            to=pairs("--to", "COLUMN=CHANNEL", given["to"]),
            key=given["key"],
            parameters=pairs("--parameter", "NAME=COLUMN", given["parameter"]),
            message_metadata=pairs("--metadata", "KEY=COLUMN", given["metadata"]),
        )


def _beside(source: Path) -> Path:
    if not source.name:
        raise click.UsageError("FILE must be a file.")
    return source.with_name(f"{source.name}.db")


@bulk.command()
@job_argument
@connection_options
@late_option
@sending_options
@as_json
def resume(job: Path, region: str | None, sandbox: str | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401 (the options above, as click passes them)
    """Resume JOB after a crash, a stop or a deadline; its input is not needed."""
    from sinch_wrapper.cli._bulk_views import run_job

    options = sending_arguments(given)
    with client(region, sandbox) as sinch, library_errors():
        code = run_job(
            lambda **live: sinch.bulk.resume(job, **options, **live), job, as_json=as_json
        )
    leave(code)


@bulk.command("send-again")
@job_argument
@yes_option
@connection_options
@late_option
@sending_options
@as_json
def send_again(
    job: Path,
    yes: bool,
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send what is unknown in JOB again, on your word: it may have been accepted before.

    Shows what is known, asks, looks once more, and sends what is not found. Then JOB is resumed.
    """
    from sinch_wrapper.bulk import Report
    from sinch_wrapper.cli._bulk_views import may_send_again, run_job

    options = sending_arguments(given)
    with library_errors():
        report = Report(job)
    if not may_send_again(report, yes=yes):
        return
    with client(region, sandbox) as sinch, library_errors():
        code = run_job(
            lambda **live: sinch.bulk.send_again(job, **options, **live), job, as_json=as_json
        )
    leave(code)


@bulk.command("probe")
@click.option("--app", required=True, help="Id of the app that sends.")
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
    from sinch_wrapper.bulk import probe
    from sinch_wrapper.cli._bulk_views import may_probe, show_probe

    if not may_probe(count, yes=yes):
        return
    with client(region, sandbox) as sinch, library_errors():
        recipient = Recipient.sms(to)
        found = probe(sinch, app_id=app, recipient=recipient, count=count, patience=patience)
    leave(show_probe(found, as_json=as_json))


@bulk.command("retry-failed")
@job_argument
@click.argument("new_job", type=click.Path(path_type=Path))
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    required=True,
    help="Reason code of the failure, such as RECIPIENT_NOT_REACHABLE. Repeatable.",
)
@connection_options
@sending_options
@as_json
def retry_failed(
    job: Path,
    new_job: Path,
    reasons: tuple[str, ...],
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send again, as NEW_JOB, to the recipients of JOB that failed for a --reason."""
    from sinch_wrapper.cli._bulk_views import run_job

    options = sending_arguments(given)
    with client(region, sandbox) as sinch, library_errors():
        code = run_job(
            lambda **live: sinch.bulk.retry_failed(
                job, new_job=new_job, reasons=reasons, **options, **live
            ),
            new_job,
            as_json=as_json,
        )
    leave(code)


@bulk.command()
@job_argument
@connection_options
@as_json
def status(job: Path, region: str | None, sandbox: str | None, as_json: bool) -> None:
    """Ask the API for the status of each batch of JOB."""
    from sinch_wrapper.cli._bulk_views import show_batches

    with client(region, sandbox, only_reads=True) as sinch, library_errors():
        show_batches(sinch.bulk.status(job), as_json=as_json)


@bulk.command()
@job_argument
@connection_options
@poll_option
@as_json
def cancel(
    job: Path, region: str | None, sandbox: str | None, poll_for: float, as_json: bool
) -> None:
    """Cancel what is left of JOB, and show what was really cancelled."""
    from sinch_wrapper.cli._bulk_views import show_cancellation

    with client(region, sandbox) as sinch, library_errors():
        done = sinch.bulk.cancel(job, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))


@bulk.command("cancel-batches")
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
    with client(region, sandbox) as sinch, library_errors():
        done = sinch.bulk.cancel_batches(*batch_ids, metadata=pair, poll_for=poll_for)
    leave(show_cancellation(done, as_json=as_json))


@bulk.command()
@job_argument
@click.option("--recipients", is_flag=True, help="Print one JSON line per recipient.")
@click.option(
    "--state",
    "states",
    multiple=True,
    help="With --recipients: only those in this state, such as failed or pending. Repeatable.",
)
@as_json
def report(job: Path, recipients: bool, states: tuple[str, ...], as_json: bool) -> None:
    """Show what happened to the recipients of JOB, from its file alone."""
    from sinch_wrapper.bulk import RecipientState, Report
    from sinch_wrapper.cli._bulk_views import show, show_recipients

    if states and not recipients:
        raise click.UsageError("--state goes with --recipients.")
    if not set(states) <= set(RecipientState):
        raise click.UsageError(f"--state must be one of {', '.join(RecipientState)}.")
    with library_errors():
        found = Report(job)
    if recipients:
        show_recipients(found, states)
    else:
        show(found, as_json=as_json)
