"""The commands about where jobs are: init prepares a database, list shows what there is."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import acts
from sinch_wrapper.cli._options import as_json, library_errors
from sinch_wrapper.cli._terminal import say, say_json

if TYPE_CHECKING:
    from sinch_wrapper.bulk import JobEntry


@click.command(
    short_help="Prepare a database for jobs.", epilog=examples("bulk init postgresql://host/jobs")
)
@click.argument("url")
@as_json
def init(url: str, as_json: bool) -> None:
    """Prepare the PostgreSQL database at URL for jobs.

    URL is postgresql://user@host/database; the database must exist. Safe to run twice, and by
    several at once: what is there stays as it is.
    """
    from sinch_wrapper.cluster import prepare

    acts()
    with library_errors():
        is_new = prepare(url)
    if as_json:
        say_json({"prepared": True, "new": is_new})
        return
    say("prepared for jobs" if is_new else "it was prepared before: nothing to do")


@click.command(
    "list",
    short_help="List the jobs in a folder or a database.",
    epilog=examples("bulk list", "bulk list postgresql://host/jobs --json"),
)
@click.argument("place", default=".", metavar="[FOLDER | URL]")
@as_json
def list_(place: str, as_json: bool) -> None:
    """List the jobs in a folder, by default this one, or in the PostgreSQL database at URL.

    Shows for each its name, its state (reading, open, done, cancelled, or unreadable), when it was
    created, and its recipients by the state of their request.
    """
    from sinch_wrapper.bulk import list_jobs

    with library_errors():
        found = list_jobs(place)
    if as_json:
        say_json([_facts(each) for each in found], indent=2)
        return
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        say(f"{each.name:<{width}}  {each.state:<10}  {_time(each) or '-':<20}  {_counts(each)}")
    if not found:
        say("no jobs", err=True)


def _facts(entry: "JobEntry") -> dict[str, object]:
    return {
        "name": entry.name,
        "job": str(entry.job),
        "state": entry.state,
        "created": _time(entry),
        "outbox": entry.outbox,
        "recipients": entry.recipients,
        "problem": entry.problem,
    }


def _time(entry: "JobEntry") -> str | None:
    """When a job was created, as RFC 3339."""
    if entry.created is None:
        return None
    return datetime.fromtimestamp(entry.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counts(entry: "JobEntry") -> str:
    if entry.problem:
        return entry.problem
    return ", ".join(f"{many} {state}" for state, many in entry.recipients.items()) or "nobody"
