"""The server's process, seen from here."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from typing import Self

from benchmarks._environments import ROOT, clean_variables

__all__ = ["Counts", "Service"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the server has seen: connections with messages, messages it took, and its 429s.

    *busiest* is how many it took in the second that had most.
    """

    connections: int
    sent: int
    limited: int
    busiest: int

    def __sub__(self, earlier: "Counts") -> "Counts":
        return Counts(
            self.connections - earlier.connections,
            self.sent - earlier.sent,
            self.limited - earlier.limited,
            self.busiest,
        )


class Service(contextlib.AbstractContextManager["Service"]):
    """Starts the server, with a *delay* in seconds and a *limit* in messages per second."""

    def __init__(self, *, delay: float = 0.0, limit: int | None = None) -> None:
        command = [sys.executable, "-m", "benchmarks._server", "--delay", str(delay)]
        command += [] if limit is None else ["--limit", str(limit)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean_variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = ""

    def __enter__(self) -> Self:
        assert self._process.stdout is not None  # noqa: S101 (narrows the type)
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def counts(self) -> Counts:
        """What the server has seen so far."""
        with urllib.request.urlopen(f"{self.url}/counts", timeout=10) as answer:  # noqa: S310 (ours)
            return Counts(**json.load(answer))
