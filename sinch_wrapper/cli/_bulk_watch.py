"""A job's counts, again and again: a table on a terminal, lines without one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sinch_wrapper.bulk import RecipientState, Report
from sinch_wrapper.cli._terminal import say

if TYPE_CHECKING:
    from rich.table import Table

_TICK: Final = 1.0
# Seconds between lines without a terminal.
_QUIET: Final = 10.0
# States that time alone may change.
_OPEN: Final = (
    RecipientState.PENDING,
    RecipientState.UNKNOWN,
    RecipientState.ACCEPTED,
    RecipientState.QUEUED,
    RecipientState.SWITCHING,
)
_COLOURS: Final = {
    RecipientState.READ: "green",
    RecipientState.DELIVERED: "green",
    RecipientState.FAILED: "red",
    RecipientState.REJECTED: "red",
    RecipientState.INVALID: "red",
    RecipientState.UNKNOWN: "yellow",
}
_WIDTH: Final = 30

Show = Callable[[Report, float], None]


def watch_job(
    report: Report,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show *report* each second until every recipient has a final state, or Ctrl-C."""
    began = clock()
    try:
        with _view() as show:
            while True:
                show(report.refresh(), clock() - began)
                if not open_of(report):
                    return
                sleep(_TICK)
    except KeyboardInterrupt:
        say("Stopped watching; a job that is running goes on.", err=True)


def open_of(report: Report) -> int:
    """The recipients whose state may still change by itself."""
    return sum(report.by_state.get(state, 0) for state in _OPEN)


@contextmanager
def _view() -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if not console.is_terminal:
        yield Lines()
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda report, seconds: live.update(_table(report, seconds), refresh=True)


class Lines:
    """Prints a line when the counts have changed, at most every ten seconds, and the last ones."""

    def __init__(self) -> None:
        self._said = ""
        self._next = 0.0

    def __call__(self, report: Report, seconds: float) -> None:
        """Show the counts, *seconds* after the beginning."""
        counts = ", ".join(f"{many} {state}" for state, many in report.by_state.items())
        line = f"{report.total} recipients: {counts or 'none'}"
        if line != self._said and (seconds >= self._next or not open_of(report)):
            say(line)
            self._said, self._next = line, seconds + _QUIET


def _table(report: Report, seconds: float) -> "Table":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    everybody = sum(report.by_state.values())
    ended = everybody - open_of(report)
    minutes, rest = divmod(int(seconds), 60)
    caption = f"{ended:,} of {everybody:,} have ended; watched {minutes}:{rest:02d}; Ctrl-C ends"
    table = Table(title=f"Job {report.job}", title_justify="left", caption=caption)
    table.add_column("state")
    table.add_column("recipients", justify="right")
    table.add_column("share", width=_WIDTH)
    for state, many in report.by_state.items():
        colour = _COLOURS.get(state, "blue")
        bar = ProgressBar(
            everybody, many, width=_WIDTH, complete_style=colour, finished_style=colour
        )
        table.add_row(str(state), f"{many:,}", bar)
    return table
