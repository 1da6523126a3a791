"""The workflows as they are written: pinned, modest in what they may do, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.helpers.codegen import ROOT
from tests.helpers.workflows import FOLDER, steps, workflow

NAMES = ["ci.yml", "release.yml", "spec-drift.yml"]
# Actions of GitHub itself, and the one of PyPA that uploads.
ACTIONS = {
    "actions/attest-build-provenance",
    "actions/checkout",
    "actions/download-artifact",
    "actions/setup-python",
    "actions/upload-artifact",
    "pypa/gh-action-pypi-publish",
}
# What each job may do beyond reading the repository.
WRITERS = {
    "spec-drift.yml: report": {"issues": "write"},
    "spec-drift.yml: propose": {"actions": "write", "contents": "write", "pull-requests": "write"},
    "release.yml: attest": {"attestations": "write", "id-token": "write"},
    "release.yml: publish": {"id-token": "write"},
}
REQUIREMENTS = ROOT / ".github" / "requirements"


def jobs() -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    """Every job of every workflow, with what it may do."""
    for name in NAMES:
        found = workflow(name)
        for key, job in found["jobs"].items():
            yield f"{name}: {key}", job, job.get("permissions", found["permissions"])


def test_these_are_all_workflows() -> None:
    """No workflow escapes the tests of this file."""
    assert NAMES == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit(name: str) -> None:
    """Only these actions are used, each by a commit and with its version."""
    used = [one["uses"] for one in steps(name) if "uses" in one]
    assert set() == {one.split("@")[0] for one in used} - ACTIONS
    text = (FOLDER / name).read_text(encoding="utf-8")
    pinned = re.findall(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)
    assert len(used) == text.count("uses: ") == len(pinned)


def test_one_action_has_one_commit() -> None:
    """All workflows use the same version of an action."""
    used = {one["uses"] for name in NAMES for one in steps(name) if "uses" in one}
    assert len(ACTIONS) == len(used)


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_may_do_nothing_by_itself(name: str) -> None:
    """What a job may do is written beside it, except for reading, which all jobs of CI may do."""
    expected = {"contents": "read"} if name == "ci.yml" else {}
    assert expected == workflow(name)["permissions"]


def test_few_jobs_may_write() -> None:
    """All others may read the repository, or nothing."""
    writers = {key: may for key, _, may in jobs() if "write" in may.values()}
    assert WRITERS == writers
    assert [] == [key for key, _, may in jobs() if not set(may.values()) <= {"read", "write"}]


def test_a_job_that_may_write_runs_nothing_of_the_repository() -> None:
    """It runs git, gh and plain tools of the machine: no package, script or generated code."""
    runs = re.compile(
        r"\b(uvx?|python3?|pip|npm|npx|node|bash|sh|source|eval|make)\b|\.ci|scripts/"
    )
    for key, job, may in jobs():
        if "write" in may.values():
            shell = "\n".join(one.get("run", "") for one in job["steps"])
            assert [] == [line for line in shell.splitlines() if runs.search(line)], key
            used = {one["uses"].split("@")[0] for one in job["steps"] if "uses" in one}
            assert set() == used & {"actions/setup-python", "actions/upload-artifact"}, key


def test_the_token_is_given_to_single_steps_of_writers() -> None:
    """Only a step that calls gh has the token, and only in a job that may write."""
    for key, job, may in jobs():
        holders = [one for one in job["steps"] if "github.token" in str(one)]
        assert not holders or "write" in may.values(), key
        assert [] == [one for one in holders if "gh " not in one["run"]]
    text = "".join((FOLDER / name).read_text(encoding="utf-8") for name in NAMES)
    assert 2 == text.count("github.token")
    assert "secrets." not in text
    assert "secrets:" not in text


@pytest.mark.parametrize("name", NAMES)
def test_no_credentials_are_left_behind(name: str) -> None:
    """A checkout leaves no token in the settings of git."""
    given = [one["with"] for one in steps(name) if one.get("uses", "").startswith("actions/check")]
    assert given
    assert [] == [one for one in given if one["persist-credentials"] is not False]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_crosses_runs(name: str) -> None:
    """No cache, which an unprivileged run could fill, and no trigger that gives a fork rights."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert [] == re.findall(r"\bcache\b|pull_request_target|workflow_run|self-hosted", text)


@pytest.mark.parametrize("name", NAMES)
def test_shell_takes_nothing_from_expressions(name: str) -> None:
    """Values reach the shell as variables, so that none of them is run."""
    assert [] == [one["run"] for one in steps(name) if "${{" in one.get("run", "")]


@pytest.mark.parametrize("name", NAMES)
def test_shell_stops_at_the_first_failure(name: str) -> None:
    """The shell is named, because only then does a failure within a pipe count."""
    assert {"run": {"shell": "bash"}} == workflow(name)["defaults"]


def test_jobs_have_names_and_a_time_limit() -> None:
    """A list of runs reads well, and a job that hangs ends."""
    assert [] == [key for key, job, _ in jobs() if not job.get("name")]
    assert [] == [key for key, job, _ in jobs() if not job["timeout-minutes"] <= 60]


# What jobs install


