"""From a changed document on a server to new code, as docs/spec-updates.md shows it.

The outputs on that page are real; UPDATE_PAGES=1 writes them anew after a deliberate change.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import check_drift
import fetch_specs
import pytest
import regenerate
from fetching.record import Arrival, write

from codegen.document import Node
from codegen.reading import load
from tests.helpers.codegen import DOCUMENTS, GENERATED, ROOT, tree
from tests.helpers.document_shapes import (
    FROZEN,
    add_enum_value,
    add_operation,
    remove_field,
)
from tests.helpers.web_pages import Page, Pages, serving

PAGE = ROOT / "docs" / "spec-updates.md"
ADDRESS = "http://127.0.0.1:8000"
STEP = re.compile(r"^```console\n\$ (.*?)\n```\n\n```text\n(.*?)```$", re.MULTILINE | re.DOTALL)
ENDING = '; echo "exit code $?"'
MAINS: dict[str, Callable[[list[str]], int]] = {
    "check_drift.py": check_drift.main,
    "fetch_specs.py": fetch_specs.main,
    "regenerate.py": regenerate.main,
}

Command = Callable[[str], str]


def newer(*changes: Callable[[Node], None]) -> bytes:
    """The template document after some changes, as a server sends it."""
    document = load(FROZEN)
    for change in changes:
        change(document)
    return json.dumps(document).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the documents and of the generated code, with the template document of one day."""
    shutil.copytree(DOCUMENTS, tmp_path / "openapi")
    shutil.copytree(GENERATED, tmp_path / "generated")
    if FROZEN.read_bytes() != (DOCUMENTS / "template.yaml").read_bytes():
        today = datetime.datetime.now(tz=datetime.UTC).date()
        # Without the inventory, which knows what later documents have and this one lacks.
        (tmp_path / "openapi" / "inventory.json").unlink()
        write(tmp_path / "openapi", "template", Arrival(FROZEN.read_bytes(), "one day"), today)
        regenerate.regenerate(tmp_path / "openapi", tmp_path / "generated")
    return tmp_path


def keep_template(folder: Path) -> None:
    """Leave the template document alone in the copies, for the sake of speed."""
    table = folder / "openapi" / "sources.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(text[text.index("[template]") :], encoding="utf-8")
    for name in ("sinch_conversation_api", "sinch_batch_api"):
        shutil.rmtree(folder / "generated" / name)


@pytest.fixture
def server() -> Iterator[tuple[str, Pages]]:
    """A server with newer documents."""
    with serving() as running:
        yield running


@pytest.fixture
def command(folder: Path, server: tuple[str, Pages], capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a line of the page on the copies: what it prints, and its exit code."""

    def run(line: str) -> str:
        words = shlex.split(line.removesuffix(ENDING).replace(ADDRESS, server[0]))
        assert words[:3] == ["uv", "run", "python"]
        script = Path(words[3]).name
        output = "generated" if script == "check_drift.py" else "output"
        options = [*words[4:], f"--documents={folder / 'openapi'}"]
        options += [f"--{output}={folder / 'generated'}"] * (script != "fetch_specs.py")
        code = MAINS[script](options)
        said = capsys.readouterr()
        ending = f"exit code {code}\n" if line.endswith(ENDING) else ""
        return f"{said.err}{said.out}{ending}".replace(server[0], ADDRESS)

    return run


def masked(step: tuple[str, str]) -> tuple[str, str]:
    """A step without the names of functions, of which each change of the wrapper adds some."""
    return step[0], re.sub(r"functions: .*", "functions: ...", step[1])


@pytest.mark.slow
def test_page_shows_what_happens(command: Command, server: tuple[str, Pages]) -> None:
    """The commands of the page, run one after the other, print what it shows."""
    content = newer(add_operation, add_enum_value)
    server[1]["/template.yaml"] = Page(content, {"ETag": '"2"'})
    text = PAGE.read_text(encoding="utf-8")
    steps = STEP.findall(text)
    found = [(line, command(line)) for line, _ in steps]
    if os.environ.get("UPDATE_PAGES"):
        for (line, old), (_, new) in zip(steps, found, strict=True):
            before, after = (f"{line}\n```\n\n```text\n{block}```" for block in (old, new))
            text = text.replace(before, after, 1)
        PAGE.write_text(text, encoding="utf-8")
        steps = STEP.findall(text)
    assert len(steps) == 3
    assert [*map(masked, steps)] == [*map(masked, found)]


def test_every_console_block_of_the_page_is_a_step() -> None:
    """The page has no command that this file does not run."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```console") == len(STEP.findall(text))


@pytest.mark.slow
def test_update_changes_what_it_is_about_and_nothing_else(
    command: Command, folder: Path, server: tuple[str, Pages]
) -> None:
    """fetch, regenerate and drift agree, and no other file changes."""
    keep_template(folder)
    before = tree(folder / "generated")
    server[1]["/template.yaml"] = newer(add_operation, add_enum_value)
    place = f"{ADDRESS}/template.yaml"
    steps = {
        f"check_drift.py --from template={place}": 1,
        f"fetch_specs.py template --from {place}": 0,
        "check_drift.py": 1,
        "regenerate.py --check": 1,
        "regenerate.py": 0,
        "regenerate.py --check ": 0,
        "check_drift.py ": 0,
        f"check_drift.py --from template={place} ": 0,
    }
    codes = [command(f"uv run python scripts/{step}{ENDING}").splitlines()[-1] for step in steps]
    assert codes == [f"exit code {code}" for code in steps.values()]
    after = tree(folder / "generated")
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {
        "sinch_template_api/api/templates_v2/__init__.py",
        "sinch_template_api/api/templates_v2/copy_template.py",
        "sinch_template_api/models/card_height.py",
        "sinch_template_api/openapi.json",
    }


def test_breaking_update_is_announced_before_it_is_made(
    command: Command, folder: Path, server: tuple[str, Pages]
) -> None:
    """The check says 2 and names the field; nothing is touched until somebody fetches."""
    before = tree(folder)
    server[1]["/template.yaml"] = newer(remove_field)
    step = f"uv run python scripts/check_drift.py --from template={ADDRESS}/template.yaml"
    said = command(step + ENDING)
    assert "#/components/schemas/v2Template/properties/description" in said
    assert said.endswith("verdict: breaking by contract and generated code\nexit code 2\n")
    assert before == tree(folder)


def test_refused_update_changes_nothing(
    command: Command, folder: Path, server: tuple[str, Pages]
) -> None:
    """A construct that generated code cannot express is refused with pointer and reason."""

    def negate(document: Node) -> None:
        document["components"]["schemas"]["v2Template"]["properties"]["id"] = {"not": {}}

    before = tree(folder)
    server[1]["/template.yaml"] = newer(negate)
    step = f"uv run python scripts/fetch_specs.py template --from {ADDRESS}/template.yaml"
    said = command(step + ENDING)
    expected = next(
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if "uses not," in line
    )
    assert said == (
        f"{expected.replace('regenerate:', 'fetch_specs:')} "
        f"(from {ADDRESS}/template.yaml; template.yaml is unchanged)\nexit code 1\n"
    )
    assert before == tree(folder)
