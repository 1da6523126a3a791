"""The release workflow, carried out: what a tag needs, and that the tested files are published."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.codegen import ROOT
from tests.helpers.workflows import Runner, git, workflow

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the jobs run on Linux")

CHANGES = (
    "# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n- First.\n\n## 1.2.2 (2020-01-01)\n\n## 1.1.0\n"
)
# Stands in for uv: it reads the version as uv does, and builds two files.
UV = """
case "$1" in
  version) sed -n 's/^version = "\\(.*\\)"/\\1/p' pyproject.toml;;
  build)
    echo "$*" > ../build
    mkdir dist; touch dist/.gitignore
    echo wheel > dist/sinch_wrapper-1.2.3-py3-none-any.whl
    echo sdist > dist/sinch_wrapper-1.2.3.tar.gz;;
  run)
    echo "$*" >> ../run
    version=$(cat "$RUNNER_TEMP/../../installed")
    case "$*" in *smoke.py) echo "sinch-wrapper $version: 1 name";; esac
esac
"""


def runner_of(folder: Path, version: str, changes: str = CHANGES, tag: str = "v1.2.3") -> Runner:
    """A run for a tag on a repository with that version and changelog."""
    seed = folder / "seed"
    seed.mkdir()
    (seed / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    (seed / "CHANGELOG.md").write_text(changes)
    git(seed, "init", "--quiet", "--initial-branch=main")
    git(seed, "add", "--all")
    git(seed, "commit", "--quiet", "--message=begin")
    git(folder, "clone", "--quiet", "--bare", str(seed), "remote.git")
    event = {"github.ref_name": tag, "github.event.repository.default_branch": "main"}
    runner = Runner(
        folder, "release.yml", event=event | {"matrix.file": "whl", "matrix.python": "3.11"}
    )
    runner.tool("uv", UV)
    runner.tool("python", "exit 0")
    (folder / "installed").write_text("1.2.3")
    return runner


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A run for a tag that has everything."""
    return runner_of(tmp_path, "1.2.3")


def test_tag_with_version_and_changelog_is_built(runner: Runner) -> None:
    """Two files are built with tools that have hashes, and their digests are an output."""
    runner.run("build")
    files = ["sinch_wrapper-1.2.3-py3-none-any.whl", "sinch_wrapper-1.2.3.tar.gz"]
    assert files == sorted(path.name for path in runner.artifact("dist").iterdir())
    lines = runner.needs["build"]["digests"].splitlines()
    assert files == [line.split()[1] for line in lines]
    command = (runner.folder / "build" / "build").read_text()
    assert "--require-hashes --build-constraints .github/requirements/build.txt" in command


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (("1.2.4", CHANGES, "v1.2.3"), "the tag is v1.2.3, the version is 1.2.4"),
        (("1.2.3", CHANGES, "v1.2.30"), "the tag is v1.2.30, the version is 1.2.3"),
        (("1.2.3", CHANGES, "1.2.3"), "the tag is 1.2.3, the version is 1.2.3"),
        (("1.2.3rc1", CHANGES + "\n## 1.2.3rc1\n- x\n", "v1.2.3rc1"), "the version is not X.Y.Z"),
        (("1.2.3", "# Changelog\n\n## Unreleased\n\n- 1.2.3\n", "v1.2.3"), "has no section 1.2.3"),
        (("1.2.3", "# Changelog\n\n## 1.2.30\n\n- x\n", "v1.2.3"), "has no section 1.2.3"),
        (("1.2.3", "# Changelog\n\n## 1x2.3\n\n- x\n", "v1.2.3"), "has no section 1.2.3"),
        (("1.2.2", CHANGES, "v1.2.2"), "has no section 1.2.2"),
        (("1.1.0", CHANGES, "v1.1.0"), "has no section 1.1.0"),
    ],
)
def test_tag_without_version_or_changelog_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], case: tuple[str, str, str], reason: str
) -> None:
    """The tag, the version and a section of the changelog with text in it must agree."""
    runner = runner_of(tmp_path, *case)
    with pytest.raises(subprocess.CalledProcessError):
        runner.run("build")
    assert reason in capfd.readouterr().out
    assert not (tmp_path / "build" / "build").exists()


