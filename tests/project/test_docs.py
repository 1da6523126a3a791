"""README and docs: every block does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._comparison import with_figures
from sinch_wrapper.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/*.md"),
    ]
)
# Pages that change their process for good: its log, the settings of Django.
ALONE = {"callbacks.md", "logging.md", "models.md"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_DATABASE = '"postgresql://sender@db.example.com/messages?job=spring"'
# Commands that are not run where they are printed, each with what runs it, or why nothing does.
ELSEWHERE = {
    **dict.fromkeys(
        [
            (
                "sinch-wrapper bulk send spring.csv --app 01J0SANDB0X0APP00000000000 "
                "--text @spring.txt --exclude stop.db --window 09:00-20:00 --pilot 500 "
                "--pilot-delivered 0.9 --stop-if-failed 0.05"
            ),
        ],
        "its options: tests/cli/test_campaign_cli.py",
    ),
    **dict.fromkeys(
        [
            "sinch-wrapper bulk probe --app 01J0SANDB0X0APP00000000000 --to +46700000001",
            "sinch-wrapper bulk send-again spring.db",
        ],
        "with jobs of their own: tests/cli/test_bulk_cli.py",
    ),
    **dict.fromkeys(
        [
            "sinch-wrapper bulk report spring.csv.db --html report.html",
            "sinch-wrapper bulk report spring.csv.db --csv out.csv",
            "sinch-wrapper bulk report spring.csv.db --csv joined.csv --input spring.csv",
        ],
        "with a job: tests/cli/test_bulk_report.py",
    ),
    **dict.fromkeys(
        [
            "sinch-wrapper bulk init postgresql://sender@db.example.com/messages",
            (
                "sinch-wrapper bulk send spring.csv --app 01J0SANDB0X0APP00000000000 "
                f"--text @spring.txt --job {IN_DATABASE}"
            ),
            "sinch-wrapper bulk list postgresql://sender@db.example.com/messages",
            f"sinch-wrapper bulk report {IN_DATABASE}",
            (
                f"sinch-wrapper callbacks serve --store callbacks.db --job {IN_DATABASE} "
                '--suppression "postgresql://sender@db.example.com/messages?list=stop"'
            ),
        ],
        "with a database: tests/cluster/test_places.py",
    ),
    **dict.fromkeys(
        [
            (
                "sinch-wrapper bulk send spring.csv --app 01J0SANDB0X0APP00000000000 "
                f"--text @spring.txt --job {IN_DATABASE} --cluster"
            ),
            "sinch-wrapper bulk status postgresql://sender@db.example.com/messages --watch",
        ],
        "with workers: tests/cluster/test_cluster.py, test_status.py",
    ),
    **dict.fromkeys(
        [
            "sinch-wrapper login",
            "sinch-wrapper login --profile staging --region eu",
            "sinch-wrapper token --profile staging",
            "sinch-wrapper profiles",
            "sinch-wrapper logout --profile staging",
        ],
        "at a terminal, with a keyring of the test: tests/cli/test_profiles.py",
    ),
    "sinch-wrapper completion --install": "changes the home: tests/cli/test_completion.py",
    **dict.fromkeys(
        [
            'export SINCH_CALLBACK_SECRETS="webhook-secret other-secret"',
            "sinch-wrapper callbacks serve --store callbacks.db --job spring.db --port 8080",
            "sinch-wrapper callbacks list callbacks.db",
            "sinch-wrapper callbacks verify --headers headers.txt body.json",
            "sinch-wrapper callbacks dead callbacks.db",
            "sinch-wrapper callbacks dead callbacks.db --retry",
        ],
        "with callbacks: tests/cli/test_callbacks_cli.py",
    ),
    **dict.fromkeys(
        [
            (
                "uv run python scripts/check_drift.py --from "
                'template=http://127.0.0.1:8000/template.yaml; echo "exit code $?"'
            ),
            (
                "uv run python scripts/fetch_specs.py template --from "
                'http://127.0.0.1:8000/template.yaml; echo "exit code $?"'
            ),
            'uv run python scripts/regenerate.py; echo "exit code $?"',
        ],
        "replayed with a server: tests/drift/test_spec_updates.py",
    ),
    "sinch-wrapper sandbox --port 8787": "serves until Ctrl-C: tests/cli/test_sandbox_command.py",
    "bash .ci/run": "runs this test",
    "python3 -m pip install uv && uv run pytest": "runs this test",
    "uv run pytest -m slow": "a step of .ci/run",
    "uv run pytest tests/core/test_retry.py  # one file": "a part of the suite",
    "uv run mypy": "a step of .ci/run",
    "uv run lint-imports": "a step of .ci/run",
    "uv run ruff check --fix && uv run ruff format": "changes the files; .ci/run checks alone",
    "uv run python scripts/regenerate.py     # after a change in openapi/ or scripts/codegen/": (
        "changes the files; .ci/run checks alone"
    ),
    "uv run --group docs python scripts/build_docs.py  # the documentation as a site, in site/": (
        "tests/project/test_site.py builds it, where the group docs is installed"
    ),
    "python3 -m pip install uv && uv run sinch-wrapper demo": (
        "installs; .ci/run runs the demo of the built wheel, tests/cli/test_demo.py that of here"
    ),
    **dict.fromkeys(
        [
            "pip install .            # in a checkout: the client",
            'pip install ".[fast]"    # with httpx2 and orjson: faster async, faster JSON',
            'pip install ".[aiohttp]" # with aiohttp: connections of tasks at half the CPU',
            'pip install ".[cli]"     # with the command, bulk jobs, the sandbox, the receiver',
        ],
        "installs; .ci/run installs the wheel alone, and the same extras at their lowest versions",
    ),
}


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


def console(*pages: Path) -> list[str]:
    """The commands of the console blocks of pages."""
    lines = [
        line for page in pages for text in blocks(page, "console") for line in text.splitlines()
    ]
    return [line.removeprefix("$ ").strip() for line in lines]


HERE = [each for each in console(ROOT / "docs" / "command.md") if each not in ELSEWHERE]


def anchors(page: Path) -> set[str]:
    """The names of the headings of a page, as links have them."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_python_blocks_run(page: Path, environment: dict[str, str]) -> None:
    """The Python blocks of a page run one after the other, against the sandbox."""
    program = "\n".join(blocks(page, "python"))
    if page.name not in ALONE:
        # Warnings are errors of this process, too.
        exec(  # noqa: S102 - our own pages
            compile(program, page.name, "exec"), {"__name__": "__main__"}
        )
        return
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("command", HERE)
def test_commands_of_pages_work(command: str) -> None:
    """The commands of docs/command.md do what they say, as printed."""
    name, *arguments = shlex.split(command)
    assert ("sinch-wrapper", 0) == (name, main(arguments))


