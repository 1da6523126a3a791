"""The public surface of generated packages: their operations and models, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_CLASS = re.compile(r"^(?:class (\w+)\(|(\w+) = Literal\[)", re.MULTILINE)
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Surface:
    """Operations (``package: tag.method``) and models (``package: Class``) with their code."""

    operations: Mapping[str, str]
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """Names that were added, removed, or whose code changed; sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class SurfaceChange:
    """The difference between two surfaces."""

    operations: Names = field(default_factory=Names)
    models: Names = field(default_factory=Names)

    def __bool__(self) -> bool:
        return bool(self.operations or self.models)


def surface(folder: Path, *packages: str) -> Surface:
    """Read the generated packages of a folder: the named ones, or all."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/openapi.json"))}
    chosen = [found[name] for name in packages or found if name in found]
    return Surface(
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


def compared(old: Surface, new: Surface) -> SurfaceChange:
    """What changed from an older surface to a newer one."""
    operations, models = _names(old.operations, new.operations), _names(old.models, new.models)
    return SurfaceChange(operations, models)


def _names(old: Mapping[str, str], new: Mapping[str, str]) -> Names:
    return Names(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


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
            result += [f"  {what:8} {name}" for name in found[:_SHOWN]]
            if len(found) > _SHOWN:
                result.append(f"  {what:8} and {len(found) - _SHOWN} more")
    return result
