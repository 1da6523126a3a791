"""What chaos tests share: a sandbox with faults, people, processes to kill, and who got what."""

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sinch_wrapper import Endpoints, Sinch
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Report
from sinch_wrapper.sandbox import Settings

PROGRAM = [sys.executable, "-m", "tests.programs.bulk_chaos"]
LONG = os.environ.get("SINCH_WRAPPER_CHAOS") == "long"
FAULTS = (
    "Batch_SendBatch:drop:8%",
    "Batch_SendBatch:503:5%",
    "Batch_SendBatch:slow=3.3:4%",
    "Batch_SendBatch:429=0.05:5%",
    "Batch_GetBatchStatusesByMetadata:503:5%",
)
SECRET = "a-secret-of-32-characters-or-more"
TRIGGERS = ["MESSAGE_DELIVERY", "BATCH_STATUS_UPDATE"]


@pytest.fixture
def chaos_server() -> Iterator[str]:
    """A sandbox in its own process, with faults."""
    command = [*PROGRAM, "serve", *FAULTS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=60)


def identity(number: int) -> str:
    """A number whose message the sandbox delivers: it ends in 1."""
    return f"+467{number:07d}1"


def write_recipients(path: Path, many: int) -> set[str]:
    """Write a list of *many* people; returns their numbers."""
    identities = [identity(number) for number in range(many)]
    lines = [f"k{number},{identity},Name" for number, identity in enumerate(identities)]
    path.write_text("\n".join(["key,phone,name", *lines]), encoding="utf-8")
    return set(identities)


class Companion:
    """A process beside the sender, which is started again when it was killed."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self._log = command, log
        self.kills = 0
        self._start()

    def _start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=log, stderr=log
            )

    def kill(self, *, again: bool = True) -> None:
        """Kill it, and start it *again*."""
        self._process.kill()
        self._process.communicate()
        self.kills += 1
        if again:
            self._start()


def subscribe(server: str, port: int, triggers: Sequence[str] = TRIGGERS) -> None:
    """Let the sandbox call a receiver back about *triggers*."""
    known = Settings()
    webhook = {
        "app_id": known.app_id, "target": f"http://127.0.0.1:{port}/", "target_type": "HTTP",
        "secret": SECRET, "triggers": list(triggers),
    }  # fmt: skip
    with Sinch(
        project_id=known.project_id, key_id=known.key_id, key_secret=known.key_secret,
        endpoints=Endpoints.sandbox(server), proxy="",
    ) as sinch:  # fmt: skip
        sinch.conversation.webhooks.create_webhook(body=webhook)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def accepted(server: str) -> Counter[str]:
    """How often each number was accepted, by the server's own ledger."""
    ledger = httpx.get(f"{server}/_sandbox/ledger", trust_env=False, timeout=60).json()
    assert 0 == ledger["forgotten"]
    return Counter(entry["identity"] for entry in ledger["recipients"])


def unknown_of(report: Report) -> set[str]:
    """The numbers whose outcome is unknown."""
    # The first number is on the line after the header.
    return {identity(each.line - 2) for each in report.recipients("unknown")}
