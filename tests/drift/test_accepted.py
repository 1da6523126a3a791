"""Changes that were accepted, changes that are new, and what changed since a revision."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import check_drift
import pytest
import regenerate
from drift import accepted
from drift.change import Change, Direction, Kind
from drift.impact import Touched
from drift.report import DocumentReport, Finding, Report

from codegen.document import Node, Refused
from codegen.surface import Fact, Names, SurfaceChange
from tests.helpers.codegen import (
    STRING,
    THINGS,
    document,
    obj,
    operation,
    parameter,
    ref,
    write_documents,
    write_json,
)

DAY = datetime.date(2030, 5, 17)
CHANGE = Change("#/a", Kind.BREAKING, Direction.BOTH, "a was removed")
FACT = Fact("things_api: Thing.a", "is gone, was str", breaks=True)
MARKS = (
    accepted.fingerprint("things", "#/a", "a was removed"),
    accepted.fingerprint("things", FACT.name, FACT.text),
)
Run = Callable[..., int]


def report() -> Report:
    """A report on one change, seen by both views."""
    surface = SurfaceChange(models=Names(changed=("things_api: Thing",)), facts=(FACT,))
    one = DocumentReport("things", findings=(Finding(CHANGE, Touched()),), surface=surface)
    return Report("upstream", (one,))


def entries(*marks: str, until: datetime.date = DAY) -> dict[str, accepted.Accepted]:
    """Accepted changes of one reason."""
    return {mark: accepted.Accepted("Agreed.", until) for mark in marks}


def test_accepted_change_is_shown_and_does_not_count() -> None:
    """Both views must be accepted: each has its own fingerprint."""
    before = DAY - datetime.timedelta(days=1)
    settled = accepted.settle(report(), entries(*MARKS), before)
    assert ("none", ()) == (settled.verdict, settled.views)
    (finding,) = settled.documents[0].findings
    assert "a was removed (accepted until 2030-05-17: Agreed.)" == finding.change.text
    for mark, view in zip(MARKS, ("generated code", "contract"), strict=True):
        half = accepted.settle(report(), entries(mark), before)
        assert ("breaking", (view,)) == (half.verdict, half.views)


def test_accepted_change_counts_again_from_its_day_on() -> None:
    """And the report asks for a decision."""
    settled = accepted.settle(report(), entries(*MARKS), DAY)
    assert "breaking" == settled.verdict
    assert all(
        "was accepted until 2030-05-17; decide again" in n for n in settled.documents[1].notes
    )


def test_entry_without_a_change_is_noted() -> None:
    """What nothing needs any more is to be removed."""
    settled = accepted.settle(report(), entries("0" * 12), datetime.date(2030, 1, 1))
    (note,) = settled.documents[1].notes
    assert "000000000000 (Agreed.) matches no change any more; remove it" in note


GOOD = f'[[accepted]]\nfingerprint = "{MARKS[0]}"\nreason = "Agreed."\nuntil = 2030-05-17\n'


@pytest.mark.parametrize(
    "text",
    [
        "[[accepted]]\n",
        GOOD.replace("Agreed.", " "),
        GOOD.replace("2030-05-17", '"2030-05-17"'),
        GOOD.replace("2030-05-17", "2030-05-17T12:00:00"),
        GOOD.replace(MARKS[0], "abc"),
        GOOD.replace("until", "till"),
        GOOD.replace("[[accepted]]", "[[other]]"),
        "accepted = 1",
        "x",
    ],
)
def test_entry_that_says_too_little_is_refused(tmp_path: Path, text: str) -> None:
    """A fingerprint, a reason and a day, or nothing."""
    (tmp_path / "accepted.toml").write_text(GOOD, encoding="utf-8")
    assert entries(MARKS[0]) == accepted.read(tmp_path)
    (tmp_path / "accepted.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=r"accepted\.toml"):
        accepted.read(tmp_path)


def given(**more: object) -> Node:
    """A document of one operation and one model."""
    one = operation("Things_ListThings", parameter("colour"), response=ref("Thing"))
    return document({"Thing": obj(name=STRING, **more)}, {THINGS: {"get": one}})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a document and its package, and a tag on them."""
    folder = tmp_path_factory.mktemp("made")
    write_documents(folder / "openapi", things=given(old=STRING))
    regenerate.regenerate(folder / "openapi", folder / "generated")
    (folder / "wrapper").mkdir()
    who = ["-c", "user.name=n", "-c", "user.email=e@example.test"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S607 - the user's git
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def run(folder: Path) -> Run:
    """Run the command on these folders."""

    def run(*options: str) -> int:
        names = ("documents", "openapi"), ("generated", "generated"), ("wrapper", "wrapper")
        return check_drift.main([*options, *(f"--{name}={folder / at}" for name, at in names)])

    return run


def test_report_says_what_is_new_since_an_earlier_one(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The earlier report may be JSON, Markdown or text: its fingerprints are what counts."""
    write_json(folder / "one.json", given(old=STRING, first=STRING))
    write_json(folder / "two.json", given(old=STRING, first=STRING, second=STRING))
    for form in ("json", "markdown"):
        earlier = folder / f"earlier.{form}"
        assert 1 == run(f"--from=things={folder / 'one.json'}", f"--{form}={earlier}")
        capsys.readouterr()
        options = (f"--from=things={folder / 'two.json'}", f"--known={earlier}")
        assert 1 == run(*options, "--json")
        new = json.loads(capsys.readouterr().out)["new"]
        assert all("second" in line for line in new if "#/" in line)
        assert any("property second was added" in line for line in new)
        assert 1 == run(*options)
        assert f"new since the earlier report: {len(new)}\n" in capsys.readouterr().out


def test_documents_are_compared_with_a_revision(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Since a tag: the contract, the surface, and a section for the changelog."""
    assert 0 == run("--since=v1")
    shutil.rmtree(folder / "openapi")
    write_documents(folder / "openapi", things=given(new=STRING), more=given())
    capsys.readouterr()
    assert 2 == run("--since=v1", f"--changelog={folder / 'section.md'}")
    said = capsys.readouterr().out
    assert "property old was removed" in said
    assert "more: no change\n  is new\n" in said
    assert [
        "### Breaking in generated code",
        "",
        "- `things_api: Thing.old` is gone, was str.",
        "",
        "### Added",
        "",
        "- `things_api: Thing.new` was added: str.",
    ] == (folder / "section.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("revision", ["v2", "--output=x", "-h"])
def test_revision_that_does_not_exist_is_3(
    run: Run, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    """Neither is an option of git."""
    assert 3 == run(f"--since={revision}")
    assert "name a tag" in capsys.readouterr().err
