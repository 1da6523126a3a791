"""The repository as a whole: what is in it, and what must never be."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import update_pins

ROOT = Path(__file__).parents[2]
# What is a concept by itself in fewer than 40 lines.
SHORT = {
    "scripts/find_browser.py",
    "scripts/smoke.py",
    "sinch_wrapper/__main__.py",
    "sinch_wrapper/_backoff.py",
    "sinch_wrapper/_fork.py",
    "sinch_wrapper/_log.py",
    "sinch_wrapper/_model_json.py",
    "sinch_wrapper/_version.py",
    "sinch_wrapper/cli/__main__.py",
    "sinch_wrapper/cli/_examples.py",
    "sinch_wrapper/sandbox/_background.py",
    "sinch_wrapper/sandbox/_ids.py",
    "sinch_wrapper/sandbox/_resources/table.py",
    "sinch_wrapper/sandbox/_tls.py",
    "sinch_wrapper/bulk/_replacing.py",
    "sinch_wrapper/cluster/_life.py",
    "sinch_wrapper/cluster/_results.py",
}
# The modules that CHANGELOG.md calls public, beside the packages.
PUBLIC_MODULES = {"client", "pagination", "parameters", "regions", "testing.plugin"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked() -> list[Path]:
    """The files that git tracks; all files where there is no git."""
    try:
        names = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - the user's git
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        return [
            p for name in ("sinch_wrapper", "scripts", "tests") for p in (ROOT / name).rglob("*.py")
        ]
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def hand_written() -> Iterator[Path]:
    """The Python files of the library and of its scripts."""
    for folder in ("sinch_wrapper", "scripts"):
        yield from (ROOT / folder).rglob("*.py")


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from `def` to its end, without its docstring."""
    docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    skipped = docstring.end_lineno - docstring.lineno + 1 if docstring else 0  # type: ignore[operator]
    return node.end_lineno - node.lineno + 1 - skipped  # type: ignore[operator]


def test_no_file_names_a_machine_or_a_registry() -> None:
    """No tracked file has an absolute path of a machine or the host of a package registry."""
    registry = "|".join(["pypi" + r"\.org", "files\\.python" + "hosted", "registry\\.npm" + "js"])
    wrong = re.compile(rf"(?<![\w.])/(?:home|root|work|Users)/\w|{registry}")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if (match := wrong.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert [] == found


def test_no_lock_file_is_tracked() -> None:
    """uv.lock stays out of the repository."""
    assert [] == [path.name for path in tracked() if path.name == "uv.lock"]


def test_hand_written_files_are_one_concept_each() -> None:
    """A file has at most 400 lines; one under 40 is a concept by itself, and is named here."""
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in hand_written()
    }
    long = {name for name, count in lines.items() if count > 400}
    short = {name for name, count in lines.items() if count < 40 and "__init__" not in name}
    assert (set(), SHORT) == (long, short)


def test_every_other_module_is_private() -> None:
    """A module is public when the changelog says so; all others begin with an underscore."""
    package = ROOT / "sinch_wrapper"
    parts = [path.relative_to(package).with_suffix("").parts for path in package.rglob("*.py")]
    public = {".".join(names) for names in parts if not any(name[0] == "_" for name in names)}
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert public == PUBLIC_MODULES
    assert [] == [name for name in public if f"`{name}`" not in text.replace("sinch_wrapper.", "")]


def test_no_class_has_the_name_of_another() -> None:
    """A name of a class means one thing in the whole library."""
    names = Counter(
        node.name
        for path in (ROOT / "sinch_wrapper").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [] == [name for name, count in names.items() if count > 1]


def test_functions_are_short() -> None:
    """A function has fewer than 30 lines, its docstring not counted."""
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {count} lines"
        for path in hand_written()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := code_lines(node)) >= 30
    }
    assert set() == long


def test_changelog_has_the_version() -> None:
    """The changelog has a section for the version of the package, or one for what is to come."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(
        rf"^## (Unreleased|{re.escape(PROJECT['project']['version'])})", text, re.MULTILINE
    )


def test_every_ruff_ignore_has_a_reason() -> None:
    """Each ignored rule in pyproject.toml carries its reason as a comment."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.flake8")]
    rules = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert [] == [line for line in rules if "#" not in line]


def test_every_noqa_has_a_reason() -> None:
    """Each suppressed warning in hand-written code says why."""
    pattern = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])\s*$")
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("sinch_wrapper", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert [] == bare


def test_pins_are_written_into_constraints_and_groups() -> None:
    """The versions that were resolved replace the pins of groups and the whole constraint list."""
    text = 'dev = ["mypy==1.0", "x>=1"]\nconstraint-dependencies = [\n    "old==1",\n]\n'
    expected = (
        'dev = ["mypy==2.0", "x>=1"]\n'
        'constraint-dependencies = [\n    "mypy==2.0",\n    "x==3.1",\n]\n'
    )
    assert expected == update_pins.pinned(text, {"x": "3.1", "mypy": "2.0"})


def test_pins_leave_out_what_is_not_from_a_registry() -> None:
    """The project itself stands in the lock file, but is no pin."""
    lock = (
        '[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "r" }\n'
        '[[package]]\nname = "self"\nversion = "2"\nsource = { editable = "." }\n'
    )
    assert {"a": "1"} == update_pins.locked(lock)


def test_dev_tools_are_pinned_exactly() -> None:
    """Whatever the groups name is pinned, for the generated code depends on it."""
    groups = PROJECT["dependency-groups"]
    loose = [item for items in groups.values() for item in items if "==" not in item]
    assert ["sinch-wrapper[aiohttp,cli,cluster,fast,keyring,otel,parquet,phone,xlsx]"] == loose
