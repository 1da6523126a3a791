"""The weekly workflow, carried out: what its jobs hand on, and what can never cross to a token."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.workflows import TOKEN, Runner, git

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the jobs run on Linux")

MODEL = "generated/sinch_batch_api/models/agent.py"
BEGIN = {
    ".github/workflows/ci.yml": "name: ci\n",
    "README.md": "# Readme\n",
    "openapi/README.md": "# Documents\n",
    "openapi/batch.yaml": "openapi: 3.0.3\n",
    "openapi/overlays/batch-repairs.yaml": "overlay: 1.0.0\n",
    "generated/sinch_batch_api/__init__.py": "",
    MODEL: "a = 1\n",
}
# Stands in for uv: fetches a document and generates code, and checks end as the file `code` says.
UV = """
case "$*" in
  *fetch_specs*) echo 'info: {}' >> openapi/batch.yaml;;
  *check_drift*) exit "$(cat "$RUNNER_TEMP/../../code")";;
  *--check*) ;;
  *regenerate*)
    echo 'b = 2' >> generated/sinch_batch_api/models/agent.py
    echo 'c = 3' > generated/sinch_batch_api/models/added.py
    echo 'models: 1 added `@everybody` <b>';;
esac
"""


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A run of the workflow on a repository like this one, with additive drift upstream."""
    seed = tmp_path / "seed"
    write(seed, BEGIN)
    git(seed, "init", "--quiet", "--initial-branch=main")
    git(seed, "add", "--all")
    git(seed, "commit", "--quiet", "--message=begin")
    git(tmp_path, "clone", "--quiet", "--bare", str(seed), "remote.git")
    event = {
        "github.server_url": "https://ci.example.test",
        "github.repository": "owner/project",
        "github.run_id": "1",
    }
    runner = Runner(tmp_path, "spec-drift.yml", event=event)
    runner.tool("uv", UV)
    runner.tool("python", "exit 0")
    (tmp_path / "code").write_text("1")
    return runner


def branches(runner: Runner) -> list[str]:
    """The branches of the repository."""
    return git(runner.remote, "branch", "--format=%(refname:short)").splitlines()


def test_update_becomes_one_branch_and_one_pull_request(runner: Runner) -> None:
    """Documents and generated code are pushed, new files too; CI is requested on the branch."""
    runner.run("prepare")
    runner.run("propose")
    changed = git(runner.remote, "diff", "--name-only", "main", "spec-drift").splitlines()
    assert [
        "generated/sinch_batch_api/models/added.py",
        MODEL,
        "openapi/batch.yaml",
    ] == changed
    assert "1" == git(runner.remote, "rev-list", "--count", "main..spec-drift")
    calls = runner.calls("propose")
    assert calls[2].startswith("gh pr create --head spec-drift ")
    # The push of a workflow starts none, so CI is asked for.
    assert "gh workflow run ci.yml --ref spec-drift" == calls[-1]
    runner.answers.write_text("8")
    runner.run("propose")
    assert runner.calls("propose")[2].startswith("gh pr edit spec-drift ")


def test_text_of_the_other_job_stays_inside_its_code_block(runner: Runner) -> None:
    """The summary cannot end the code block that it stands in, so it has no mark-up."""
    runner.run("prepare")
    summary = runner.artifact("update") / "summary.txt"
    summary.write_text("a\n```\n<img src=x>\x1b[2J\u202e\n" + "x" * 100_000)
    runner.run("propose")
    body = (runner.folder / "propose" / "temp" / "body.md").read_text(encoding="utf-8")
    begin, inside, end = body.split("```")
    assert "All changes are additive, and all tests pass.\n" == begin
    assert "\n" == end
    assert inside.startswith("text\na\n'''\n<img src=x>?[2J???\n")
    assert len(body) < 65_536


def test_nothing_is_proposed_without_a_difference(runner: Runner) -> None:
    """Where fetching and regenerating change nothing, the second job does not run."""
    runner.tool("uv", 'case "$*" in *check_drift*) exit 1;; esac')
    runner.run("prepare")
    assert {"changed": "false"} == runner.needs["prepare"]
    job = runner.workflow["jobs"]["propose"]
    assert "needs.prepare.outputs.changed == 'true'" == job["if"]


@pytest.mark.parametrize("code", [0, 2, 3])
def test_only_what_is_additive_is_prepared(runner: Runner, code: int) -> None:
    """The documents that were fetched are rated once more, against those of the commit."""
    (runner.folder / "code").write_text(str(code))
    with pytest.raises(subprocess.CalledProcessError):
        runner.run("prepare")
    assert not runner.artifact("update").exists()


