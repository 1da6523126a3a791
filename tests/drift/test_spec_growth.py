"""An update that only adds needs no hand: what the automatic pull request rests on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import check_drift
import fetch_specs
import pytest
import regenerate

from codegen.document import Node, operations
from codegen.reading import load
from tests.helpers.codegen import (
    DOCUMENTS,
    PACKAGES,
    ROOT,
    STRING,
    content,
    obj,
    parameter,
    ref,
    write_json,
)
from tests.helpers.web_pages import Pages, serving

NEEDED = ("generated", "openapi", "scripts", "sinch_wrapper", "tests", "pyproject.toml")
# The tests that compare documents, inventory, packages and sandbox with one another. The property
# tests of models are left out, for the sake of speed.
CONCERNED = ("core/test_generated.py", "codegen/test_documents.py", "sandbox/test_operations.py")
DOCUMENT = DOCUMENTS / "conversation.yaml"
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
        f"fetch_specs: template.yaml no longer has operation {lost['operationId']}\n"
    ) in capsys.readouterr().err
    # Without the fixtures of the library, which these tests do not use and take long to import.
    chosen = ("--noconftest", "-k", "operations_of")
    done = run_tests(*chosen, "tests/codegen/test_documents.py")
    assert done.returncode == 1
    assert "::test_operations_of_the_inventory_are_there[template]" in done.stdout


# A plausible next official version of the largest document, in three stages.

CHANNEL = "HOLOGRAM"
SAMPLE = [{"lang": "python", "source": "print()"}]


def rewritten(node: Any, depth: int = 0) -> Any:
    """The same in other words: keys sorted, OpenAPI 3.1, references within an allOf, samples."""
    if isinstance(node, list):
        return [rewritten(one, depth + 1) for one in node]
    if not isinstance(node, dict):
        return node
    result = {key: rewritten(node[key], depth + 1) for key in sorted(node)}
    if result.pop("nullable", None) is True and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    if "oneOf" in result and "type" not in result:
        result["type"] = "object"
    for name, value in (result.get("properties") or {}).items():
        if [*value] == ["$ref"]:
            result["properties"][name] = {"allOf": [value], "description": f"The {name}."}
    if "operationId" in result:
        result |= {"x-codeSamples": SAMPLE}
    return result


def first_stage(given: Node) -> Node:
    """Rewritten and grown: a channel, a credential, an operation; 20 schemas lose their words."""
    document: Node = rewritten(given) | {"openapi": "3.1.0"}
    found = document["components"]["schemas"]
    for name in [name for name in found if "description" in found[name]][::11][:20]:
        del found[name]["description"]
    found["ConversationChannel"]["enum"].append(CHANNEL)
    found["HologramCredentials"] = obj(token=STRING)
    found["HologramCredentialsField"] = obj(
        ["hologram_credentials"], hologram_credentials=ref("HologramCredentials")
    )
    found["ChannelCredentialsTypes"]["oneOf"].append(ref("HologramCredentialsField"))
    # In another case the name of the class stays, and the name in the document goes.
    text = json.dumps(document)
    for old in ("SentimentResult", "AnalysisResult"):
        text = text.replace(f'"{old}"', f'"{old[0].lower()}{old[1:]}"')
        text = text.replace(f'schemas/{old}"', f'schemas/{old[0].lower()}{old[1:]}"')
    result: Node = json.loads(text)
    _, _, kept, _ = next(operations(result))
    kept["description"] = "Said in other words."
    new = {
        "operationId": "Hologram_GetHologram",
        "tags": ["Hologram"],
        "parameters": [PROJECT],
        "responses": {"200": content(ref("HologramCredentials"))},
    }
    result["paths"]["/v1/projects/{project_id}/hologram"] = {"get": new}
    return result


def second_stage(given: Node) -> Node:
    """Two responses are written where they are given, and their components are gone."""
    result: Node = json.loads(json.dumps(given))
    found = result["components"]["schemas"]
    for name in ("ListAppsResponse", "ListWebhooksResponse"):
        schema = json.dumps(found.pop(name))
        text = json.dumps(result)
        assert json.dumps(ref(name)) in text
        result = json.loads(text.replace(json.dumps(ref(name)), schema))
        found = result["components"]["schemas"]
    return result


def third_stage(given: Node) -> Node:
    """The callbacks have a section of their own."""
    names = [name for name in given["components"]["schemas"] if name.endswith("InboundEvent")]
    hooks = {
        name: {
            "post": {
                "requestBody": content(ref(name)),
                "responses": {"200": {"description": "Received."}},
            }
        }
        for name in names
    }
    return given | {"webhooks": hooks}


STAGES = (first_stage, second_stage, third_stage)
MAINS = {"check_drift": check_drift, "fetch_specs": fetch_specs, "regenerate": regenerate}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_next_official_version_goes_through_in_three_stages(
    project: Path, run_tests: Tests, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every stage is additive, two names are struck by a command, and the tests pass at the end.

    The steps are those of docs/spec-updates.md.
    """
    folders = {
        "check_drift": ("documents", "generated", "wrapper"),
        "fetch_specs": ("documents",),
        "regenerate": ("documents", "output"),
    }
    places = {"documents": "openapi", "generated": "generated", "output": "generated"}

    def run(script: str, *options: str) -> tuple[int, str]:
        given = [
            f"--{name}={project / places.get(name, 'sinch_wrapper')}" for name in folders[script]
        ]
        code = MAINS[script].main([*options, *given])
        said = capsys.readouterr()
        return code, said.out + said.err

    newer, document, by_hand = project / "newer.json", load(DOCUMENT), 0
    for stage in STAGES:
        document = stage(document)
        write_json(newer, document)
        code, said = run("check_drift", f"--from=conversation={newer}")
        assert 1 >= code, said
        code, said = run("fetch_specs", "conversation", f"--from={newer}")
        assert 0 == code, said
        if "--strike" in said:
            assert 0 == run("fetch_specs", "conversation", "--strike")[0]
            by_hand += 1
        code, said = run("regenerate")
        assert 0 == code, said
    assert 2 == by_hand
    assert "#/webhooks is not generated" in said
    assert (0, "") == run("regenerate", "--check")
    files = [f"tests/{name}" for name in CONCERNED]
    done = run_tests("-x", "-k", "not model and not round_trips", *files)
    assert 0 == done.returncode, done.stdout[-3000:]
