"""A job ends when it must, whatever the server does: the deadline, and the second Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sinch_wrapper import BulkError, Endpoints, Sinch, text
from sinch_wrapper.bulk import Report
from tests.helpers.bulk import APP, csv_file, rows
from tests.helpers.callbacks import eventually
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT
from tests.helpers.fault_server import TOKEN, Fault, FaultServer, endless

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
HANGS: dict[str, Fault] = {
    "no response": endless(b"", b"", 3600),
    "a byte now and then": endless(HEAD, b" ", 0.1),
    "headers without end": endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05),
    "interim responses": endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.1),
}
# A busy machine takes seconds to start and end a Python; the server hangs for ever.
SOON = 20
TOKEN_HANGS = {"a token that drips": HANGS["a byte now and then"]}


@pytest.fixture(params=[*HANGS, *TOKEN_HANGS])
def server(request: pytest.FixtureRequest) -> Iterator[FaultServer]:
    """A server that hangs, in the response to a request or to that for a token."""
    found = FaultServer(HANGS.get(request.param, HANGS["no response"]))
    found.token_script = [TOKEN_HANGS.get(request.param, TOKEN)]
    yield found
    found.stop()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.slow
def test_the_deadline_ends_the_command_soon(server: FaultServer, tmp_path: Path) -> None:
    """What is on its way is unknown, the rest pending, and the exit code says so."""
    began = time.monotonic()
    done = subprocess.run(
        _command(server, tmp_path, "--deadline", "2"), env=_environment(),
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    took = time.monotonic() - began
    report = Report(tmp_path / "all.csv.db")
    assert 3 == done.returncode, done.stderr
    assert _are_safe(report, server)
    assert "Traceback" not in done.stderr
    assert took < SOON


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.slow
def test_the_second_interrupt_ends_the_command_soon(server: FaultServer, tmp_path: Path) -> None:
    """The first one waits for what is running, the second one for nothing."""
    with subprocess.Popen(
        _command(server, tmp_path), env=_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        eventually(lambda: _on_their_way(tmp_path / "all.csv.db") == 8)
        process.send_signal(signal.SIGINT)
        time.sleep(1.0)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = process.communicate(timeout=30)
        took = time.monotonic() - began
    assert (130, False) == (process.returncode, "Traceback" in said), said
    assert took < SOON
    assert _are_safe(Report(tmp_path / "all.csv.db"), server)


@pytest.mark.slow
def test_no_thread_outlives_a_job(server: FaultServer, tmp_path: Path) -> None:
    """Soon after its deadline the job is over, and so are its threads."""
    with Sinch(
        project_id=PROJECT, key_id=KEY_ID, key_secret=KEY_SECRET, limits=None,
        endpoints=Endpoints.sandbox(server.url),
    ) as sinch:  # fmt: skip
        began = time.monotonic()
        report = sinch.bulk.send(
            app_id=APP, message=text("Hi ${name}"), recipients=rows(20), chunk_size=2,
            job=tmp_path / "job.db", deadline=2.0,
        )  # fmt: skip
        took = time.monotonic() - began
        assert took < SOON
        assert ("deadline", True) == (report.stopped, _are_safe(report, server))
        eventually(lambda: not _threads())


def _are_safe(report: Report, server: FaultServer) -> bool:
    """Whether what may have left is unknown, and all others are pending."""
    # Without a token nothing has left, and some may have time to say so.
    expected = {8} if server.seen else range(9)
    return report.unknown in expected and 20 == report.unknown + report.pending


def _on_their_way(job: Path) -> int:
    with suppress(BulkError):
        return Report(job).unknown
    return 0


def _threads() -> list[str]:
    return [each.name for each in threading.enumerate() if "sinch-bulk" in each.name]


def _command(server: FaultServer, folder: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "sinch_wrapper.cli", "bulk", "send", str(csv_file(folder, 20)),
        "--app", APP, "--text", "Hi ${name}", "--key", "key", "--chunk-size", "2",
        "--sandbox", server.url, *more,
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    keys = {"PROJECT_ID": PROJECT, "KEY_ID": KEY_ID, "KEY_SECRET": KEY_SECRET}
    return {**os.environ, **{f"SINCH_{name}": value for name, value in keys.items()}}
