"""Lists at the command line: stdin, columns in order, and what is said about mistakes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
CHECK = ["bulk", "check", "--text", "Hi ${name}"]
A = "+46700000001"


def run(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run the command with *given* on its stdin."""
    environment = {name: value for name, value in os.environ.items() if "SINCH" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "sinch_wrapper.cli", *words],
        input=given, capture_output=True, check=False, env=environment,
    )  # fmt: skip
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_a_list_comes_through_stdin() -> None:
    """Whatever it is, it says itself; one column serves two channels, in their order."""
    given = f"mobile;name\n{A};Ada\n".encode("utf-16")
    done = run(*CHECK, "-", "--to", "mobile=WHATSAPP", "--to", "mobile=SMS", given=given)
    assert (0, "") == (done.returncode, done.stderr)
    assert (
        "Columns: mobile -> WHATSAPP, SMS; parameters name; separated by semicolons" in done.stdout
    )
    assert "Tried first: WHATSAPP 1" in done.stdout


@pytest.mark.parametrize(
    ("words", "content", "said"),
    [
        ((), f"phone,name\n{A},Bj\u00f6rn\n".encode("cp1252"), "--encoding cp1252"),
        (("--encoding", "nope"), b"", "--encoding must be the name of an encoding"),
        (("--to", "phone=SMSS"), b"", "--to must be a channel: did you mean SMS?"),
        (("--default", "nmae=x"), b"", "--default must name placeholders of the message: name"),
        ((), f"phone,name\n{A},x\nAda,y\n".encode(), "line 3, phone: holds letters"),
    ],
)
def test_mistakes_name_the_options_of_the_command(
    tmp_path: Path, words: tuple[str, ...], content: bytes, said: str
) -> None:
    """One line that says what to write, and exit code 1."""
    path = tmp_path / "list.csv"
    path.write_bytes(content or f"phone,name\n{A},x\n".encode())
    done = run(*CHECK, str(path), *words)
    assert 1 == done.returncode
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_stream_needs_a_journal_by_name() -> None:
    """No file can lie beside stdin."""
    environment = {f"SINCH_{name}": "x" for name in ("PROJECT_ID", "KEY_ID", "KEY_SECRET")}
    words = ["bulk", "send", "-", "--app", "A", "--text", "x"]
    done = subprocess.run(
        [sys.executable, "-m", "sinch_wrapper.cli", *words],
        input=b"", capture_output=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert (2, True) == (done.returncode, b"name a journal with --job" in done.stderr)
