"""README and docs: every block does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinch_wrapper.sandbox import Server

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Commands that a test cannot run inside itself (they install, or they are this very suite), or that
# a test of their own runs: those of docs/spec-updates.md are replayed by test_spec_updates.py.
ELSEWHERE = {
    "python3 -m pip install uv && uv run sinch-wrapper demo",
    "python3 -m pip install uv && uv run pytest",
    "pip install sinch-wrapper            # the client",
    'pip install "sinch-wrapper[fast]"    # with httpx2 and orjson: faster async, faster JSON',
    'pip install "sinch-wrapper[aiohttp]" # with aiohttp: connections of tasks at half the CPU',
    'pip install "sinch-wrapper[cli]"     # with the command, the sandbox, the receiver',
    "sinch-wrapper bulk probe --app 01J0SANDB0X0APP00000000000 --to +46700000001",
    "sinch-wrapper bulk send-again spring.db",
    "sinch-wrapper sandbox --port 8787",
    "bash .ci/run",
    "uv run pytest tests/core/test_retry.py  # one file",
    "uv run pytest -m slow",
    "uv run ruff check --fix && uv run ruff format",
    "uv run mypy",
    "uv run lint-imports",
    "uv run python scripts/regenerate.py     # after a change in openapi/ or scripts/codegen/",
    "uv run python scripts/regenerate.py",
    (
        "uv run python scripts/check_drift.py --from "
        'template=http://127.0.0.1:8000/template.yaml; echo "exit code $?"'
    ),
    (
        "uv run python scripts/fetch_specs.py template --from "
        'http://127.0.0.1:8000/template.yaml; echo "exit code $?"'
    ),
    'uv run python scripts/regenerate.py; echo "exit code $?"',
    # Those of docs/callbacks.md are run by test_callbacks_cli.py.
    'export SINCH_CALLBACK_SECRETS="webhook-secret other-secret"',
    "sinch-wrapper callbacks serve --store callbacks.db --job spring.db --port 8080",
    "sinch-wrapper callbacks list callbacks.db",
    "sinch-wrapper callbacks verify --headers headers.txt body.json",
    "sinch-wrapper callbacks dead callbacks.db",
    "sinch-wrapper callbacks dead callbacks.db --retry",
}


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The variables of somebody whose programs go to a sandbox."""
    with Server() as sandbox:
        values = {
            "SINCH_PROJECT_ID": sandbox.settings.project_id,
            "SINCH_KEY_ID": sandbox.settings.key_id,
            "SINCH_KEY_SECRET": sandbox.settings.key_secret,
            "SINCH_SANDBOX_URL": sandbox.url,
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        yield {**os.environ, **values}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_python_blocks_run(page: Path, environment: dict[str, str]) -> None:
    """The Python blocks of a page run one after the other, against the sandbox."""
    program = "\n".join(blocks(page, "python"))
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)


def commands() -> list[str]:
    """The commands of all console blocks."""
    lines = [
        line for page in PAGES for text in blocks(page, "console") for line in text.splitlines()
    ]
    return [line.removeprefix("$ ").strip() for line in lines]


def test_console_blocks_are_run_here_or_listed() -> None:
    """A console block has no command that nobody runs, and the list names none that is gone."""
    here = {"uv run python scripts/regenerate.py --check"}
    assert ELSEWHERE | here == set(commands())


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    """CI runs the README's own test command, and ends with the slow tests that it leaves out."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ("uv run pytest" in script, "uv run pytest -m slow") == (True, script[-1])


def test_links_to_files_lead_somewhere() -> None:
    """Relative links of the pages point at files that are there."""
    broken = [
        (page.name, target)
        for page in [*PAGES, ROOT / "openapi" / "README.md"]
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert [] == broken


def test_the_exception_table_names_every_exception() -> None:
    """The table of the README and the public exceptions are the same."""
    import sinch_wrapper

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z]\w+Error)`", text))
    # What Python itself has for arguments that are wrong.
    public = {name for name in sinch_wrapper.__all__ if name.endswith("Error")}
    public |= {"TypeError", "ValueError"}
    assert set() == {name for name in named if name not in public}
