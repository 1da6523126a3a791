"""What a folder of generated packages offers, and how two such folders differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_CLASS = re.compile(r"^(?:class (\w+)\(|(\w+) = Literal\[)", re.MULTILINE)
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Inventory:
    """Operations (``package: tag.method``) and models (``package: Class``) with their code."""

    operations: Mapping[str, str]
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """Names that one folder has and the other has not, or has differently; sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Summary:
    """The difference of two inventories."""

    operations: Names = field(default_factory=Names)
    models: Names = field(default_factory=Names)

    def __bool__(self) -> bool:
        return bool(self.operations or self.models)


def inventory(folder: Path, *packages: str) -> Inventory:
    """Read the generated packages of a folder; all of them, if none is named."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/openapi.json"))}
    chosen = [found[name] for name in packages or found if name in found]
    return Inventory(
        {key: code for package in chosen for key, code in _operations(package)},
        {key: code for package in chosen for key, code in _models(package)},
    )


def _operations(package: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(package.glob("api/*/[!_]*.py")):
        name = f"{package.name}: {path.parent.name}.{path.stem}"
        yield name, path.read_text(encoding="utf-8")


def _models(package: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(package.glob("models/[!_]*.py")):
        code = path.read_text(encoding="utf-8")
        match = _CLASS.search(code)
        if match:
            yield f"{package.name}: {match[1] or match[2]}", code


def compared(old: Inventory, new: Inventory) -> Summary:
    """How the newer of two inventories differs from the older."""
    return Summary(
        _names(old.operations, new.operations),
        _names(old.models, new.models),
    )


def _names(old: Mapping[str, str], new: Mapping[str, str]) -> Names:
    return Names(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def lines(summary: Summary) -> list[str]:
    """A summary to read: a head for each kind, the names below it."""
    if not summary:
        return ["no operation and no model has changed"]
    result = []
    for kind, names in (("operations", summary.operations), ("models", summary.models)):
        groups = (("added", names.added), ("removed", names.removed), ("changed", names.changed))
        counts = ", ".join(f"{len(found)} {what}" for what, found in groups)
        result.append(f"{kind}: {counts}")
        for what, found in groups:
            result += [f"  {what:8} {name}" for name in found[:_SHOWN]]
            if len(found) > _SHOWN:
                result.append(f"  {what:8} and {len(found) - _SHOWN} more")
    return result
