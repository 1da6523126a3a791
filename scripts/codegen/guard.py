"""The last look at generated code: only the few kinds of nodes and calls that templates write.

Names and texts are made safe where they enter (`names`, `texts`). This check knows nothing of
that: it parses every module, and refuses a package in which anything else could run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from codegen.document import Refused

_TEMPLATES = Path(__file__).parent / "templates"
# They hold no text of a document, so they are compared whole.
_FIXED = ("types.py", "errors.py")
_NODES = (
    *(ast.Module, ast.ImportFrom, ast.Import, ast.alias),
    *(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.arguments, ast.arg, ast.Lambda),
    *(ast.Assign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete, ast.If, ast.IfExp),
    *(ast.Call, ast.keyword, ast.Await, ast.Name, ast.Attribute, ast.Subscript, ast.Constant),
    *(ast.Dict, ast.List, ast.Tuple, ast.NamedExpr),
    *(ast.BinOp, ast.BitOr, ast.Add, ast.BoolOp, ast.Or, ast.Compare, ast.Is, ast.IsNot),
    *(ast.expr_context,),
)
_LOOKUP = (ast.Try, ast.ExceptHandler, ast.Raise)
_CALLS = frozenset({"cls", "dict", "iter", "pop", "_attrs.define", "_attrs.field"})
_SENDING = "self._session.request"
_LOOKUP_CALLS = frozenset(
    {"getattr", "import_module", "globals", "sorted", "AttributeError", "message.format"}
)
_PACKAGES = frozenset(
    {"__future__", "attrs", "collections.abc", "functools", "importlib", "typing", "warnings"}
)
_DUNDERS = re.compile(r"__\w+__")
_KNOWN_DUNDERS = frozenset(
    {"__all__", "__dir__", "__getattr__", "__init__", "__iter__", "__name__", "__slots__"}
)


def check_code(package: Path) -> None:
    """Refuse a package with code of any other kind than the templates write.

    Raises: Refused with the file and the line.
    """
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        text = path.read_text(encoding="utf-8")
        if path.parent == package and path.name in _FIXED:
            if text != (_TEMPLATES / f"{path.name}.jinja").read_text(encoding="utf-8"):
                raise Refused(place, "differs from its template")
            continue
        try:
            fault = _first_fault(text, lookup=path == package / "models" / "__init__.py")
        except (SyntaxError, ValueError) as error:
            raise Refused(place, f"would be no Python code ({error})") from error
        if fault is not None:
            line, problem = fault
            raise Refused(
                f"{place}, line {line}", f"would be code that no template writes: {problem}"
            )


# Two versions of a document have most of their modules in common.
@lru_cache(maxsize=4096)
def _first_fault(text: str, *, lookup: bool) -> tuple[int, str] | None:
    return next(_faults(ast.parse(text), lookup=lookup), None)


def _faults(tree: ast.Module, *, lookup: bool) -> Iterator[tuple[int, str]]:
    walked = [*ast.walk(tree)]
    imported = {
        alias.asname or alias.name
        for node in walked
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    calls = imported | _CALLS | {_SENDING} | (_LOOKUP_CALLS if lookup else set())
    nodes = (*_NODES, *_LOOKUP) if lookup else _NODES
    for node in walked:
        problem = "" if isinstance(node, nodes) else type(node).__name__
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            problem = problem or ("" if called in calls else f"a call of {called}")
        problem = problem or _name_fault(node)
        if problem:
            yield getattr(node, "lineno", 1), problem


def _name_fault(node: ast.AST) -> str:
    if isinstance(node, ast.ImportFrom):
        return "" if node.level or node.module in _PACKAGES else f"an import of {node.module}"
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names} - _PACKAGES
        return f"an import of {sorted(names)}" if names else ""
    name = getattr(node, "attr", getattr(node, "id", getattr(node, "name", None)))
    odd = isinstance(name, str) and _DUNDERS.fullmatch(name) and name not in _KNOWN_DUNDERS
    return f"the name {name}" if odd else ""