# What the first job may leave behind


PLANT = r"""
here="$RUNNER_TEMP/planted"; mkdir -p "$here" .git/hooks
spy='#!/bin/bash
echo "${0##*/} ${GH_TOKEN-none}" >> SEEN'
for name in pre-push pre-commit post-commit reference-transaction post-index-change fsmonitor; do
  echo "$spy" > ".git/hooks/$name"; chmod +x ".git/hooks/$name"
done
for name in git gh tr head; do
  printf '%s\nPATH=${PATH#*:} exec %s "$@"\n' "$spy" "$name" > "$here/$name"; chmod +x "$here/$name"
done
git config core.fsmonitor "$PWD/.git/hooks/fsmonitor"
git config --global core.hooksPath "$PWD/.git/hooks"
echo "$here" >> "$GITHUB_PATH"
echo "echo bash-env \${GH_TOKEN-none} >> SEEN" > "$here/env"
echo "BASH_ENV=$here/env" >> "$GITHUB_ENV"
"""


@pytest.fixture
def seen(runner: Runner) -> Path:
    """The first job runs hostile code at its first step; the file says what that code saw later."""
    path = runner.folder / "seen"
    runner.tool("uv", f'[ "$*" != sync ] || {{ {PLANT.replace("SEEN", str(path))} }}\n{UV}')
    return path


def test_what_the_first_job_plants_never_sees_the_token(runner: Runner, seen: Path) -> None:
    """Hooks, settings of git, programs and variables stay on the machine of the first job."""
    runner.run("prepare")
    assert "bash-env none" in seen.read_text()
    seen.unlink()
    runner.run("propose")
    assert ["main", "spec-drift"] == branches(runner)
    assert not seen.exists()


def test_the_same_plants_would_see_the_token_on_one_machine(runner: Runner, seen: Path) -> None:
    """The plants work: with both jobs on one machine they see it, as they did before the split."""
    jobs = runner.workflow["jobs"]
    both = [*jobs["prepare"]["steps"], *jobs["propose"]["steps"][1:]]
    jobs["both"] = {"steps": both}
    runner.run("both")
    lines = set(seen.read_text().splitlines())
    assert {f"pre-push {TOKEN}", f"bash-env {TOKEN}", f"gh {TOKEN}"} <= lines


def link(folder: Path) -> None:
    """A link in place of a generated file."""
    (folder / MODEL).unlink()
    (folder / MODEL).symlink_to("../../../README.md")


def new_link(folder: Path) -> None:
    """A new link with an innocent name."""
    (folder / "generated/sinch_batch_api/extra.py").symlink_to("/proc/self/environ")


def executable(folder: Path) -> None:
    """A generated file that became executable."""
    (folder / MODEL).chmod(0o755)


def binary(folder: Path) -> None:
    """A file that is not text."""
    (folder / MODEL).write_bytes(b"\0\1\2" * 100)


def hidden_binary(folder: Path) -> None:
    """A file that is not text, with attributes that call it text."""
    (folder / "generated/.gitattributes").write_text("* diff\n")
    binary(folder)


def renamed(folder: Path) -> None:
    """A generated file that moved out of its folder."""
    (folder / MODEL).rename(folder / "conftest.py")


def module(folder: Path) -> None:
    """Another repository inside."""
    inner = folder / "generated/sinch_batch_api/inner"
    write(inner, {"a.py": "a = 1\n"})
    git(inner, "init", "--quiet")
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message=x")


def file(name: str) -> Callable[[Path], None]:
    """A file that was written or changed, with text in it."""
    return lambda folder: write(folder, {name: "text: 1\n"})


HOSTILE = [
    link,
    new_link,
    executable,
    binary,
    hidden_binary,
    renamed,
    module,
    *map(
        file,
        [
            ".github/workflows/ci.yml",
            ".github/workflows/more.yml",
            ".ci/run",
            "README.md",
            "pyproject.toml",
            "scripts/regenerate.py",
            "sinch_wrapper/__init__.py",
            "openapi/README.md",
            "openapi/overlays/batch-repairs.yaml",
            "openapi/.gitattributes",
            "openapi/conftest.py",
            "generated/sitecustomize.py",
            "generated/conftest.py",
            "generated/sinch_batch_api/.hidden.py",
            "generated/sinch_batch_api/run.sh",
            "generated/sinch_batch_api/models/a.pth",
            "generated/sinch_batch_api/models/\u0430gent.py",
            "generated/sinch_batch_api/models/a b.py",
            "generated/sinch_batch_api/models/a\nb.py",
            "generatedx/sinch_batch_api/a.py",
        ],
    ),
]


