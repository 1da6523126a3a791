"""An update that only adds needs no hand: what the automatic pull request rests on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import check_drift
import fetch_specs
import pytest
import regenerate

from codegen.document import Node, operations
from codegen.reading import load
from tests.helpers.codegen import PACKAGES, ROOT, STRING, content, obj, parameter, ref, write_json
from tests.helpers.web_pages import Pages, serving

NEEDED = ("generated", "openapi", "scripts", "sinch_wrapper", "tests", "pyproject.toml")
# The tests that compare documents, inventory, packages and sandbox with one another. The property
# tests of models are left out, for the sake of speed.
CONCERNED = ("core/test_generated.py", "codegen/test_documents.py", "sandbox/test_operations.py")
PROJECT = parameter("project_id", "path")

Tests = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    caches = shutil.ignore_patterns("__pycache__")
    for name in NEEDED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, tmp_path / name, ignore=caches)
        else:
            shutil.copy(place, tmp_path)
    return tmp_path


@pytest.fixture
def run_tests(project: Path) -> Tests:
    """Run tests of the copy, on the code of the copy."""
    paths = os.pathsep.join(map(str, (project, project / "generated")))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *arguments],
            cwd=project,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    return run


@pytest.fixture
def server() -> Iterator[tuple[str, Pages]]:
    """A server with newer documents."""
    with serving() as running:
        yield running


def grown(document: Node) -> Node:
    """A document with a new tag, an operation under it, a schema, a field and a parameter."""
    found = document["components"]["schemas"]
    found["Novelty"] = obj(name=STRING) | {"description": "Something new."}
    next(one for one in found.values() if one.get("properties"))["properties"]["novel"] = STRING
    _, _, first, _ = next(operations(document))
    first.setdefault("parameters", []).append(parameter("novel"))
    new = {
        "operationId": "Novelties_GetNovelty",
        "tags": ["Novelties"],
        "summary": "Get something new.",
        "parameters": [PROJECT],
        "responses": {"200": content(ref("Novelty"))},
    }
    document["paths"]["/v1/projects/{project_id}/novelties"] = {"get": new}
    return document


def point_to(server: str, project: Path) -> None:
    """Let every url of sources.toml lead to the server."""
    table = project / "openapi" / "sources.toml"
    lines = table.read_text(encoding="utf-8").splitlines()
    name = ""
    for number, line in enumerate(lines):
        name = line[1:-1] if line.startswith("[") else name
        if line.startswith("url = "):
            lines[number] = f'url = "{server}/{name}"'
    table.write_text("\n".join([*lines, ""]), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_additive_update_of_all_documents_passes_by_itself(
    project: Path,
    run_tests: Tests,
    server: tuple[str, Pages],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Fetch, regenerate, drift and the tests concerned: no file has to be edited."""
    point_to(server[0], project)
    for name in PACKAGES:
        document = load(project / "openapi" / f"{name}.yaml")
        server[1][f"/{name}"] = json.dumps(grown(document)).encode()
    documents = f"--documents={project / 'openapi'}"
    generated, wrapper = project / "generated", project / "sinch_wrapper"
    assert (fetch_specs.main([documents]), capsys.readouterr().err) == (0, "")
    assert (regenerate.main([documents, f"--output={generated}"]), capsys.readouterr().err) == (
        0,
        "",
    )
    options = [documents, f"--generated={generated}", f"--wrapper={wrapper}"]
    assert (check_drift.main(options), capsys.readouterr().err) == (0, "")
    inventory = json.loads((project / "openapi" / "inventory.json").read_text(encoding="utf-8"))
    for name, section in inventory.items():
        assert "Novelties_GetNovelty" in section["operations"], name
    files = [f"tests/{name}" for name in CONCERNED]
    done = run_tests("-x", "-k", "not model and not round_trips", *files)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.slow
def test_operation_cannot_be_lost_unseen(
    project: Path, run_tests: Tests, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document that lacks an operation is reported by fetching, and by the tests from then on."""
    path = project / "openapi" / "template.yaml"
    document = load(path)
    route, method, lost, _ = next(operations(document))
    del document["paths"][route][method]
    write_json(project / "less.json", document)
    options = [f"--from={project / 'less.json'}", f"--documents={project / 'openapi'}"]
    assert fetch_specs.main(["template", *options]) == 0
    assert (
        f"fetch_specs: template.yaml no longer has operation {lost['operationId']}; "
        "if that is intended, remove it from openapi/inventory.json\n"
    ) in capsys.readouterr().err
    # Without the fixtures of the library, which these tests do not use and take long to import.
    chosen = ("--noconftest", "-k", "operations_of")
    done = run_tests(*chosen, "tests/codegen/test_documents.py")
    assert done.returncode == 1
    assert "::test_operations_of_the_inventory_are_there[template]" in done.stdout
