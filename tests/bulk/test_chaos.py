"""Senders and receivers are killed, servers fail: nobody gets a message twice or is forgotten."""

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from sinch_wrapper.bulk import Report
from tests.helpers.chaos import (
    LONG,
    PROGRAM,
    SECRET,
    Companion,
    accepted,
    chaos_server,
    free_port,
    subscribe,
    unknown_of,
    write_recipients,
)

__all__ = ["chaos_server"]

# SINCH_WRAPPER_CHAOS=long runs it with 100,000 recipients and at least 20 kills.
RECIPIENTS, CHUNK, KILLS, LEAST = (100_000, 100, 25, 20) if LONG else (2_000, 50, 4, 1)
# A kill comes after a number of steps from this range. After the last one enough is left to send
# to measure how soon requests are listed, without which nothing leaves again.
STEPS = (4, 24) if LONG else (1, 5)
# With receiver and readers on the same files: recipients, and kills of each kind of process.
TOGETHER, KILLS_EACH = (3_000, 15) if LONG else (500, 2)
# A request that is on its way when the last one is killed has few witnesses, and may stay unknown.
LEFT_UNKNOWN = 5 * CHUNK
# Seconds without a callback after which no more are expected.
PATIENCE = 40


def _killed(command: list[str], steps: int | None) -> bool:
    """Send, and kill it after this number of steps; whether it was killed.

    Steps, because a fast machine has sent nearly all before the first second is over.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdout is not None
        for step, _ in enumerate(sender.stdout, 1):
            if step == steps:
                sender.kill()
                return True
    assert 0 == sender.returncode
    return False


@pytest.mark.timeout(1800 if LONG else 180)
@pytest.mark.slow
@pytest.mark.parametrize("program", ["send", "send_in_tasks"])
def test_kills_and_faults_lose_and_double_nothing(
    program: str, chaos_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After kill -9 at random moments, drops, 503s, timeouts and 429s the server has each once.

    In threads, and in tasks over aiohttp.
    """
    if program == "send_in_tasks":
        pytest.importorskip("aiohttp")
    chance = random.Random(11)  # noqa: S311 (repeatable)
    source, journal = tmp_path / "all.csv", tmp_path / "job.db"
    identities = write_recipients(source, RECIPIENTS)
    command = [*PROGRAM, program, chaos_server, str(source), str(journal), str(CHUNK)]
    began, kills = time.monotonic(), 0
    while _killed(command, chance.randint(*STEPS) if kills < KILLS else None):
        kills += 1
    unknown = unknown_of(Report(journal))
    lost = len(identities - accepted(chaos_server).keys() - unknown)
    # What stays unknown without evidence is sent by a person's word, after one more look-up.
    again = [*PROGRAM, "send_again", chaos_server, str(journal)]
    subprocess.run(again, check=True, stdout=subprocess.PIPE)
    counts, report = accepted(chaos_server), Report(journal)
    twice = sum(count > 1 for count in counts.values())
    with capsys.disabled():
        sys.stdout.write(
            f"\nchaos, {program}: {RECIPIENTS} recipients, {kills} kills, {twice} sent twice, "
            f"{lost} lost, {len(unknown)} unknown before a person's word, "
            f"{report.unknown} after it, {len(report.sent_again)} requests sent again, "
            f"{time.monotonic() - began:.0f} s\n"
        )

    assert (0, 0) == (twice, lost)
    assert kills >= LEAST
    assert len(unknown) <= LEFT_UNKNOWN
    assert counts.keys() | unknown_of(report) == identities
    assert (RECIPIENTS, RECIPIENTS) == (report.total, report.accepted + report.unknown)


def _companions(folder: Path, server: str) -> list[Companion]:
    """A receiver that follows the job, and a reader of its files."""
    journal, store, secret = folder / "job.db", folder / "store.db", folder / "secret"
    secret.write_text(SECRET)
    port = free_port()
    subscribe(server, port)
    receive = [
        sys.executable, "-m", "sinch_wrapper.cli", "callbacks", "serve", "--job", str(journal),
        "--store", str(store), "--port", str(port), "--secret-file", str(secret), "--quiet",
    ]  # fmt: skip
    read = [*PROGRAM, "read", str(journal), str(store)]
    return [Companion(receive, folder / "receiver.log"), Companion(read, folder / "reader.log")]


@pytest.mark.timeout(1800 if LONG else 240)
@pytest.mark.slow
def test_receiver_reports_and_readers_on_the_same_files_spoil_nothing(
    chaos_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sender, receiver and reader are killed in turn: files are sound, callbacks are all there."""
    chance = random.Random(12)  # noqa: S311 (repeatable)
    source, journal = tmp_path / "all.csv", tmp_path / "job.db"
    identities = write_recipients(source, TOGETHER)
    companions = _companions(tmp_path, chaos_server)
    command = [*PROGRAM, "send", chaos_server, str(source), str(journal), "10"]
    began, kills = time.monotonic(), 0
    try:
        while _killed(command, chance.randint(*STEPS) if kills < KILLS_EACH else None):
            kills += 1
            for each in companions:
                each.kill()
        report = _followed(journal, chaos_server)
    finally:
        for each in companions:
            each.kill(again=False)
    counts, unknown = accepted(chaos_server), unknown_of(report)
    twice = sum(count > 1 for count in counts.values())
    lost = len(identities - counts.keys() - unknown)
    all_kills = kills + sum(each.kills for each in companions)
    with capsys.disabled():
        sys.stdout.write(
            f"\nchaos together: {TOGETHER} recipients, {all_kills} kills, {twice} sent twice, "
            f"{lost} lost, {len(unknown)} unknown, {report.delivered} delivered, "
            f"{time.monotonic() - began:.0f} s\n"
        )
    assert (0, 0) == (twice, lost)
    assert len(counts.keys() - unknown) == report.delivered
    assert ["ok", "ok"] == [_checked(path) for path in (journal, tmp_path / "store.db")]
    assert "" == (tmp_path / "reader.log").read_text()


def _followed(journal: Path, server: str) -> Report:
    """The report, once callbacks have said what became of all that were accepted."""
    report, last, seen = Report(journal), time.monotonic(), -1
    # As long as any come: a busy machine takes its time.
    while time.monotonic() - last < PATIENCE:
        done = report.refresh().delivered
        if done >= len(accepted(server).keys() - unknown_of(report)):
            break
        if done > seen:
            last, seen = time.monotonic(), done
        time.sleep(0.5)
    return report


def _checked(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.DatabaseError):
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    return "corrupt"
