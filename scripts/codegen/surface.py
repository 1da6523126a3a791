"""The public surface of generated packages, read from their code, and what changed in it.

The surface is what a program can name or pass: classes with their fields and annotations, values
of enums, methods with their parameters and results, and over what one can iterate. The code is
parsed and never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

ITERATION = "iteration"
_REQUIRED = "required "
_UNSET = " | Unset"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Item:
    """A class or a method: its facts, and what else its code says."""

    facts: Mapping[str, str]
    """What a program relies on, by name: fields, parameters, values; ``""`` is the item itself."""
    inner: str = ""
    """Docstring and address: a change of it changes no program."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Operations (``package: tag.method``) and models (``package: Class``)."""

    operations: Mapping[str, Item]
    models: Mapping[str, Item]


@dataclass(frozen=True, slots=True)
class Names:
    """Names that were added, removed, or whose code changed; sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Fact:
    """One change of the surface."""

    name: str
    text: str
    breaks: bool
    """Whether a program that was right before may fail, or no longer pass a type checker."""


@dataclass(frozen=True, slots=True)
class SurfaceChange:
    """The difference between two surfaces."""

    operations: Names = field(default_factory=Names)
    models: Names = field(default_factory=Names)
    facts: tuple[Fact, ...] = ()
    """What programs can notice, what breaks them first."""

    def __bool__(self) -> bool:
        return bool(self.operations or self.models)


def surface(folder: Path, *packages: str) -> Surface:
    """Read the generated packages of a folder: the named ones, or all."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/openapi.json"))}
    operations: dict[str, Item] = {}
    models: dict[str, Item] = {}
    for package in (found[name] for name in packages or found if name in found):
        named = dict(_models(package))
        # An open enum is written with str beside it, and is one to every program.
        opened = {name for name, item in named.items() if item.facts[""] == "enum"}
        it = re.compile(rf"\b(?:{'|'.join(sorted(opened)) or '-'}) \| str\b")
        for name, item in [*named.items(), *_callbacks(package)]:
            models[f"{package.name}: {name}"] = _plain(item, it)
        for name, item in _operations(package):
            operations[f"{package.name}: {name}"] = _plain(item, it)
    return Surface(operations, models)


def _plain(item: Item, opened: re.Pattern[str]) -> Item:
    facts = {
        name: opened.sub("str", text.replace("_models.", "")) for name, text in item.facts.items()
    }
    return Item(facts, item.inner)


