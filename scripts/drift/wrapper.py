"""Which functions of the hand-written package name an operation, a model or a field."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Words = Mapping[str, frozenset[str]]
"""Functions (or modules and classes) by dotted name, with the words that they use."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def words(package: Path) -> Words:
    """The words of every function below a package folder; others count for class or module."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        _collect(ast.parse(path.read_text(encoding="utf-8")), module, found)
    return {name: frozenset(used) for name, used in found.items()}


def naming(index: Words, wanted: Iterable[str]) -> tuple[str, ...]:
    """The functions that use one of some words, sorted."""
    names = frozenset(wanted)
    return tuple(sorted(function for function, used in index.items() if used & names))


def _collect(node: ast.AST, scope: str, found: dict[str, set[str]]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _SCOPES):
            _collect(child, f"{scope}.{child.name}", found)
        else:
            found[scope].update(_words(child))
            _collect(child, scope, found)


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.alias):
        yield node.name
    elif isinstance(node, (ast.arg, ast.keyword)):
        yield node.arg or ""
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        # A type written as text names a model by its last part.
        yield node.value
        yield node.value.rsplit(".", 1)[-1]
