"""The sandbox shares no code with the client, so that a mistake of ours cannot hide in it."""

import ast
import subprocess
import sys
from pathlib import Path

import sinch_wrapper.sandbox

FOLDER = Path(sinch_wrapper.sandbox.__file__).parent


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found.update(each.name for each in node.names)
    return found


def test_no_module_imports_the_client() -> None:
    """Of this project the modules of the sandbox import each other, and what loads names lazily."""
    names = (
        *("sinch_wrapper", "sinch_api_types", "sinch_conversation_api", "sinch_batch_api"),
        "sinch_template_api",
    )
    foreign = {
        (path.name, name)
        for path in FOLDER.rglob("*.py")
        for name in _imported(path)
        if name.partition(".")[0] in names
        and not name.startswith(("sinch_wrapper.sandbox", "sinch_wrapper._lazy"))
    }

    assert set() == foreign


def test_serving_loads_no_code_of_the_client() -> None:
    """A sandbox that has served and called back has loaded neither client nor generated code."""
    program = """
import json, sys, urllib.request
from sinch_wrapper.sandbox import Server
with Server() as server:
    urllib.request.urlopen(server.url + "/_sandbox")
    form = {"authorization": "Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ="}
    apps = server.url + "/conversation/v1/projects/sandbox-project/apps"
    urllib.request.urlopen(urllib.request.Request(apps, headers=form))
mine = [name for name in sys.modules if name.startswith(("sinch_",))]
print(*(each for each in mine if not each.startswith("sinch_wrapper.sandbox")))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    loaded = {"sinch_wrapper", "sinch_wrapper._lazy", "sinch_wrapper._version"}
    assert loaded == set(result.stdout.split())