def _text(path: Path) -> bytes:
    """A module; nothing when it is missing."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _statements(text: bytes) -> list[ast.stmt]:
    """The statements of a module; none when it is not Python."""
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError):
        return []


def _models(package: Path) -> Iterator[tuple[str, Item]]:
    for path in sorted(package.glob("models/[!_]*.py")):
        yield from _models_of(_text(path))


# Two versions of a document have most of their models in common.
@lru_cache(maxsize=4096)
def _models_of(text: bytes) -> tuple[tuple[str, Item], ...]:
    return tuple(_models_in(_statements(text)))


def _models_in(statements: list[ast.stmt]) -> Iterator[tuple[str, Item]]:
    for node in statements:
        if isinstance(node, ast.ClassDef):
            yield node.name, Item(dict(_fields(node)), ast.get_docstring(node) or "")
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            values = [str(ast.literal_eval(one)) for one in _elements(node.value.slice)]
            facts = {"": "enum"} | {repr(value): "a value" for value in values}
            yield ast.unparse(node.targets[0]), Item(facts)


def _elements(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    yield "", "class"
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            text = ast.unparse(part.annotation)
            name = part.target.id
            if name != "additional_properties":
                optional = text.endswith(_UNSET)
                yield name, text.removesuffix(_UNSET) if optional else _REQUIRED + text
        elif isinstance(part, ast.FunctionDef) and part.name == "__iter__" and part.returns:
            yield ITERATION, ast.unparse(part.returns)


def _operations(package: Path) -> Iterator[tuple[str, Item]]:
    for path in sorted(package.glob("api/*/__init__.py")):
        for node in _statements(_text(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("Async"):
                for part in node.body:
                    if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                        yield from _operation(path.parent, part)


def _operation(tag: Path, node: ast.FunctionDef) -> Iterator[tuple[str, Item]]:
    module = tag / f"{node.name}.py"
    # The methods that also give status and headers stand beside these, with the same parameters.
    if not module.is_file():
        return
    sent = [
        ast.unparse(part.body[-1]) for part in _statements(_text(module)) if hasattr(part, "body")
    ]
    inner = "\n".join([ast.get_docstring(node) or "", *sent[-1:]])
    yield f"{tag.name}.{node.name}", Item(dict(_parameters(node)), inner)


def _parameters(node: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    yield "", f"-> {ast.unparse(node.returns)}" if node.returns else ""
    for place, one in enumerate(node.args.args[1:], 1):
        yield one.arg, f"{_REQUIRED}{_annotation(one)}, argument {place}"
    for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        text = _annotation(one)
        yield one.arg, _REQUIRED + text if default is None else text.removesuffix(" | None")


def _annotation(node: ast.arg) -> str:
    return ast.unparse(node.annotation) if node.annotation else ""


def _callbacks(package: Path) -> Iterator[tuple[str, Item]]:
    tables = {
        ast.unparse(node.target): ast.literal_eval(node.value)
        for node in _statements(_text(package / "callbacks.py"))
        if isinstance(node, ast.AnnAssign) and node.value
    }
    models = tables.get("MODELS", {})
    facts = {f"[{key!r}]": f"{tables['TRIGGERS'][key]} as {model}" for key, model in models.items()}
    if facts:
        yield "callbacks", Item({"": "callbacks"} | facts)


def compared(old: Surface, new: Surface) -> SurfaceChange:
    """What changed from an older surface to a newer one."""
    pairs = (old.operations, new.operations), (old.models, new.models)
    facts = [fact for mine, theirs in pairs for fact in _facts(mine, theirs)]
    operations, models = (_names(*pair) for pair in pairs)
    return SurfaceChange(
        operations, models, tuple(sorted(facts, key=lambda one: (not one.breaks, one.name)))
    )


def _names(old: Mapping[str, Item], new: Mapping[str, Item]) -> Names:
    return Names(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _facts(old: Mapping[str, Item], new: Mapping[str, Item]) -> Iterator[Fact]:
    for name in old.keys() - new.keys():
        yield Fact(name, "is gone", breaks=True)
    for name in new.keys() - old.keys():
        yield Fact(name, "was added", breaks=False)
    for name in old.keys() & new.keys():
        mine, theirs = old[name].facts, new[name].facts
        for key in mine.keys() | theirs.keys():
            if mine.get(key) != theirs.get(key):
                where = f"{name}{_joint(key)}{key}"
                yield _fact(where, mine.get(key), theirs.get(key))


def _joint(key: str) -> str:
    return " " if key == ITERATION else "" if key[:1] in {"", "[", "'", '"'} else "."


def _fact(name: str, old: str | None, new: str | None) -> Fact:
    if new is None:
        return Fact(name, f"is gone, was {old}", breaks=True)
    if old is None:
        return Fact(name, f"was added: {new}", breaks=new.startswith(_REQUIRED))
    return Fact(name, f"is {new}, was {old}", breaks=old != _REQUIRED + new)


def lines(change: SurfaceChange) -> list[str]:
    """The change for a reader: one line of counts per kind, and the names below it."""
    if not change:
        return ["no operations or models changed"]
    result = []
    for kind, names in (("operations", change.operations), ("models", change.models)):
        groups = (("added", names.added), ("removed", names.removed), ("changed", names.changed))
        counts = ", ".join(f"{len(found)} {what}" for what, found in groups)
        result.append(f"{kind}: {counts}")
        for what, found in groups:
            result += _first([f"  {what:8} {name}" for name in found], f"  {what:8} and")
    breaking = [f"  {one.name} {one.text}" for one in change.facts if one.breaks]
    if breaking:
        result += ["breaks programs that use:", *_first(breaking, "  and")]
    return result


def _first(found: list[str], more: str) -> list[str]:
    rest = len(found) - _SHOWN
    return [*found[:_SHOWN], *([f"{more} {rest} more"] if rest > 0 else [])]