def test_tag_beside_the_default_branch_is_refused(
    runner: Runner, capfd: pytest.CaptureFixture[str]
) -> None:
    """What nobody merged is not released."""
    git(runner.remote, "branch", "other")
    git(runner.folder, "clone", "--quiet", "--branch=other", "remote.git", "clone")
    git(runner.folder / "clone", "commit", "--allow-empty", "--quiet", "--message=aside")
    git(runner.folder / "clone", "push", "--quiet")
    git(runner.remote, "symbolic-ref", "HEAD", "refs/heads/other")
    with pytest.raises(subprocess.CalledProcessError):
        runner.run("build")
    assert "not released: the tag is not on main" in capfd.readouterr().out


def changed(folder: Path) -> None:
    """One byte of the wheel."""
    next(folder.glob("*.whl")).write_text("wheeL\n")


def added(folder: Path) -> None:
    """One more file."""
    (folder / "sinch_wrapper-1.2.3-py2-none-any.whl").write_text("x")


def hidden(folder: Path) -> None:
    """One more file, which a pattern does not see."""
    (folder / ".hidden").write_text("x")


def removed(folder: Path) -> None:
    """One file less."""
    next(folder.glob("*.whl")).unlink()


def renamed(folder: Path) -> None:
    """The same bytes under another name."""
    path = next(folder.glob("*.whl"))
    path.rename(path.with_name("sinch_wrapper-1.2.4-py3-none-any.whl"))


@pytest.mark.parametrize("job", ["test", "attest", "publish"])
@pytest.mark.parametrize("change", [changed, added, hidden, removed, renamed])
def test_files_that_are_not_the_built_ones_go_no_further(
    runner: Runner, job: str, change: Callable[[Path], None]
) -> None:
    """Who replaces the artifact cannot replace the digests, which every later job compares."""
    runner.run("build")
    runner.run(job)
    change(runner.artifact("dist"))
    with pytest.raises(subprocess.CalledProcessError):
        runner.run(job)


@pytest.mark.parametrize("file", ["whl", "tar.gz"])
def test_both_files_are_tried_as_a_user_installs_them(runner: Runner, file: str) -> None:
    """Each is installed alone, without the settings of this repository, and runs the demo."""
    runner.event["matrix.file"] = file
    runner.run("build")
    runner.run("test")
    smoke, demo = (runner.folder / "test" / "run").read_text().splitlines()
    clean = "run --no-config --no-project --isolated --with "
    name = {"whl": "sinch_wrapper-1.2.3-py3-none-any.whl", "tar.gz": "sinch_wrapper-1.2.3.tar.gz"}
    assert f"{clean}{runner.folder}/test/work/dist/{name[file]} python -P scripts/smoke.py" == smoke
    assert demo.endswith(f"/dist/{name[file]}[cli] sinch-wrapper demo")


def test_another_version_inside_is_noticed(runner: Runner) -> None:
    """What is installed must call itself by the version of the tag."""
    runner.run("build")
    (runner.folder / "installed").write_text("1.2.30")
    with pytest.raises(subprocess.CalledProcessError):
        runner.run("test")


def test_order_and_rights_of_the_jobs() -> None:
    """Nothing is attested before all checks, nothing published before it is attested."""
    jobs = workflow("release.yml")["jobs"]
    needs = {key: job.get("needs") for key, job in jobs.items()}
    assert {
        "checks": None,
        "build": None,
        "test": "build",
        "attest": ["checks", "build", "test"],
        "publish": ["build", "attest"],
    } == needs
    assert "pypi" == jobs["publish"]["environment"]
    built = [key for key, job in jobs.items() if "uv build" in str(job)]
    assert ["build"] == built
    assert {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}} == workflow("release.yml")[True]


def test_build_tools_are_those_of_the_project() -> None:
    """The list of build tools has what pyproject.toml builds with."""
    assert "\nhatchling==" in (ROOT / ".github/requirements/build.txt").read_text()
    assert '\nrequires = ["hatchling>=' in (ROOT / "pyproject.toml").read_text()
