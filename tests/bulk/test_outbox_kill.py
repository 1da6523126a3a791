"""Two processes on one outbox are killed again and again: each key is one message."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Report
from sinch_wrapper.bulk._journal import Journal

LONG = os.environ.get("SINCH_WRAPPER_CHAOS") == "long"
KEYS, KILLS, LEAST = (2_000, 60, 20) if LONG else (150, 8, 3)
SERVER = [sys.executable, "-m", "tests.programs.bulk_chaos", "serve"]
FAULTS = (
    "Batch_SendBatch:drop:8%",
    "Batch_SendBatch:503:4%",
    "Batch_SendBatch:slow=3.3:4%",
    "Batch_SendBatch:429=0.05:5%",
    "Batch_GetBatchStatusesByMetadata:503:5%",
)


@pytest.fixture
def server() -> Iterator[str]:
    """A sandbox in its own process, with faults."""
    with subprocess.Popen(
        [*SERVER, *FAULTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=30)


class Sender:
    """A process that sends under all keys, and is started again when it was killed."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.command, self.log = command, log
        self.start()

    def start(self) -> None:
        """Start it; what it prints is kept."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.DEVNULL)

    def kill(self) -> bool:
        """Kill and start it, unless it has ended."""
        if self.process.poll() is not None:
            return False
        self.process.kill()
        self.process.wait()
        self.start()
        return True


@pytest.mark.timeout(1800 if LONG else 150)
@pytest.mark.slow
def test_kills_of_two_processes_double_and_lose_nothing(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After kill -9 at random moments each key is one message, with one answer everywhere."""
    chance = random.Random(5)  # noqa: S311 (repeatable)
    path = tmp_path / "outbox.db"
    command = [sys.executable, "-m", "tests.programs.outbox_kill", server, str(path), str(KEYS)]
    senders = [Sender(command, tmp_path / f"{number}.log") for number in range(2)]
    kills = 0
    while kills < KILLS and any(each.process.poll() is None for each in senders):
        time.sleep(chance.uniform(0.5, 1.6))
        kills += chance.choice(senders).kill()
    assert [0, 0] == [each.process.wait(timeout=900) for each in senders]

    ledger = httpx.get(f"{server}/_sandbox/ledger", trust_env=False, timeout=60).json()
    sent = Counter(entry["identity"] for entry in ledger["recipients"])
    answers: dict[int, set[str]] = {}
    for each in senders:
        for line in each.log.read_text().splitlines():
            # A line may have been cut off by a kill.
            if line.endswith("]"):
                number, _, batch_id = json.loads(line)
                answers.setdefault(number, set()).add(batch_id)
    report = Report(path)
    twice, missing = [key for key, many in sent.items() if many > 1], KEYS - len(sent)
    with capsys.disabled():
        sys.stdout.write(
            f"\noutbox: {KEYS} keys, {kills} kills, {len(twice)} sent twice, {report.unknown} "
            f"unknown at the end\n"
        )
    assert kills >= LEAST
    assert ([], KEYS, 0) == (twice, report.total, report.rejected)
    # What the API does not have is not called accepted.
    assert missing <= report.unknown + report.pending <= KEYS / 10
    assert {1} == {len(each) for each in answers.values()}
    journal = Journal(path, must_exist=True)
    journal.storage.check()
    journal.close()
