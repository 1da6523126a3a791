"""How the bulk commands show themselves: progress, reports, exit codes."""

import dataclasses
import json
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk import (
    BulkInterruptedError,
    BulkStoppedError,
    Cancellation,
    Progress,
    Report,
)
from sinch_wrapper.cli._options import path_text

# What may be a phone number in the words of the server.
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")
_OK, _FAILED, _UNKNOWN, _INTERRUPTED = 0, 1, 3, 130


def run_job(send: Callable[..., Report], job: Path, *, as_json: bool) -> int:
    """Run *send*, which Ctrl-C stops gently, and show what became of it; returns the exit code."""
    with _stopping() as stop, _shown(silent=as_json) as progress:
        try:
            report = send(stop=stop, progress=progress)
        except BulkInterruptedError as error:
            click.echo(f"sinch-wrapper: {error}", err=True)
            return _INTERRUPTED
        except BulkStoppedError as error:
            if error.report is not None:
                show(error.report, as_json=as_json)
            hint = f"sinch-wrapper bulk resume {path_text(job)}"
            raise click.ClickException(f"{error} with {hint}") from error
    show(report, as_json=as_json)
    if not as_json and report.stopped:
        _show_way_on(report, job)
    if report.stopped == "stopped":
        return _INTERRUPTED
    if report.unknown:
        return _UNKNOWN
    return _FAILED if report.rejected or report.pending else _OK


def _show_way_on(report: Report, job: Path) -> None:
    if report.resumable:
        click.echo(f"Not done: {report.stopped}. Go on with")
        click.echo(f"  sinch-wrapper bulk resume {path_text(job)}")
    else:
        click.echo("What is unknown cannot be looked up, so it is never sent again.")


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; the second SIGINT interrupts at once."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(*, silent: bool) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if silent or not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TextColumn("{task.fields[left]}"), console=console) as bars:
        task = bars.add_task("accepted", total=None, left="")

        def update(now: Progress) -> None:
            left = "" if now.eta is None else f"about {_span(now.eta)} left"
            bars.update(task, total=now.total, completed=now.settled, left=left)

        yield update


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def show(report: Report, *, as_json: bool) -> None:
    """Print the counts of a job."""
    names = ("total", "accepted", "rejected", "unknown", "pending", "invalid", "duplicates")
    counts = {name: getattr(report, name) for name in names}
    if as_json:
        more = {
            "job": report.job,
            "parent": report.parent,
            "stopped": report.stopped,
            "by_state": report.by_state,
            "reasons": report.reasons,
            "warnings": report.warnings,
        }
        click.echo(json.dumps(counts | more))
        return
    for warning in report.warnings:
        click.echo(f"Note: {warning}.", err=True)
    click.echo(f"{counted(report.total, 'recipient')}: {_listed(counts)}")
    click.echo("Now: " + _listed({str(state): many for state, many in report.by_state.items()}))
    if report.reasons:
        click.echo("Reasons: " + _listed(dict(report.reasons)))
    if first := next(report.recipients("rejected"), None) if report.rejected else None:
        column = f", {first.column}" if first.column else ""
        said = _NUMBER.sub("<number>", first.detail)
        click.echo(f"The first rejected is on line {first.line}{column}: {said}")


def _listed(counts: dict[str, int]) -> str:
    found = [
        counted(many, "duplicate") if name.startswith("duplicate") else f"{many} {name}"
        for name, many in counts.items()
        if many and name != "total"
    ]
    return ", ".join(found) or "none"


def show_recipients(report: Report, states: tuple[str, ...]) -> None:
    """Print a line of JSON for each recipient; raises ValueError for an unknown state."""
    for result in report.recipients(*states):
        click.echo(json.dumps(dataclasses.asdict(result), ensure_ascii=False))


def show_batches(report: Report, *, as_json: bool) -> None:
    """Print the batches of a job, as JSON lines, or how many have which status."""
    if as_json:
        for batch in report.batches():
            click.echo(json.dumps(dataclasses.asdict(batch)))
        return
    statuses = Counter(batch.status or batch.state for batch in report.batches())
    click.echo(f"{counted(statuses.total(), 'batch')}: " + _listed(dict(statuses)))


def show_cancellation(done: Cancellation, *, as_json: bool) -> int:
    """Print what was really cancelled; returns the exit code."""
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(done)))
    else:
        gone = f"{counted(len(done.cancelled), 'batch')} cancelled"
        if done.recipients:
            gone += f" ({counted(done.recipients, 'recipient')})"
        late, unknown = counted(len(done.too_late), "batch"), counted(len(done.unknown), "batch")
        click.echo(f"{gone}. Too late: {late}. Unknown: {unknown}.")
        if done.never_sent:
            click.echo(f"Taken back before it left: {counted(done.never_sent, 'recipient')}.")
    if done.unknown:
        return _UNKNOWN
    return _FAILED if done.too_late else _OK
