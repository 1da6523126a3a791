"""The workflows: pinned, modest in what they may do, and shell that does what it says."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.codegen import ROOT

FOLDER = ROOT / ".github" / "workflows"
NAMES = ["ci.yml", "spec-drift.yml"]
PINNED = re.compile(r"actions/(checkout|setup-python)@[0-9a-f]{40}")
WITH_SHELL = pytest.mark.skipif(os.name == "nt", reason="the steps are written for bash")


def workflow(name: str) -> dict[Any, Any]:
    """A workflow; its key `on` is read as true, for YAML 1.1 says so."""
    found: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    """All steps of a workflow."""
    for job in workflow(name)["jobs"].values():
        yield from job["steps"]


def step(name: str, title: str) -> str:
    """The shell of a step."""
    (found,) = [one["run"] for one in steps(name) if one.get("name") == title]
    text: str = found
    return text


def test_these_are_all_workflows() -> None:
    """No workflow escapes the tests of this file."""
    assert NAMES == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit(name: str) -> None:
    """Only three actions of GitHub itself are used, each by a commit and with its version."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    used = [one["uses"] for one in steps(name) if "uses" in one]
    assert [one for one in used if not PINNED.fullmatch(one)] == []
    assert text.count("uses: ") == len(
        re.findall(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)
    )


def test_one_action_has_one_commit() -> None:
    """Both workflows use the same version of an action."""
    used = {one["uses"] for name in NAMES for one in steps(name) if "uses" in one}
    assert len(used) == len({one.split("@")[0] for one in used}) == 2


@pytest.mark.parametrize("name", NAMES)
def test_permissions_are_read_unless_a_job_needs_more(name: str) -> None:
    """A workflow may read; only the jobs that write issues or branches may do that."""
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    wider = {key: job.get("permissions") for key, job in found["jobs"].items()}
    expected = {
        "compare": {"contents": "read", "issues": "write"},
        "propose": {"actions": "write", "contents": "write", "pull-requests": "write"},
    }
    assert {key: value for key, value in wider.items() if value} == (
        expected if name == "spec-drift.yml" else {}
    )


@pytest.mark.parametrize("name", NAMES)
def test_shell_takes_nothing_from_expressions(name: str) -> None:
    """Values reach the shell as variables, so that none of them is run."""
    assert [one["run"] for one in steps(name) if "${{" in one.get("run", "")] == []


@pytest.mark.parametrize("name", NAMES)
def test_shell_stops_at_the_first_failure(name: str) -> None:
    """The shell is named, for only then does a failure within a pipe count."""
    assert workflow(name)["defaults"] == {"run": {"shell": "bash"}}


@pytest.mark.parametrize("name", NAMES)
def test_no_credentials_are_left_behind(name: str) -> None:
    """What is installed and fetched cannot push: only the step that needs the token has it."""
    given = [one["with"] for one in steps(name) if one.get("uses", "").startswith("actions/check")]
    assert given
    assert all(one == {"persist-credentials": False} for one in given)
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text.count("github.token") == len([*holders(name)])


def holders(name: str) -> Iterator[str]:
    """The steps that have the token; each of them runs nothing but git and gh."""
    for one in steps(name):
        if "GH_TOKEN" in one.get("env", {}):
            assert "uv " not in one["run"]
            yield one["name"]


def test_every_push_has_its_own_run() -> None:
    """Only pull requests cancel older runs; a queue of pushes drops none."""
    assert workflow("ci.yml")["concurrency"]["group"] == (
        "ci-${{ github.event_name == 'pull_request' && github.ref || github.run_id }}"
    )


def test_two_runs_never_write_the_same_issue() -> None:
    """A run on demand waits for the weekly one."""
    assert workflow("spec-drift.yml")["concurrency"] == {"group": "spec-drift"}


