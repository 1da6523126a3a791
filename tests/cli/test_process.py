"""The command as a process: speed, signals, missing packages, pipes."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sinch_wrapper._http import httpx

COMMAND = [sys.executable, "-m", "sinch_wrapper.cli"]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("SINCH_")}


@contextmanager
def _started(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, env=CLEAN, check=False, timeout=60
    )


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_fast() -> None:
    """The help takes less than 0.3 s of processor time, in the best of three runs."""
    times = []
    for _ in range(3):
        before = _cpu_of_children()
        assert 0 == _run("--help").returncode
        times.append(_cpu_of_children() - before)

    assert min(times) < 0.3


def test_help_loads_nothing_heavy() -> None:
    """The help loads neither the HTTP library, nor the server, nor rich, nor the models."""
    code = (
        "import sys; from sinch_wrapper.cli import main; main(['--help']);"
        "print(*(name for name in sys.modules if name.partition('.')[0] in "
        "{'httpx', 'httpx2', 'starlette', 'uvicorn', 'rich', 'jsonschema_rs', 'authlib',"
        "'sinch_conversation_api'}), sep='\\n', file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=CLEAN, check=True
    )

    assert "" == process.stderr.strip()


@pytest.mark.parametrize(
    ("missing", "words"),
    [("click", ["--help"]), ("rich", ["demo"]), ("starlette", ["sandbox"]), ("uvicorn", ["demo"])],
)
def test_missing_extra_is_one_line(missing: str, words: list[str]) -> None:
    """Without the extra the command says how to install it, whichever package is missing."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from sinch_wrapper.cli import main;"
        f"sys.exit(main({words!r}))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=CLEAN, check=False
    )

    assert (1, 1) == (process.returncode, process.stderr.count("\n"))
    assert 'pip install "sinch-wrapper[cli]"' in process.stderr


def test_sandbox_serves_until_interrupted() -> None:
    """The sandbox announces where it is, serves, and ends on Ctrl-C with one line."""
    with _started("sandbox", "--port", "0", "--json", "--fault", "App_ListApps:503") as process:
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        project = announced["SINCH_PROJECT_ID"]
        url = f"{announced['SINCH_SANDBOX_URL']}/conversation/v1/projects/{project}/apps"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                status = httpx.get(url, timeout=60).status_code
                break
            except httpx.ConnectError:
                time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert 503 == status
    assert (130, "", "Interrupted") == (process.returncode, out, json.loads(err)["error"])


def test_sandbox_says_when_its_port_is_taken() -> None:
    """A port that is taken is replaced by a free one, which is announced."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _started("sandbox", "--port", str(port)) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            note = process.stderr.readline()
            announced = process.stdout.readline()

    free = note.rpartition(" ")[2].strip()
    assert f"sinch-wrapper sandbox: port {port} is taken, using {free}\n" == note
    assert f"http://127.0.0.1:{free}" in announced


def test_demo_is_interrupted_cleanly() -> None:
    """Ctrl-C during the demo ends it at once, without a traceback."""
    with _started("demo") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert (130, "sinch-wrapper: interrupted") == (process.returncode, err.strip())


def test_closed_pipe_gives_no_traceback() -> None:
    """A reader that goes away ends the command quietly; the outcome is unknown."""
    with _started("demo") as process:
        assert process.stdout is not None
        process.stdout.close()
        err = process.stderr.read() if process.stderr else ""
        process.wait(timeout=60)

    assert (3, "") == (process.returncode, err)


def _shell(line: str) -> tuple[int, str]:
    run = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m sinch_wrapper.cli {line}'],
        capture_output=True, text=True, env=CLEAN, check=False, timeout=60,
    )  # fmt: skip
    return run.returncode, run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    """A full disk behind stdout gives no traceback; the outcome is unknown."""
    code, err = _shell("--version >/dev/full")
    line = "sinch-wrapper: reading or writing failed: No space left on device\n"
    assert (3, line) == (code, err)
    assert (2, "") == _shell("nonsense 2>/dev/full")


@pytest.mark.parametrize("line", ["--version >&-", "--help >&-", "--help 2>&-"])
def test_closed_stream_gives_no_traceback(line: str) -> None:
    """A stream that the shell has closed is not needed."""
    assert (0, "") == _shell(line)
