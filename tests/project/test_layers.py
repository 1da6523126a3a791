"""Imports go one way; what is loaded on use, inside a function, is the exception."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "sinch_wrapper"
CLIENT = {"client", "_base", "_wiring", "_session"}
ABOVE = {"bulk", "callbacks", "sandbox", "testing", "cli"}
# A part of the package, and what it must not import.
FORBIDDEN = {
    "errors": {"regions", "_http", "_retry", "_limits", "_auth", "_transport", *CLIENT, *ABOVE},
    "regions": {"_http", "_retry", "_limits", "_auth", "_transport", *CLIENT, *ABOVE},
    "_http": {"_retry", "_limits", "_auth", "_transport", *CLIENT, *ABOVE},
    "_retry": {"_limits", "_auth", "_transport", *CLIENT, *ABOVE},
    "_limits": {"_retry", "_auth", "_transport", *CLIENT, *ABOVE},
    "_auth": {"_transport", *CLIENT, *ABOVE},
    "_transport": {*CLIENT, *ABOVE},
    "_session": {"client", "_base", "_wiring", *ABOVE},
    "client": ABOVE,
    "_sqlite": {"_auth", "_transport", *CLIENT, *ABOVE},
    "callbacks": {*CLIENT, "bulk", "sandbox", "testing", "cli"},
    "bulk": {"_wiring", "_session", "sandbox", "testing", "cli"},
    "sandbox": {"_auth", "_limits", "_transport", *CLIENT, *(ABOVE - {"sandbox"})},
    "testing": {"bulk", "callbacks", "cli"},
}


def modules(part: str) -> list[Path]:
    """The files of a part of the package."""
    single = ROOT / PACKAGE / f"{part}.py"
    return [single] if single.exists() else sorted((ROOT / PACKAGE / part).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The parts of the package that a file imports when it is loaded."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (
                name.name.split(".")[1]
                for name in node.names
                if name.name.startswith(f"{PACKAGE}.")
            )


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_go_one_way(part: str) -> None:
    """No part imports, when it is loaded, what lies above it."""
    files = modules(part)
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path)
        if name in FORBIDDEN[part]
    }
    assert files
    assert set() == wrong
