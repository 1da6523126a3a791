"""Documents of another shape go through, and change the generated code as they should.

The expected differences are in tests/codegen/shapes, one file each. After a deliberate change
of the templates, UPDATE_SHAPES=1 writes them anew.
"""

from __future__ import annotations

import difflib
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from codegen import overlay
from codegen.document import Node
from codegen.overlay import Note
from codegen.reading import load
from codegen.render import render
from codegen.sources import Source, sources
from codegen.surface import SurfaceChange, compared, lines, surface
from tests.helpers.codegen import DOCUMENTS, tree
from tests.helpers.document_shapes import FROZEN, SHAPES

EXPECTED = Path(__file__).parent / "shapes"
PACKAGE = "sinch_template_api"


@cache
def source() -> Source:
    """The template document, the smallest of the three."""
    return {source.name: source for source in sources(DOCUMENTS)}["template"]


def overlaid(document: Node) -> tuple[Node, list[Note]]:
    """A document with the committed overlays, and the actions that were idle."""
    notes: list[Note] = []
    for path in source().overlays:
        document, more = overlay.apply(document, load(path), path.name)
        notes += more
    return document, notes


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the document as it was; made once."""
    folder = tmp_path_factory.mktemp("before")
    return render(overlaid(load(FROZEN))[0], PACKAGE, source().path.name, folder)


def shaped(name: str, folder: Path) -> tuple[Path, list[Note]]:
    """The package of the document in another shape."""
    document = load(FROZEN)
    SHAPES[name](document)
    repaired, notes = overlaid(document)
    return render(repaired, PACKAGE, source().path.name, folder), notes


def difference(before: Path, package: Path) -> str:
    """How a package differs from an older one; the document that travels along aside."""
    old, new = tree(before), tree(package)
    result: list[str] = []
    for name in sorted(old | new):
        if name == "openapi.json" or old.get(name) == new.get(name):
            continue
        first, second = (side.get(name, b"").decode().splitlines() for side in (old, new))
        word = "added" if name not in old else "removed" if name not in new else "changed"
        result.append(f"{word}: {name}")
        changes = [*difflib.unified_diff(first, second, n=0, lineterm="")][2:]
        result += [line for line in changes if not line.startswith("@@")]
    return "".join(f"{line}\n" for line in result)


def summary(before: Path, package: Path) -> SurfaceChange:
    """What the summary of regenerate.py says of a package."""
    return compared(surface(before.parent), surface(package.parent))


@pytest.mark.parametrize("name", SHAPES)
def test_shape_changes_generated_code_as_expected(name: str, before: Path, tmp_path: Path) -> None:
    """An update of the document changes what it is about, and not a line elsewhere."""
    package, _ = shaped(name, tmp_path)
    path = EXPECTED / f"{name.replace(' ', '_').lower()}.diff"
    found = difference(before, package)
    if os.environ.get("UPDATE_SHAPES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == found


def test_no_expectation_is_left_over() -> None:
    """Every file of expectations belongs to a shape."""
    names = {f"{name.replace(' ', '_').lower()}.diff" for name in SHAPES}
    assert names == {path.name for path in EXPECTED.iterdir()}


@pytest.mark.parametrize("name", ["OpenAPI 3.0", "inline instead of component"])
def test_other_spelling_of_the_same_changes_nothing(
    name: str, before: Path, tmp_path: Path
) -> None:
    """What means the same gives the same code, byte by byte."""
    package, _ = shaped(name, tmp_path)
    assert (difference(before, package), bool(summary(before, package))) == ("", False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("repaired by itself", "is no longer needed: the document has its update already"),
        ("lost a repaired schema", "matches nothing in the document"),
    ],
)
def test_repair_that_has_become_idle_is_noted(name: str, said: str, tmp_path: Path) -> None:
    """The document goes through, and the one action without work is named."""
    _, (note,) = shaped(name, tmp_path)
    assert said in str(note)


def spelt_anew(node: Any) -> None:
    """Write nullable types, bounds and examples as OpenAPI 3.1 does, at any depth."""
    if isinstance(node, list):
        for item in node:
            spelt_anew(item)
    elif isinstance(node, dict):
        if node.pop("nullable", None) is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        if "example" in node and "type" in node:
            node["examples"] = [node.pop("example")]
        for value in node.values():
            spelt_anew(value)


def test_newer_openapi_of_a_document_changes_nothing(tmp_path: Path) -> None:
    """The conversation document is one of 3.0; in 3.1 it gives the same code."""
    old = {one.name: one for one in sources(DOCUMENTS)}["conversation"]
    document = old.read()
    packages = []
    for version in (document["openapi"], "3.1.0"):
        repaired = document
        for path in old.overlays:
            repaired, _ = overlay.apply(repaired, load(path), path.name)
        folder = tmp_path / version
        package = render(repaired, old.package, old.path.name, folder, tidy=False)
        packages.append(package)
        spelt_anew(document)
        document["openapi"] = "3.1.0"
    assert document != old.read()
    assert difference(*packages) == ""


def test_rename_is_reported_as_removed_and_added(before: Path, tmp_path: Path) -> None:
    """For those who import the class it is gone."""
    package, notes = shaped("renamed schema", tmp_path)
    assert lines(summary(before, package)) == [
        "operations: 0 added, 0 removed, 0 changed",
        "models: 1 added, 1 removed, 1 changed",
        f"  added    {PACKAGE}: Position",
        f"  removed  {PACKAGE}: Coordinates",
        f"  changed  {PACKAGE}: LocationMessage",
        "breaks programs that use:",
        f"  {PACKAGE}: Coordinates is gone",
        f"  {PACKAGE}: LocationMessage.coordinates is Position, was Coordinates",
    ]
    assert notes == []
