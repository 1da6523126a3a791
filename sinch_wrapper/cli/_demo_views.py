"""How the demo shows itself: on a terminal, as plain lines, or not at all."""

import sys
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from sinch_wrapper.cli._demo_data import DemoResult
from sinch_wrapper.cli._exit_codes import acts
from sinch_wrapper.cli._terminal import say

_WHY = {
    "failed: BAD_REQUEST": "unknown contact: reported by callback",
    "failed: RECIPIENT_NOT_REACHABLE": "unreachable number: reported by callback",
    "invalid": "no name for the placeholder: found before anything was sent",
    "duplicate": "same number as another row: not sent twice",
}


class View(Protocol):
    """Where the demo shows what it does."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def note(self, line: str) -> None:
        """Show a step."""

    def progress(self, accepted: int, settled: int, total: int) -> None:
        """Show how many of *total* recipients were accepted, and how many are *settled*."""

    def result(self, result: DemoResult) -> None:
        """Show how it ended."""


class SilentView:
    """Shows nothing: for `--json`, and the base of the other views."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def note(self, line: str) -> None:
        """Ignore the step."""

    def progress(self, accepted: int, settled: int, total: int) -> None:
        """Ignore the progress."""

    def result(self, result: DemoResult) -> None:
        """Ignore the result."""


class PlainView(SilentView):
    """Lines of text, for files and pipes."""

    def note(self, line: str) -> None:
        """Print a line."""
        say(line)

    def result(self, result: DemoResult) -> None:
        """Print the counts, one per line."""
        for label, count, _ in rows(result):
            say(f"{label}: {count}")
        say(closing(result))
        if result.page:
            say(f"The report of the job: {result.page}")


class TerminalView(SilentView):
    """Progress bars and a table."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._bars = Progress(
            TextColumn("  {task.description:<13}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            console=self._console,
        )
        self._accepted = self._bars.add_task("accepted", visible=False)
        self._settled = self._bars.add_task("accounted for", visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def note(self, line: str) -> None:
        """Print a step above the bars."""
        mark = "*" if self._console.options.ascii_only else "✓"
        self._console.print(f"[green]{mark}[/] {line}")

    def progress(self, accepted: int, settled: int, total: int) -> None:
        """Move the bars."""
        self._bars.update(self._accepted, completed=accepted, total=total, visible=True)
        self._bars.update(self._settled, completed=settled, total=total, visible=True)

    def result(self, result: DemoResult) -> None:
        """Print the table."""
        self._bars.stop()
        table = Table(title="What became of each recipient", title_justify="left")
        table.add_column("outcome")
        table.add_column("recipients", justify="right")
        table.add_column("why", style="dim")
        shown = rows(result)
        for number, (label, count, why) in enumerate(shown, 1):
            table.add_row(label, f"{count:,}", why, end_section=number == len(shown) - 1)
        self._console.print()
        self._console.print(table)
        self._console.print(closing(result))
        if result.page:
            self._console.print(f"The report of the job: {escape(result.page)}", soft_wrap=True)


def view_for(*, as_json: bool) -> View:
    """The view that suits the output."""
    acts()
    acts()
    if as_json:
        return SilentView()
    return TerminalView() if sys.stdout.isatty() else PlainView()


def rows(result: DemoResult) -> list[tuple[str, int, str]]:
    """The rows of the table: outcome, count, explanation; the total comes last."""
    ends = sorted(result.summary.ends.items(), key=lambda end: -end[1])
    return [
        *((outcome, count, _WHY.get(outcome, "")) for outcome, count in ends),
        ("total", result.summary.total, ""),
    ]


def closing(result: DemoResult) -> str:
    """The last line: the first message, and what the demo went through."""
    return (
        f"The first message: {result.first_status.lower()}. "
        f"{result.callbacks:,} signed callbacks verified, "
        f"{result.faults} faults overcome, in {result.seconds:.1f} s."
    )
