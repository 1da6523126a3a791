"""What a change affects: operations, models, overlays and functions of the wrapper.

`Impact` answers that for one pair of documents. `words` indexes the functions of the wrapper by the
names they use, `anchors` the places that overlays target, and `through_overlays` rates the changes
as they appear with the overlays applied.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from codegen.document import Node, joined, keys_of, operations
from codegen.operations import method_name
from codegen.overlay import actions, apply, matched
from codegen.reading import load
from codegen.schemas import class_name
from codegen.sources import Source
from drift.change import Change, Kind, merged
from drift.reach import Users, component_of, users

Words = Mapping[str, frozenset[str]]
"""Functions (or modules and classes) by dotted name, with the words that they use."""


@dataclass(frozen=True, slots=True)
class Touched:
    """The names that a change affects; sorted."""

    operations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """What changes between one pair of documents affect."""

    base: Node
    revision: Node
    anchors: Mapping[str, frozenset[str]]
    """The pointers that overlay actions target, with the names of these actions."""
    words: Words
    _users: list[Users] = field(default_factory=list)

    def of(self, change: Change) -> Touched:
        """The names that a change affects."""
        found = sorted(set(self._operations(change.pointer)))
        models = tuple(sorted(set(_models(change.pointer))))
        names = {*found, *models, *(method_name(one) for one in found), *_fields(change.pointer)}
        overlays = {
            action
            for place, listed in self.anchors.items()
            if _is_about(place, change.pointer)
            for action in listed
        }
        functions = naming(self.words, names - {""})
        return Touched(tuple(found), models, functions, tuple(sorted(overlays)))

    def _operations(self, pointer: str) -> Iterator[str]:
        component = component_of(pointer)
        if not self._users:
            self._users.extend([users(self.base), users(self.revision)])
        for document, reached in zip((self.base, self.revision), self._users, strict=True):
            yield from reached.get(component, {})
            for path, method, operation, _ in operations(document):
                place = joined("#", "paths", path, method)
                parameters = joined("#", "paths", path, "parameters")
                if _is_around(pointer, place) or pointer.startswith(f"{parameters}/"):
                    yield str(operation.get("operationId", ""))


def anchors(source: Source) -> dict[str, frozenset[str]]:
    """The pointers that the overlays of a source target, in the document each action receives.

    Raises: Refused as `Source.overlaid` does.
    """
    document, found = source.read(), dict[str, set[str]]()
    for path in source.overlays:
        overlay, name = load(path), f"overlays/{path.name}"
        for place, action in actions(overlay, name):
            for match in matched(document, action, place):
                found.setdefault(joined("#", *match.parts), set()).add(place)
            one = {"overlay": overlay["overlay"], "actions": [action]}
            document, _ = apply(document, one, name)
    return {pointer: frozenset(names) for pointer, names in found.items()}


def _is_about(target: str, pointer: str) -> bool:
    """Whether an action targets this place, and does not only add to a list around it."""
    keys = keys_of(target)
    is_list = len(keys) < (3 if keys[:1] == ["components"] else 2)
    return target == pointer or (not is_list and _is_around(target, pointer))


def _is_around(place: str, pointer: str) -> bool:
    """Whether one of two places contains the other."""
    return place == pointer or pointer.startswith(f"{place}/") or place.startswith(f"{pointer}/")


def _models(pointer: str) -> Iterator[str]:
    component = keys_of(component_of(pointer))
    if component[1:2] == ["schemas"]:
        yield class_name(component[2])


def _fields(pointer: str) -> Iterator[str]:
    """The field that a change is about, if its name is distinctive enough to look for."""
    keys = keys_of(pointer)
    for key, name in pairwise(keys):
        if key == "properties" and "_" in name:
            yield name


_SECTION = 2


def through_overlays(
    changes: Collection[Change], ours: Collection[Change], targets: Collection[str]
) -> list[Change]:
    """The changes of a published document, rated by what they change once overlays are applied.

    A change that an overlay made long ago is neutral. A repair that is lost because its target is
    gone is a change that the published document alone does not show.

    Args:
        changes: of the document as published.
        ours: of the document with its overlays.
        targets: pointers that the overlays target.
    """
    known, seen = ([one.pointer for one in given] for given in (ours, changes))
    # An action that adds to a whole section says nothing about the other entries.
    targets = [one for one in targets if one.count("/") > _SECTION]
    weighed = [
        replace(one, kind=Kind.NEUTRAL, text=f"{one.text} (an overlay makes this change already)")
        if one.kind and _is_near(one.pointer, targets) and not _is_near(one.pointer, known)
        else one
        for one in changes
    ]
    more = [
        replace(one, text=f"{one.text} (an overlay changed this before)")
        for one in ours
        if one.kind and not _is_near(one.pointer, seen)
    ]
    return merged([*weighed, *more])


def _is_near(pointer: str, others: Collection[str]) -> bool:
    """Whether one of the places is this one, contains it, is inside it, or is a sibling."""
    parent = pointer.rpartition("/")[0]
    # Entries of a section are not siblings: #/components/schemas/A says nothing about B.
    beside = parent if parent.count("/") > _SECTION else pointer
    return any(
        pointer == one or pointer.startswith(f"{one}/") or f"{one}/".startswith(f"{beside}/")
        for one in others
    )


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def words(package: Path) -> Words:
    """The words in each function of a package; words outside functions count for the scope."""
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
        # A quoted annotation names a model by its last part.
        yield node.value
        yield node.value.rsplit(".", 1)[-1]
