"""What a change touches: operations, models, overlays and functions of the wrapper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from codegen.document import Node, operations
from codegen.hoist import class_name
from codegen.operations import method_name
from codegen.overlay import actions, apply, matched
from codegen.pointer import joined, keys_of
from codegen.reading import load
from codegen.sources import Source
from drift.change import Change
from drift.reach import Users, component_of, users
from drift.wrapper import Words, naming


@dataclass(frozen=True, slots=True)
class Touched:
    """The names that a change is about; sorted."""

    operations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """Answers for one pair of documents."""

    base: Node
    revision: Node
    anchors: Mapping[str, frozenset[str]]
    """Places that overlay actions target, by pointer, with what names the actions."""
    words: Words
    _users: list[Users] = field(default_factory=list)

    def of(self, change: Change) -> Touched:
        """What a change touches."""
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
    """The places that the overlays of a source target, in the document as each action finds it.

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
    """Tell whether the target of an action is meant, not only a list that it adds to."""
    keys = keys_of(target)
    is_list = len(keys) < (3 if keys[:1] == ["components"] else 2)
    return target == pointer or (not is_list and _is_around(target, pointer))


def _is_around(place: str, pointer: str) -> bool:
    """Tell whether one of two places contains the other."""
    return place == pointer or pointer.startswith(f"{place}/") or place.startswith(f"{pointer}/")


def _models(pointer: str) -> Iterator[str]:
    component = keys_of(component_of(pointer))
    if component[1:2] == ["schemas"]:
        yield class_name(component[2])


def _fields(pointer: str) -> Iterator[str]:
    """The field that a change is about, where its name is telling enough to look for."""
    keys = keys_of(pointer)
    for key, name in pairwise(keys):
        if key == "properties" and "_" in name:
            yield name
