"""The command `bulk report`: on the screen, as a page, as a table, and again and again."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sinch_wrapper.cli._bulk_options import job_argument
from sinch_wrapper.cli._options import as_json, library_errors, path_text
from sinch_wrapper.cli._terminal import say

if TYPE_CHECKING:
    from sinch_wrapper.bulk import Report

_FILE = click.Path(path_type=Path, dir_okay=False)


_EXAMPLES = """\b
Examples:
  sinch-wrapper bulk report spring.csv.db
  sinch-wrapper bulk report spring.csv.db --html report.html
  sinch-wrapper bulk report spring.csv.db --csv out.csv --input spring.csv
  sinch-wrapper bulk report spring.csv.db --watch
"""


@click.command(epilog=_EXAMPLES)
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
@click.option("--show-numbers", is_flag=True, help="With --html and --csv: phone numbers unmasked.")
@click.option("--watch", is_flag=True, help="Show the counts until all have a final state.")
@click.option("--recipients", is_flag=True, help="Print one JSON line per recipient.")
@click.option(
    "--state",
    "states",
    multiple=True,
    help="With --recipients: only those in this state, such as failed or pending. Repeatable.",
)
@as_json
def report(
    job: Path,
    html: Path | None,
    csv: Path | None,
    source: Path | None,
    show_numbers: bool,
    watch: bool,
    recipients: bool,
    states: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what happened to the recipients of JOB, from its file alone."""
    from sinch_wrapper.bulk import RecipientState, Report
    from sinch_wrapper.cli._bulk_views import show, show_recipients

    _check(html or csv, csv, source, show_numbers=show_numbers, watch=watch, other=recipients)
    if states and not recipients:
        raise click.UsageError("--state goes with --recipients.")
    if not set(states) <= set(RecipientState):
        raise click.UsageError(f"--state must be one of {', '.join(RecipientState)}.")
    with library_errors():
        found = Report(job)
        _write(found, html, csv, source, show_numbers=show_numbers)
        if watch:
            from sinch_wrapper.cli._bulk_watch import watch_job

            watch_job(found)
        elif recipients:
            show_recipients(found, states)
        elif as_json or not (html or csv):
            show(found, as_json=as_json)


def _check(
    file: Path | None,
    csv: Path | None,
    source: Path | None,
    *,
    show_numbers: bool,
    watch: bool,
    other: bool,
) -> None:
    if source and not csv:
        raise click.UsageError("--input goes with --csv.")
    if show_numbers and not file:
        raise click.UsageError("--show-numbers goes with --html or --csv.")
    if watch and (file or other):
        raise click.UsageError("--watch goes alone.")


def _write(
    found: "Report", html: Path | None, csv: Path | None, source: Path | None, *, show_numbers: bool
) -> None:
    if html:
        done = found.write_html(html, numbers=show_numbers)
        say(f"Page: {path_text(done)}", err=True)
    if csv:
        done = found.write_csv(csv, source=source, numbers=show_numbers)
        say(f"Table: {path_text(done)}", err=True)
