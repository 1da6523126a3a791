"""How far a job is: two lines that change on a terminal, or one line per minute without one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from sinch_wrapper.bulk import JobStage, Progress
from sinch_wrapper.cli._terminal import say

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

_MINUTE = 60.0


class ProgressView:
    """Shows how far a job is; *to_deliver* is what the last step said, in seconds."""

    to_deliver = 0.0

    def __call__(self, step: Progress) -> None:
        """Show *step*."""
        self.to_deliver = step.to_deliver or 0.0
        self.show(step)

    def show(self, step: Progress) -> None:
        """Show nothing."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing while something else is asked or shown."""
        yield


@contextmanager
def progress_view(*, silent: bool) -> Iterator[ProgressView]:
    """What shows progress on stderr: nothing when *silent*."""
    from rich.console import Console

    console = Console(stderr=True)
    if silent:
        yield ProgressView()
    elif console.is_terminal:
        with _Live(console) as view:
            yield view
    else:
        yield MinuteLines()


class MinuteLines(ProgressView):
    """Says once per minute how far a job is; *clock* gives monotonic seconds."""

    def __init__(
        self,
        say: Callable[[str], None] = lambda line: say(line, err=True),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._clock = clock
        self._next = clock() + _MINUTE

    def show(self, step: Progress) -> None:
        """Say how far *step* is when a minute has passed."""
        if self._clock() >= self._next:
            self._next = self._clock() + _MINUTE
            self._say(f"{step.stage}: {', '.join((counts(step), *details(step)))}")


class _Live(ProgressView):
    """A bar and a line below it, on a terminal."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        words = TextColumn("{task.fields[words]}", markup=False)
        self._bars = Bars(TextColumn("{task.description}"), BarColumn(None), words, expand=True)
        self._task = self._bars.add_task("reading", total=None, words="")
        self._below = ""
        self._console = console
        self._live = self._begun()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def _begun(self) -> "Live":
        from rich.live import Live

        # One that goes on after a pause would clear the lines above it.
        live = Live(console=self._console, get_renderable=self._drawn, transient=True)
        live.start()
        return live

    def show(self, step: Progress) -> None:
        """Draw how far *step* is."""
        is_reading = step.stage in {JobStage.READING, JobStage.CHECKING}
        self._bars.update(
            self._task,
            description=str(step.stage),
            total=None if is_reading else step.total,
            completed=step.settled,
            words=counts(step),
        )
        self._below = ", ".join(details(step))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Clear the two lines, and draw them again afterwards."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._begun()

    def _drawn(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        return Group(self._bars, Text(self._below, no_wrap=True, overflow="ellipsis"))


def counts(step: Progress) -> str:
    """How many recipients are through, of how many."""
    if step.stage in {JobStage.READING, JobStage.CHECKING}:
        return f"{step.total} rows"
    return f"{step.settled} of {step.total}"


def details(step: Progress) -> Iterator[str]:
    """The rate, the time so far, and the times that are left, as far as they are known."""
    if step.rate:
        yield f"{step.rate:.0f}/s" if step.rate >= 1 else f"{step.rate * 60:.0f}/min"
    yield f"{span(step.elapsed)} so far"
    if step.eta:
        yield f"accepted in {span(step.eta)}"
    if step.to_deliver:
        yield f"delivered in {span(step.to_deliver)}"


def span(seconds: float) -> str:
    """A number of seconds in words: `37 s`, `42 min`, `14 h`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