def patch_of(folder: Path, change: Callable[[Path], None]) -> bytes:
    """What git makes of a change of the whole tree, beside a harmless one."""
    write(folder, BEGIN | {"openapi/batch.yaml": "openapi: 3.0.4\n"})
    change(folder)
    git(folder, "add", "--all", "--force")
    command = ["git", "diff", "--cached", "--binary", "--no-renames"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


def proposed(runner: Runner, patch: bytes) -> bool:
    """Whether a patch from the first job is pushed."""
    runner.needs["prepare"] = {"changed": "true"}
    folder = runner.artifact("update")
    folder.mkdir(parents=True)
    (folder / "update.patch").write_bytes(patch)
    (folder / "summary.txt").write_text("models: 1 added")
    try:
        runner.run("propose")
    except subprocess.CalledProcessError as error:
        if "git apply --cached" not in error.cmd[-1]:  # another step than the one that checks
            raise
        assert [] == runner.calls("propose")
    return "spec-drift" in branches(runner)


@pytest.mark.parametrize("change", HOSTILE, ids=lambda change: change.__name__)
def test_patch_that_touches_anything_else_is_refused(
    runner: Runner, change: Callable[[Path], None]
) -> None:
    """One path, mode or byte beyond text of documents and generated code, and nothing is pushed."""
    patch = patch_of(runner.folder / "seed", change)
    assert patch.count(b"diff --git") >= 2 or change is executable
    assert not proposed(runner, patch)


def test_harmless_part_of_those_patches_is_proposed(runner: Runner) -> None:
    """What is beside each hostile change in those tests is accepted by itself."""
    assert proposed(runner, patch_of(runner.folder / "seed", file(MODEL)))


ADDED = "diff --git a/{0} b/{0}\nnew file mode {1}\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n"


@pytest.mark.parametrize(
    "patch",
    [
        *(
            ADDED.format(name, "100644").encode()
            for name in (
                "../outside.py",
                "generated/../README2.md",
                "generated/sinch_batch_api/../../.github/workflows/x.yml",
                "/outside.py",
                ".git/hooks/pre-push",
                "generated/sinch_batch_api/.git/config",
                ".GIT/config",
            )
        ),
        ADDED.format("generated/sinch_batch_api/a.py", "120000").encode(),
        ADDED.format("generated/sinch_batch_api/a.py", "100755").encode(),
        ADDED.format("generated/sinch_batch_api/a.py", "160000").encode(),
        ADDED.format("generated/sinch_batch_api/a.py", "100644").encode() + b"\0",
        b"",
        b"\n",
        b"nothing that git knows\n",
        b"::set-output name=changed::true\n",
    ],
)
def test_patch_made_by_hand_is_refused(runner: Runner, patch: bytes) -> None:
    """Paths that leave the folders, links, modes, and what is not a patch at all."""
    assert not proposed(runner, patch)
    assert not (runner.folder / "outside.py").exists()


def test_link_then_file_through_it_is_refused(runner: Runner) -> None:
    """A patch cannot make a link and write through it."""
    first = ADDED.format("generated/sinch_batch_api/out", "120000").replace("+x", "+../../.github")
    second = ADDED.format("generated/sinch_batch_api/out/x.py", "100644")
    assert not proposed(runner, (first + second).encode())


@pytest.mark.parametrize(("size", "expected"), [(1_000_000, True), (20_000_000, False)])
def test_size_of_a_patch_is_limited(runner: Runner, size: int, *, expected: bool) -> None:
    """20 MB are ten times all documents and generated code of today."""
    line = b"+" + b"x" * 99 + b"\n"
    count = size // len(line)
    head = ADDED.format("generated/sinch_batch_api/a.py", "100644").encode()
    patch = head.replace(b"+1 @@\n+x\n", b"+1,%d @@\n" % count) + line * count
    assert expected is proposed(runner, patch)


@pytest.mark.parametrize("name", ["update.patch", "summary.txt"])
def test_links_in_the_artifact_are_not_followed(runner: Runner, name: str) -> None:
    """A link in place of a file could lead to what this machine keeps."""
    runner.run("prepare")
    path = runner.artifact("update") / name
    path.rename(path.with_name("kept"))
    path.symlink_to("kept")
    with pytest.raises(subprocess.CalledProcessError):
        runner.run("propose")
    assert ["main"] == branches(runner)
    assert [] == runner.calls("propose")


# The report and the one issue


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_exit_code_of_the_check_is_an_output(runner: Runner, code: int) -> None:
    """No exit code ends the job: each is passed on, with the report."""
    (runner.folder / "code").write_text(str(code))
    runner.tool("uv", f'[ "$*" = sync ] || echo Report > drift.md\n{UV}')
    runner.run("compare")
    assert {"code": str(code)} == runner.needs["compare"]
    assert "Report\n" == (runner.artifact("report") / "drift.md").read_text(encoding="utf-8")
    assert "Report\n" == (runner.folder / "compare" / "summary").read_text(encoding="utf-8")


def test_check_without_a_report_is_passed_on(runner: Runner) -> None:
    """A check that ends before it has written anything does not end the job before the issue."""
    (runner.folder / "code").write_text("3")
    runner.run("compare")
    assert {"code": "3"} == runner.needs["compare"]
    report = (runner.artifact("report") / "drift.md").read_text(encoding="utf-8")
    assert "No report was written" in report


def reported(runner: Runner, code: str, report: str = "Report") -> list[str]:
    """The calls of gh after the check has ended with a code."""
    runner.needs["compare"] = {"code": code}
    write(runner.artifact("report"), {"drift.md": report})
    runner.run("report")
    return runner.calls("report")


@pytest.mark.parametrize(
    ("code", "open_issue", "call"),
    [
        ("1", "", "gh issue create --title Drift of the official documents --body-file body.md"),
        ("2", "7", "gh issue edit 7 --body-file body.md"),
        ("0", "7", "gh issue close 7 --comment No drift any more: "),
        ("0", "", None),
    ],
)
def test_one_issue_is_opened_updated_and_closed(
    runner: Runner, code: str, open_issue: str, call: str | None
) -> None:
    """There is one issue, however often documents change, and none when they do not."""
    runner.answers.write_text(open_issue)
    calls = reported(runner, code)
    assert calls[0].startswith("gh issue list --state open ")
    looked = [one for one in calls if one.startswith("gh issue view 7 ")]
    assert (1 if call is None else 2) + len(looked) == len(calls)
    assert calls[-1].startswith(call or "gh issue list")


def test_comment_says_what_is_new_since_the_last_report(runner: Runner) -> None:
    """Rows whose fingerprint the issue does not have yet; an edit alone notifies nobody."""
    runner.answers.write_text("7")
    row = "| breaking | both | `#/a` | a was removed | | {} |\n".format
    calls = reported(runner, "2", row("0123456789ab") + row("ba9876543210"))
    assert "gh issue comment 7 --body-file new.md" in calls
    (path,) = runner.folder.rglob("new.md")
    said = path.read_text(encoding="utf-8")
    assert said.endswith(row("0123456789ab") + row("ba9876543210"))
    assert "gh issue edit 7 --body-file body.md" == calls[-1]


def test_run_that_cannot_tell_fails(runner: Runner) -> None:
    """Exit code 3 is seen in the list of runs, after the issue has been written."""
    runner.answers.write_text("7")
    with pytest.raises(subprocess.CalledProcessError):
        reported(runner, "3")
    assert "gh issue edit 7 --body-file body.md" == runner.calls("report")[-1]


@pytest.mark.parametrize("size", [10, 100_000])
def test_long_report_is_cut(runner: Runner, size: int) -> None:
    """An issue holds 65,536 characters; the whole report is one click away."""
    reported(runner, "1", "x" * size)
    body = (runner.folder / "report" / "work" / "body.md").read_text(encoding="utf-8")
    assert len(body) < 65_536
    assert (size > 60_000) is ("The rest is cut off." in body)
    assert body.endswith("Full report: https://ci.example.test/owner/project/actions/runs/1\n")


def test_report_that_is_a_link_is_not_followed(runner: Runner) -> None:
    """A link in place of the report could lead to what this machine keeps."""
    folder = runner.artifact("report")
    folder.mkdir(parents=True)
    (folder / "drift.md").symlink_to("/proc/self/environ")
    runner.needs["compare"] = {"code": "1"}
    with pytest.raises(subprocess.CalledProcessError):
        runner.run("report")
    assert [] == runner.calls("report")