def test_installers_are_pinned_by_hash() -> None:
    """Each job that installs something begins with one version of uv, whose files have hashes."""
    pinned = "python -m pip install --require-hashes --requirement .github/requirements/uv.txt"
    shell = [one["run"] for name in NAMES for one in steps(name) if "run" in one]
    shell.append((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert {pinned} == {one for one in shell if "python -m pip install" in one and "\n" not in one}
    assert [] == [one for one in shell if re.search(r"pip install (?:--quiet )?uv\b", one)]
    loose = r"uv tool run (?!\S+==\d)|uvx "
    assert [] == [one for one in shell if re.search(loose, one)]


@pytest.mark.parametrize("name", ["uv.txt", "build.txt"])
def test_every_requirement_has_a_version_and_hashes(name: str) -> None:
    """Nothing in the lists is loose, neither a version nor a file."""
    text = (REQUIREMENTS / name).read_text(encoding="utf-8")
    entries = re.sub(r"^#.*\n|\\\n", "", text, flags=re.MULTILINE).splitlines()
    entry = re.compile(r"[a-z-]+==[\d.]+(?: +--hash=sha256:[0-9a-f]{64})+")
    assert entries
    assert [] == [one for one in entries if not entry.fullmatch(one)]
    assert ["build.txt", "uv.txt"] == sorted(path.name for path in REQUIREMENTS.iterdir())


def test_updates_of_pins_are_proposed() -> None:
    """Actions, installers and dependencies are looked at weekly, and grouped."""
    text = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")
    updates = yaml.safe_load(text)["updates"]
    assert [
        ("github-actions", "/"),
        ("pip", "/.github/requirements"),
        ("pip", "/"),
    ] == [(one["package-ecosystem"], one["directory"]) for one in updates]
    assert [] == [one for one in updates if one["schedule"] != {"interval": "weekly"}]
    assert [] == [one for one in updates if not one["groups"] or not one["cooldown"]]


# When they run


def test_every_push_has_its_own_run() -> None:
    """Only pull requests cancel older runs; a queue of pushes drops none."""
    assert (
        "ci-${{ github.event_name == 'pull_request' && github.ref || github.run_id }}"
        == workflow("ci.yml")["concurrency"]["group"]
    )


@pytest.mark.parametrize("name", ["spec-drift", "release"])
def test_two_runs_never_write_at_the_same_time(name: str) -> None:
    """A second run waits for the first one."""
    assert {"group": name} == workflow(f"{name}.yml")["concurrency"]


def test_every_push_is_tested_on_all_versions_and_libraries() -> None:
    """The matrix has Python 3.11 to 3.14, with httpx and httpx2, without a filter of branches.

    aiohttp, which makes connections of tasks alone, is tried on one version of two systems.
    """
    found = workflow("ci.yml")
    matrix = found["jobs"]["tests"]["strategy"]["matrix"]
    assert ["3.11", "3.12", "3.13", "3.14"] == matrix["python"]
    assert ["httpx", "httpx2"] == matrix["http"]
    assert {"aiohttp"} == {each["http"] for each in matrix["include"]}
    assert found[True]["push"] is None
    runs = [one.get("run", "") for one in found["jobs"]["checks"]["steps"]]
    assert "bash .ci/run" in runs
    assert any("check_drift.py" in one.get("run", "") for one in found["jobs"]["drift"]["steps"])


def test_nights_have_the_newest_and_the_lowest_versions() -> None:
    """The two ends of what pyproject.toml allows are tried every night."""
    found = workflow("ci.yml")
    include = found["jobs"]["nightly"]["strategy"]["matrix"]["include"]
    assert {"newest": "highest", "lowest": "lowest-direct"} == {
        one["versions"]: one["resolution"] for one in include
    }
    assert found[True]["schedule"]


def test_nights_have_an_audit() -> None:
    """Vulnerabilities are looked up for what is pinned, and for both ends of what is allowed."""
    job = workflow("ci.yml")["jobs"]["audit"]
    assert workflow("ci.yml")["jobs"]["nightly"]["if"] == job["if"]
    include = job["strategy"]["matrix"]["include"]
    assert ["pinned", "newest", "lowest"] == [one["versions"] for one in include]
    assert "pip-audit" in job["steps"][-1]["run"]


def test_drift_is_looked_for_weekly_and_on_demand() -> None:
    """The workflow of drift runs once a week, and when somebody asks."""
    triggers = workflow("spec-drift.yml")[True]
    assert triggers["schedule"][0]["cron"].endswith(" 1")
    assert "workflow_dispatch" in triggers


def test_proposal_needs_additive_drift_and_all_checks() -> None:
    """A patch is packed after exit code 1 only, and after every check of the project."""
    job = workflow("spec-drift.yml")["jobs"]["prepare"]
    assert "needs.compare.outputs.code == '1'" == job["if"]
    runs = [one.get("run", "") for one in job["steps"]]
    before = "\n".join(runs[: next(i for i, run in enumerate(runs) if "update.patch" in run)])
    for check in ("regenerate.py --check", "ruff check", "mypy", "pytest", '[ "$code" = 1 ]'):
        assert check in before
