"""The group of bulk commands, and those that send: send, resume, send-again, retry-failed."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

from pathlib import Path
from typing import Any

import click

from sinch_wrapper.cli._bulk_check import check, send_test
from sinch_wrapper.cli._bulk_cluster import by_workers, cluster_options, sender_of, work
from sinch_wrapper.cli._bulk_jobs import cancel, cancel_batches, probe_account, status
from sinch_wrapper.cli._bulk_list import init, list_
from sinch_wrapper.cli._bulk_options import (
    go_on_option,
    job_argument,
    late_option,
    sending_arguments,
    sending_options,
)
from sinch_wrapper.cli._bulk_report import report
from sinch_wrapper.cli._campaign_options import campaign_arguments, campaign_options
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import leave
from sinch_wrapper.cli._inputs import message_of, message_options, say_lookalikes
from sinch_wrapper.cli._list_options import (
    invalid_option,
    journal_beside,
    list_arguments,
    list_options,
    recipients_of,
)
from sinch_wrapper.cli._options import (
    app_option,
    as_json,
    client,
    connection_options,
    library_errors,
    yes_option,
)
from sinch_wrapper.cli._places import JOB, JobPlace
from sinch_wrapper.cli._preview_options import preview_arguments, preview_options
from sinch_wrapper.cli._terminal import say


@click.group(
    epilog=examples(
        'bulk check spring.csv --text "Hi ${name}"',
        'bulk send spring.csv --app APP --text "Hi ${name}"',
    )
)
def bulk() -> None:
    """Send to any number of recipients, and account for each.

    A job lives in its journal, a file or the address of one in PostgreSQL: it survives crashes, can
    be resumed from its journal, and knows what happened to every recipient.
    """


@bulk.command(
    short_help="Send one message to every recipient in a file.",
    epilog=examples(
        'bulk send spring.csv --app APP --text "Hi ${name}"',
        "bulk send spring.csv --app APP --text @spring.txt --to phone=WHATSAPP --to phone=SMS",
        "bulk send spring.csv --app APP --text @spring.txt --window 09:00-20:00 --pilot 500",
    ),
)
@app_option
@message_options
@list_options
@invalid_option
@campaign_options
@preview_options
@yes_option
@connection_options
@click.option(
    "--job",
    type=JOB,
    help="Journal of the job: a file, or its address in PostgreSQL.  [default: FILE with .db "
    "added]",
)
@click.option(
    "--api",
    type=click.Choice(["v1", "v1beta"]),
    default="v1",
    show_default=True,
    help="Version of the Batch API to send with; v1beta ends on 2026-12-16.",
)
@late_option
@sending_options
@cluster_options
@as_json
def send(
    source: Path,
    region: str | None,
    sandbox: str | None,
    yes: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send one message to every recipient in FILE: CSV, JSON lines, Parquet, Excel, or - for stdin.

    The whole file is checked first, and a person at the terminal is asked before a new job begins.
    The same command with the same FILE resumes the job.
    """
    from sinch_wrapper.cli._bulk_views import run_job

    options = list_arguments(given) | campaign_arguments(given) | preview_arguments(given)
    options |= sending_arguments(given) | {name: given[name] for name in ("api", "on_invalid")}
    message = message_of(given["words"], given["message"])
    options |= {"app_id": given["app"], "message": message}
    _say_when_it_ends(given["api"])
    say_lookalikes(message)
    recipients = recipients_of(source)
    job = given["job"] or journal_beside(source)
    with client(region, sandbox) as sinch:
        call = sender_of(sinch, "send", given)
        code = run_job(
            lambda **live: call(recipients=recipients, job=job, **options, **live),
            job,
            as_json=as_json,
            asks=not yes,
            workers=by_workers(given),
        )
    leave(code)


def _say_when_it_ends(api: str) -> None:
    if api == "v1beta":
        say("v1beta ends on 2026-12-16: send with --api v1", err=True)


@bulk.command(
    short_help="Resume a job after a crash, a stop or a deadline.",
    epilog=examples("bulk resume spring.csv.db"),
)
@job_argument
@connection_options
@late_option
@go_on_option
@sending_options
@cluster_options
@as_json
def resume(
    job: JobPlace,
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Resume JOB after a crash, a stop or a deadline; its input is not needed."""
    from sinch_wrapper.cli._bulk_views import run_job

    options = sending_arguments(given)
    with client(region, sandbox) as sinch:
        call = sender_of(sinch, "resume", given)
        code = run_job(
            lambda **live: call(job, **options, **live),
            job,
            as_json=as_json,
            workers=by_workers(given),
        )
    leave(code)


@bulk.command(
    "send-again",
    short_help="Send what is unknown again, on your word.",
    epilog=examples("bulk send-again spring.csv.db"),
)
@job_argument
@yes_option
@connection_options
@late_option
@sending_options
@as_json
def send_again(
    job: JobPlace,
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
    with client(region, sandbox) as sinch:
        code = run_job(
            lambda **live: sinch.bulk.send_again(job, **options, **live), job, as_json=as_json
        )
    leave(code)


@bulk.command(
    "retry-failed",
    short_help="Send again to the recipients that failed.",
    epilog=examples("bulk retry-failed spring.csv.db again.db --reason RECIPIENT_NOT_REACHABLE"),
)
@job_argument
@click.argument("new_job", type=JOB)
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
    job: JobPlace,
    new_job: JobPlace,
    reasons: tuple[str, ...],
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send again, as NEW_JOB, to the recipients of JOB that failed for a --reason."""
    from sinch_wrapper.cli._bulk_views import run_job

    options = sending_arguments(given)
    with client(region, sandbox) as sinch:
        code = run_job(
            lambda **live: sinch.bulk.retry_failed(
                job, new_job=new_job, reasons=reasons, **options, **live
            ),
            new_job,
            as_json=as_json,
        )
    leave(code)


for _command in (
    *(check, send_test, status, cancel, cancel_batches, report, probe_account, work),
    *(init, list_),
):
    bulk.add_command(_command)