def test_every_push_is_tested_on_all_versions_and_both_libraries() -> None:
    """The matrix has Python 3.11 to 3.14, with httpx and httpx2, without a filter of branches."""
    found = workflow("ci.yml")
    matrix = found["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["http"] == ["httpx", "httpx2"]
    assert found[True]["push"] is None
    runs = [one.get("run", "") for one in found["jobs"]["checks"]["steps"]]
    assert "bash .ci/run" in runs
    assert any("check_drift.py" in one.get("run", "") for one in found["jobs"]["drift"]["steps"])


def test_nights_have_the_newest_and_the_lowest_versions() -> None:
    """The two ends of what pyproject.toml allows are tried every night."""
    found = workflow("ci.yml")
    include = found["jobs"]["nightly"]["strategy"]["matrix"]["include"]
    assert {one["versions"]: one["resolution"] for one in include} == {
        "newest": "highest",
        "lowest": "lowest-direct",
    }
    assert found[True]["schedule"]


def test_drift_is_looked_for_weekly_and_on_demand() -> None:
    """The second workflow runs once a week, and when somebody asks."""
    triggers = workflow("spec-drift.yml")[True]
    assert triggers["schedule"][0]["cron"].endswith(" 1")
    assert "workflow_dispatch" in triggers


def test_proposal_needs_additive_drift_and_all_checks() -> None:
    """The pull request is made after exit code 1 only, and after every check of the project."""
    job = workflow("spec-drift.yml")["jobs"]["propose"]
    assert job["if"] == "needs.compare.outputs.code == '1'"
    runs = [one.get("run", "") for one in job["steps"]]
    before = "\n".join(runs[: next(i for i, run in enumerate(runs) if "gh pr" in run)])
    for check in ("regenerate.py --check", "ruff check", "mypy", "pytest", '[ "$code" = 1 ]'):
        assert check in before


def test_run_that_cannot_tell_fails() -> None:
    """Exit code 3 is seen in the list of runs, after the issue has been written."""
    titles = [one.get("name") for one in workflow("spec-drift.yml")["jobs"]["compare"]["steps"]]
    last = workflow("spec-drift.yml")["jobs"]["compare"]["steps"][-1]
    assert titles[-2:] == ["open, update or close the issue", "fail when the drift is unknown"]
    assert last["if"] == "steps.drift.outputs.code == '3'"
    assert "exit 1" in last["run"]


# The shell of the steps, with a stand-in for gh, git and uv


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Stand-ins that write down how they were called; gh answers with the file `answer`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("gh", "git", "uv"):
        answer = (
            "cat answer 2>/dev/null || true" if name == "gh" else "exit $(cat code 2>/dev/null)"
        )
        script = f'#!/bin/sh\necho "{name} $*" >> calls\n{answer}\n'
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return tmp_path


def performed(folder: Path, shell: str, **variables: str) -> list[str]:
    """The calls that the shell of a step makes."""
    environment = os.environ | {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TITLE": "Changed",
        "BRANCH": "spec-drift",
        "RUN": "https://ci.example.test/1",
        "GITHUB_OUTPUT": "output",
        "GITHUB_STEP_SUMMARY": "summary",
        "RUNNER_TEMP": str(folder),
        **variables,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", shell]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return (folder / "calls").read_text(encoding="utf-8").splitlines()


@WITH_SHELL
@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_exit_code_of_the_check_is_an_output(tools: Path, code: int) -> None:
    """No exit code ends the job: each is passed on."""
    (tools / "code").write_text(str(code), encoding="utf-8")
    (tools / "drift.md").write_text("Report", encoding="utf-8")
    (call,) = performed(
        tools, step("spec-drift.yml", "compare with the addresses in openapi/sources.toml")
    )
    assert call.startswith("uv run python scripts/check_drift.py --upstream ")
    assert (tools / "output").read_text(encoding="utf-8") == f"code={code}\n"
    assert (tools / "summary").read_text(encoding="utf-8") == "Report"


@WITH_SHELL
def test_check_without_a_report_is_passed_on(tools: Path) -> None:
    """A check that ends before it has written anything does not end the job before the issue."""
    (tools / "code").write_text("3", encoding="utf-8")
    performed(tools, step("spec-drift.yml", "compare with the addresses in openapi/sources.toml"))
    assert (tools / "output").read_text(encoding="utf-8") == "code=3\n"
    assert "No report was written" in (tools / "drift.md").read_text(encoding="utf-8")


ISSUE = "open, update or close the issue"


@WITH_SHELL
@pytest.mark.parametrize(
    ("code", "open_issue", "call"),
    [
        ("1", "", "gh issue create --title Changed --body-file body.md"),
        ("2", "7", "gh issue edit 7 --body-file body.md"),
        ("3", "7", "gh issue edit 7 --body-file body.md"),
        ("0", "7", "gh issue close 7 --comment No drift any more: https://ci.example.test/1"),
        ("0", "", None),
    ],
)
def test_one_issue_is_opened_updated_and_closed(
    tools: Path, code: str, open_issue: str, call: str | None
) -> None:
    """There is one issue, however often documents change, and none when they do not."""
    (tools / "answer").write_text(open_issue, encoding="utf-8")
    (tools / "drift.md").write_text("Report", encoding="utf-8")
    calls = performed(tools, step("spec-drift.yml", ISSUE), CODE=code)
    assert calls[0].startswith("gh issue list --state open ")
    assert calls[1:] == ([call] if call else [])


@WITH_SHELL
@pytest.mark.parametrize("size", [10, 100_000])
def test_long_report_is_cut(tools: Path, size: int) -> None:
    """An issue holds 65,536 characters; the whole report is one click away."""
    (tools / "drift.md").write_text("x" * size, encoding="utf-8")
    performed(tools, step("spec-drift.yml", ISSUE), CODE="1")
    body = (tools / "body.md").read_text(encoding="utf-8")
    assert len(body) < 65_536
    assert ("The rest is cut off." in body) is (size > 60_000)
    assert body.endswith("Full report: https://ci.example.test/1\n")


@WITH_SHELL
@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_only_what_is_additive_is_proposed(tools: Path, code: int) -> None:
    """The documents that were fetched are rated once more, against those of the commit."""
    (tools / "code").write_text(str(code), encoding="utf-8")
    shell = step("spec-drift.yml", "rate what was fetched").replace("git worktree", "true")
    if code == 1:
        (call,) = performed(tools, shell)
        assert f"--documents {tools}/before/openapi --generated {tools}/before/generated" in call
        assert call.count("--from ") == 3
    else:
        with pytest.raises(subprocess.CalledProcessError):
            performed(tools, shell)


@WITH_SHELL
@pytest.mark.parametrize(
    ("pull_request", "call"),
    [("", "gh pr create --head spec-drift"), ("8", "gh pr edit spec-drift")],
)
def test_one_pull_request_is_opened_or_updated(tools: Path, pull_request: str, call: str) -> None:
    """The branch is written anew, and so is the one pull request."""
    (tools / "answer").write_text(pull_request, encoding="utf-8")
    (tools / "summary.txt").write_text("models: 1 added", encoding="utf-8")
    shell = step("spec-drift.yml", "open or update the pull request")
    calls = performed(tools, shell.replace("git diff --quiet", "false && git diff --quiet", 1))
    assert "git push --force origin spec-drift" in calls
    assert calls[-2].startswith(call)
    # The push of a workflow starts none, so CI is asked for.
    assert calls[-1] == "gh workflow run ci.yml --ref spec-drift"
    assert "models: 1 added" in (tools / "body.md").read_text(encoding="utf-8")


@WITH_SHELL
def test_no_pull_request_without_a_difference(tools: Path) -> None:
    """Where regenerating changes nothing, nothing is pushed."""
    calls = performed(tools, step("spec-drift.yml", "open or update the pull request"))
    assert calls == ["git diff --quiet -- openapi generated"]
