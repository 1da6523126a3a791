"""Running the program of Redocly: npm fetches it once, and neither may hold up the check."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from codegen.document import Refused

PACKAGE = "@redocly/cli@2.77.0"
REMEDY = "use --backend python"
# npx puts the folder of the package's programs first.
_FIRST = "process.env.PATH.split(require('path').delimiter)[0]"
_ENVIRONMENT = {
    "CI": "true",
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
    "npm_config_prefer_offline": "true",
    # A registry that cannot be reached is found out in seconds.
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
}
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, fetching the package and one comparison may take."""

    fetching: float = 180.0
    comparing: float = 60.0


USUAL = Patience()


def is_available() -> bool:
    """Tell whether npm's package runner is on the PATH, and with it node."""
    return shutil.which("npx") is not None


def output(arguments: Sequence[str], folder: Path, patience: Patience) -> str:
    """What Redocly prints when it is run with some arguments in a folder.

    Raises: Refused when node or the package is missing, or nothing is printed in time.
    """
    runner = shutil.which("npx")
    if runner is None:
        raise Refused("redocly", "needs node, which is not on the PATH", REMEDY)
    program = _program(runner, patience.fetching)
    if isinstance(program, Refused):
        raise program
    return _printed([program, *arguments], folder, patience.comparing)


@cache
def _program(runner: str, limit: float) -> str | Refused:
    """The path of the program, or why there is none; npx would cost as much as each run."""
    command = [runner, "--yes", f"--package={PACKAGE}", "--", "node", "-p", _FIRST]
    try:
        folder = _printed(command, None, limit)
    except Refused as refused:
        return refused
    found = shutil.which("redocly", path=folder.strip())
    return found or Refused("redocly", f"{PACKAGE} cannot be had", REMEDY)


def _printed(command: Sequence[str], folder: Path | None, limit: float) -> str:
    # Files, for a pipe stays open as long as any process that the command has started.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = _ended(command, folder, limit, (out, err))
        except OSError as error:
            problem = f"{PACKAGE} cannot be run ({error.strerror})"
            raise Refused("redocly", problem, REMEDY) from error
        except subprocess.TimeoutExpired as error:
            problem = f"{PACKAGE} does not answer within {limit:g} seconds"
            raise Refused("redocly", problem, REMEDY) from error
        if code:
            why = next((line for line in _lines(err)), f"exit code {code}")
            raise Refused("redocly", f"{PACKAGE} cannot be run ({why[:_LONGEST]})", REMEDY)
        return "\n".join(_lines(out))


def _lines(file: IO[bytes]) -> Iterator[str]:
    file.seek(0)
    for line in file.read().decode(errors="replace").split("\n"):
        if line.strip():
            yield line.strip()


def _ended(
    command: Sequence[str], folder: Path | None, limit: float, streams: tuple[IO[bytes], IO[bytes]]
) -> int:
    """The exit code of a command; nothing that it started outlives an end before its time."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | _ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=streams[0],
        stderr=streams[1],
        start_new_session=True,
    )
    try:
        return process.wait(limit)
    finally:
        if process.poll() is None:
            if sys.platform != "win32":
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