def test_console_blocks_are_run_here_or_listed() -> None:
    """A console block has no command that nobody runs, and the list names none that is gone."""
    assert {*ELSEWHERE, *HERE} == set(console(*PAGES))
    assert [] == [reason for reason in ELSEWHERE.values() if not reason]
    named = {file for reason in ELSEWHERE.values() for file in re.findall(r"tests/\S+\.py", reason)}
    assert [] == [file for file in named if not (ROOT / file).is_file()]


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    """CI runs the README's own test command, and ends with the slow tests that it leaves out."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ("uv run pytest" in script, "uv run pytest -m slow") == (True, script[-1])


def test_links_lead_somewhere() -> None:
    """Relative links of the pages point at files that exist, and at headings in them."""
    broken = [
        (page.name, target)
        for page in [*PAGES, ROOT / "openapi" / "README.md"]
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8"))
        for name, _, anchor in [target.partition("#")]
        for file in [page.parent / name if name else page]
        if not file.exists() or (anchor and anchor not in anchors(file))
    ]
    assert [] == broken


def test_the_exception_table_names_every_exception() -> None:
    """The table of docs/errors.md and the public exceptions are the same."""
    import sinch_wrapper

    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z]\w+Error)`", text))
    # What Python itself has for arguments that are wrong.
    public = {name for name in sinch_wrapper.__all__ if name.endswith("Error")}
    public |= {"TypeError", "ValueError"}
    public -= {"SinchError", "APIStatusError"} - named
    assert public == named


def test_figures_of_the_readme_are_measured() -> None:
    """The comparison has the figures of the benchmarks, also after these were measured again."""
    measured = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_figures(page, measured) == page
    other = re.sub(r"(\| base: from .*? \| )\d+", r"\g<1>1", measured)
    assert "over bare Python | 1 ms |" in with_figures(page, other)
