"""The command `bulk report`: on the screen, as a page, as a table, and again and again."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._bulk_options import job_argument
from sinch_wrapper.cli._completion import complete_state
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._options import as_json, library_errors
from sinch_wrapper.cli._places import JobPlace
from sinch_wrapper.cli._terminal import path_text, say

if TYPE_CHECKING:
    from sinch_wrapper.bulk import Report

_FILE = click.Path(path_type=Path, dir_okay=False)


_EXAMPLES = examples(
    "bulk report spring.csv.db",
    "bulk report spring.csv.db --html report.html",
    "bulk report spring.csv.db --csv out.csv --input spring.csv",
    "bulk report spring.csv.db --watch",
)


@click.command(short_help="Show what happened to the recipients of a job.", epilog=_EXAMPLES)
@job_argument
@click.option("--html", metavar="FILE", type=_FILE, help="Write a page that opens offline.")
@click.option("--csv", metavar="FILE", type=_FILE, help="Write every recipient with its outcome.")
@click.option(
    "--input",
    "source",
    metavar="FILE",
    type=_FILE,
    help="With --csv: the file of the job, whose columns come first.",
)
@click.option(
    "--prices",
    metavar="FILE",
    type=_FILE,
    help="With --html: a table of prices (prefix, price, perhaps channel), for the cost.",
)
@click.option("--show-numbers", is_flag=True, help="With --html and --csv: phone numbers unmasked.")
@click.option("--watch", is_flag=True, help="Show the counts until all have a final state.")
@click.option("--recipients", is_flag=True, help="Print one JSON line per recipient.")
@click.option(
    "--state",
    "states",
    multiple=True,
    shell_complete=complete_state,
    help="With --recipients: only those in this state. Repeatable. States: invalid, duplicate, "
    "suppressed, pending, unknown, rejected, cancelled, accepted, switching, queued, failed, "
    "delivered, read.",
)
@as_json
def report(
    job: JobPlace,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Show what happened to the recipients of JOB, from its file alone."""
    from sinch_wrapper.bulk import Report
    from sinch_wrapper.cli._bulk_views import show, show_recipients

    _check(given, as_json=as_json)
    with library_errors():
        found = Report(job)
        _write(found, given)
    if given["watch"]:
        from sinch_wrapper.cli._bulk_watch import watch_job

        with library_errors():
            watch_job(found)
    elif given["recipients"]:
        show_recipients(found, given["states"])
    elif as_json or not (given["html"] or given["csv"]):
        show(found, as_json=as_json)


def _check(given: Mapping[str, Any], *, as_json: bool) -> None:
    from sinch_wrapper.bulk import RecipientState

    file = given["html"] or given["csv"]
    if given["source"] and not given["csv"]:
        raise click.UsageError("--input goes with --csv.")
    if given["prices"] and not given["html"]:
        raise click.UsageError("--prices goes with --html.")
    if given["show_numbers"] and not file:
        raise click.UsageError("--show-numbers goes with --html or --csv.")
    if given["watch"] and (file or given["recipients"] or as_json):
        raise click.UsageError("--watch goes alone.")
    if given["states"] and not given["recipients"]:
        raise click.UsageError("--state goes with --recipients.")
    if not set(given["states"]) <= set(RecipientState):
        raise click.UsageError(f"--state must be one of {', '.join(RecipientState)}.")


def _write(found: "Report", given: Mapping[str, Any]) -> None:
    numbers = given["show_numbers"]
    if given["html"]:
        done = found.write_html(given["html"], numbers=numbers, prices=given["prices"])
        say(f"Page: {path_text(done)}", err=True)
    if given["csv"]:
        done = found.write_csv(given["csv"], source=given["source"], numbers=numbers)
        say(f"Table: {path_text(done)}", err=True)
