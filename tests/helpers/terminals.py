"""Programs at a pseudo-terminal, as a person starts them."""

import os
import select
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

PATIENCE = 20


class Terminal:
    """A program that reads from and writes to a terminal of its own."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self._pid = pid
        self._descriptor = descriptor
        self.seen = ""

    def type(self, keys: str) -> None:
        """Type *keys*."""
        os.write(self._descriptor, keys.encode())

    def read_until(self, words: str) -> str:
        """Read until *words* come, and return all that came since the last call."""
        begin = len(self.seen)
        while words not in self.seen[begin:]:
            assert self._read(), f"{words!r} did not come: {self.seen[begin:]!r}"
        return self.seen[begin:]

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        while self._read():
            pass
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """End the program if it still runs."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._descriptor)

    def _read(self) -> bool:
        if not select.select([self._descriptor], [], [], PATIENCE)[0]:
            return False
        try:
            found = os.read(self._descriptor, 4096)
        except OSError:  # the end, as Linux says it
            return False
        self.seen += found.decode(errors="replace")
        return bool(found)


@contextmanager
def at_terminal(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Terminal]:
    """Run *command* at a terminal."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    pid, descriptor = pty.fork()
    if not pid:
        os.execve(command[0], [*command], dict(environ))  # noqa: S606 (no shell is the point)
    terminal = Terminal(pid, descriptor)
    try:
        yield terminal
    finally:
        terminal.close()
