"""The blocks of docs/testing.md run: the tests as tests, the commands as commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper.sandbox import Server

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_tests_of_the_page_pass(tmp_path: Path) -> None:
    """The Python blocks are one test file, and all of its tests pass."""
    blocks = _blocks("python")
    file = tmp_path / "test_page.py"
    file.write_text("\n".join(blocks), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, "-p", "sinch_wrapper.testing.plugin", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"{len(blocks)} passed" in result.stdout, result.stdout
    assert 0 == result.returncode


def test_first_test_of_the_page_has_fifteen_lines() -> None:
    """A test of one's own code is short, code included."""
    assert 15 >= len([line for line in _blocks("python")[0].splitlines() if line])


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_commands_of_the_page_work() -> None:
    """Each line of the shell blocks succeeds against a running sandbox."""
    with Server() as server:
        for line in "".join(_blocks("sh")).splitlines():
            result = subprocess.run(
                ["bash", "-c", line],  # noqa: S607 (the user's bash)
                env=os.environ | {"SINCH_SANDBOX_URL": server.url},
                capture_output=True,
                check=False,
            )
            assert 0 == result.returncode, line
