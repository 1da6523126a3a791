"""Two processes side by side, of which one runs at a time, for a moment.

What else a machine does changes how fast both are, and from second to second: measured one after
the other, the same two differed by up to a half. Turns of a fiftieth of a second share it alike.
"""

import contextlib
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Final

from benchmarks._environments import ROOT

__all__ = ["in_slices"]

_SLICE: Final = 0.02


def in_slices(commands: Sequence[Sequence[str]], variables: Mapping[str, str]) -> list[str]:
    """What each of *commands* prints after a line that says that it is ready.

    Each is given a line when all are ready, and is stopped while it is another one's turn.
    """
    with contextlib.ExitStack() as stack:
        processes = []
        for command in commands:
            process = subprocess.Popen(
                command, cwd=ROOT, env=variables, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            processes.append(stack.enter_context(process))
            # One that is stopped would never end.
            stack.callback(process.kill)
            _output(process).readline()
        for process in processes:
            process.send_signal(signal.SIGSTOP)
            assert process.stdin is not None  # noqa: S101 (narrows the type)
            process.stdin.write("\n")
            process.stdin.flush()
        _take_turns(processes)
        return [_output(process).read() for process in processes]


def _take_turns(processes: Sequence[subprocess.Popen[str]]) -> None:
    waiting = deque(processes)
    while waiting:
        process = waiting.popleft()
        process.send_signal(signal.SIGCONT)
        try:
            code = process.wait(_SLICE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGSTOP)
            waiting.append(process)
            continue
        if code:
            raise subprocess.CalledProcessError(code, process.args)


def _output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None  # noqa: S101 (narrows the type)
    return process.stdout
