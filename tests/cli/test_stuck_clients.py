"""Clients that send half a request and wait do not stop `callbacks serve`, nor fill its memory."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.cli._guarded_server import most_connections
from tests.helpers.callbacks import SECRET, headers_of, make_body, post

DESCRIPTORS = 1024
# Less than the ten seconds that a request may take, and that the end waits for one.
SOON = 9
HALF_A_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nX-"
MIB = 1 << 20
# What the command may grow by: 16 MiB of bodies, and 64 KiB that the server has read ahead for
# each of its connections, with as much again for the copies of both.
MOST_GROWTH = 2 * (16 * MIB + (DESCRIPTORS - 256) * 65536)


class Served:
    """The command in a process with few descriptors."""

    def __init__(self, process: subprocess.Popen[str], url: httpx.URL) -> None:
        self.process = process
        self.url = url

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection((self.url.host, self.url.port or 80), timeout=10)

    def resident(self) -> int:
        """How much memory the process takes at the moment."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()


@pytest.fixture
def crowd() -> Iterator[list[socket.socket]]:
    """Connections that are closed at the end, more than a process may have by default."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 2 * DESCRIPTORS:
        pytest.skip("this system allows too few descriptors to be the clients")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2 * DESCRIPTORS), before[1]))
    found: list[socket.socket] = []
    yield found
    for each in found:
        each.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def serving(tmp_path: Path, *words: str) -> Iterator[Served]:
    """The command with 1,024 descriptors."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SINCH_")}
    command = [sys.executable, "-m", "sinch_wrapper.cli", "callbacks", "serve", "--port", "0"]
    with subprocess.Popen(
        ["/bin/sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", *command,
         "--store", str(tmp_path / "callbacks.db"), "--quiet", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=clean | {"SINCH_CALLBACK_SECRETS": SECRET},
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            url = process.stderr.readline().split("at ")[1].split(",")[0]
            yield Served(process, httpx.URL(url))
        finally:
            process.kill()


def ended(served: Served) -> tuple[int, str, float]:
    """How the command ends on SIGTERM: its exit code, what it said, and how long it took."""
    began = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    _, said = served.process.communicate(timeout=30)
    return served.process.returncode, said, time.monotonic() - began


def slowest_of(served: Served, count: int) -> float:
    """Deliver callbacks on connections of their own; returns how long the slowest took."""
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        with httpx.Client(base_url=served.url, trust_env=False, timeout=10) as client:
            assert 200 == post(client, make_body()).status_code
        slowest = max(slowest, time.monotonic() - began)
    return slowest


@pytest.mark.slow
@pytest.mark.parametrize("said", [b"", HALF_A_HEAD], ids=["silent", "half a head"])
def test_half_open_connections_stop_nothing(
    tmp_path: Path, crowd: list[socket.socket], said: bytes
) -> None:
    """1,100 of them at 1,024 descriptors: callbacks are taken at once, and the log is quiet."""
    with serving(tmp_path) as served:
        for _ in range(1100):
            crowd.append(served.connect())
            crowd[-1].sendall(said)
        assert slowest_of(served, 20) < SOON
        code, log, took = ended(served)
    assert (0, "") == (code, log)
    assert took < SOON


@pytest.mark.slow
def test_half_open_connections_end_after_the_limit(
    tmp_path: Path, crowd: list[socket.socket]
) -> None:
    """A connection that brings no request, or drips one, is ended when its time is over."""
    with serving(tmp_path, "--receive-timeout", "1") as served:
        began = time.monotonic()
        for said in (b"", HALF_A_HEAD, _signed_head(1000)):
            crowd.append(served.connect())
            crowd[-1].sendall(said)
        for each in crowd:
            with contextlib.suppress(OSError):
                while time.monotonic() < began + SOON:
                    each.sendall(b"a")
                    time.sleep(0.05)
            each.settimeout(SOON)
            with contextlib.suppress(ConnectionResetError):
                while each.recv(100):
                    pass
        assert 1 <= time.monotonic() - began < SOON


def _signed_head(length: int) -> bytes:
    headers = {"Host": "h", "Content-Length": str(length)} | headers_of(b"{}")
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


@pytest.mark.slow
@pytest.mark.parametrize("head", ["unsigned", "forged"])
def test_half_bodies_take_little_memory(
    tmp_path: Path, crowd: list[socket.socket], head: str
) -> None:
    """300 bodies of 1 MiB less a byte are not kept, whether they seem to be signed or not."""
    unsigned = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {MIB}\r\n\r\n".encode()
    start = {"unsigned": unsigned, "forged": _signed_head(MIB)}[head]
    with serving(tmp_path) as served:
        slowest_of(served, 5)
        before, most = served.resident(), 0
        for _ in range(300):
            crowd.append(served.connect())
            with contextlib.suppress(ConnectionError):
                crowd[-1].sendall(start + b"x" * (MIB - 1))
            most = max(most, served.resident())
        assert slowest_of(served, 20) < SOON
        code, log, took = ended(served)
    assert most - before < MOST_GROWTH
    assert (0, True) == (code, took < SOON)
    assert "Traceback" not in log


@pytest.mark.slow
def test_sigterm_ends_cleanly_with_half_requests(tmp_path: Path) -> None:
    """Half heads and half bodies hold nothing up, and no traceback is logged."""
    with serving(tmp_path) as served:
        stuck = [served.connect() for _ in range(3)]
        for each, said in zip(stuck, (b"", HALF_A_HEAD, _signed_head(1000)), strict=True):
            each.sendall(said)
        slowest_of(served, 1)
        code, log, took = ended(served)
        for each in stuck:
            each.close()
    assert (0, True) == (code, took < SOON)
    assert "Traceback" not in log
    assert "CancelledError" not in log


@pytest.mark.parametrize(
    ("descriptors", "expected"),
    [(64, 32), (256, 128), (512, 256), (513, 257), (1024, 768), (1256, 1000), (1 << 20, 1000)],
)
def test_connections_leave_descriptors_for_the_store(descriptors: int, expected: int) -> None:
    """However few descriptors there are, some are left for files."""
    assert expected == most_connections(descriptors)
