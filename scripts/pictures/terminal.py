"""A command at a terminal, and what the terminal shows of it."""

from __future__ import annotations

import os
import select
import signal
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyte

COLUMNS: Final = 80
_ROWS: Final = 60
_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one look, beside each other; *colour* is a name of the terminal or a hex."""

    text: str
    colour: str = "default"
    bold: bool = False


Line = list[Run]


def taken(
    command: Sequence[str],
    environ: Mapping[str, str],
    wanted: Callable[[str], bool] | None = None,
) -> list[Line]:
    """Run *command* at a terminal of 80 columns, and return what that shows.

    That is at its end, or as soon as its text is *wanted*; the command is stopped then.

    Raises: RuntimeError when the command fails, or never shows what is wanted.
    """
    # Windows has none of them.
    import fcntl
    import pty
    import termios

    import pyte

    screen = pyte.Screen(COLUMNS, _ROWS)
    stream = pyte.ByteStream(screen)
    pid, descriptor = pty.fork()
    if not pid:
        os.execvpe(command[0], [*command], dict(environ))  # noqa: S606 (no shell is the point)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, COLUMNS, 0, 0))
    try:
        is_seen = _followed(descriptor, stream, lambda: "\n".join(screen.display), wanted)
    finally:
        os.close(descriptor)
    if is_seen:
        os.kill(pid, signal.SIGINT)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not is_seen and (code or wanted is not None):
        raise RuntimeError(f"{command[0]} ended with {code}: {' '.join(screen.display).strip()}")
    return lines_of(screen)


def _followed(
    descriptor: int,
    stream: pyte.ByteStream,
    text: Callable[[], str],
    wanted: Callable[[str], bool] | None,
) -> bool:
    """Feed the terminal until its text is *wanted*, or the command has ended."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if not select.select([descriptor], [], [], 1)[0]:
            continue
        try:
            found = os.read(descriptor, 65536)
        except OSError:  # the end, as Linux says it
            return False
        if not found:
            return False
        stream.feed(found)
        if wanted is not None and wanted(text()):
            return True
    raise RuntimeError("the command does not end")


def lines_of(screen: pyte.Screen) -> list[Line]:
    """What *screen* shows, without the blank lines at its end."""
    lines = [_line(screen, row) for row in range(screen.lines)]
    while lines and not "".join(run.text for run in lines[-1]).strip():
        lines.pop()
    return lines


def _line(screen: pyte.Screen, row: int) -> Line:
    runs: Line = []
    for column in range(screen.columns):
        char = screen.buffer[row][column]
        if runs and (runs[-1].colour, runs[-1].bold) == (char.fg, char.bold):
            runs[-1] = Run(runs[-1].text + char.data, char.fg, char.bold)
        else:
            runs.append(Run(char.data, char.fg, char.bold))
    if runs and runs[-1].colour == "default":
        runs[-1] = Run(runs[-1].text.rstrip(), "default", runs[-1].bold)
    return [run for run in runs if run.text]
