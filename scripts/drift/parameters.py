"""Comparing the parameters of an operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.pointer import joined
from drift.change import Change, Direction, Kind
from drift.schemas import SchemaWalk
from drift.spots import Spot, spot

if TYPE_CHECKING:
    from drift.operations import Place

Key = tuple[str, str]
_REQUEST = Direction.REQUEST
_SPELLING = ("style", "explode", "allowReserved", "content")


def parameter_changes(old: Place, new: Place, walk: SchemaWalk) -> Iterator[Change]:
    """Yield the changes of the parameters, those of the path item included."""
    mine, theirs = _parameters(old), _parameters(new)
    for before, after in zip(_in_path(old.path), _in_path(new.path), strict=False):
        known, renamed = mine.get((before, "path")), theirs.get((after, "path"))
        if before != after and known and renamed:
            text = f"path parameter {before} is now called {after}"
            yield Change(joined(renamed.pointer, "name"), Kind.BREAKING, _REQUEST, text)
            del mine[before, "path"]
            mine[after, "path"] = known
    for key in mine | theirs:
        known, now = mine.get(key), theirs.get(key)
        if known and now:
            yield from _parameter(known, now, key[0])
            walk.compare(_schema(known), _schema(now), _REQUEST)
        elif known:
            text = f"parameter {key[0]} of {old.name} was removed"
            yield Change(known.pointer, Kind.BREAKING, _REQUEST, text)
        elif now:
            wanted = bool(now.node.get("required"))
            kind = Kind.BREAKING if wanted else Kind.ADDITIVE
            text = f"{'required ' if wanted else ''}parameter {key[0]} of {new.name} was added"
            yield Change(now.pointer, kind, _REQUEST, text)


def _parameters(place: Place) -> dict[Key, Spot]:
    """The parameters by name and place; those of the operation win over those of its path."""
    found: dict[Key, Spot] = {}
    parent = joined("#", "paths", place.path)
    for node, pointer in ((place.item, parent), (place.node, place.pointer)):
        for index, one in enumerate(node.get("parameters") or []):
            at = spot(place.document, Spot(one, joined(pointer, "parameters", index)))
            found[str(at.node.get("name")), str(at.node.get("in"))] = at
    return found


def _in_path(path: str) -> list[str]:
    return re.findall(r"\{([^}]*)\}", path)


def _parameter(old: Spot, new: Spot, name: str) -> Iterator[Change]:
    if bool(old.node.get("required")) != bool(new.node.get("required")):
        wanted = bool(new.node.get("required"))
        kind = Kind.BREAKING if wanted else Kind.ADDITIVE
        text = f"parameter {name} {'became' if wanted else 'is no longer'} required"
        yield Change(_at(old, new, "required"), kind, _REQUEST, text)
    for key in _SPELLING:
        if old.node.get(key) != new.node.get(key):
            text = f"{key} of parameter {name} changed"
            yield Change(_at(old, new, key), Kind.BREAKING, _REQUEST, text)
    if old.node.get("deprecated") != new.node.get("deprecated"):
        text = f"deprecated of parameter {name} changed"
        yield Change(_at(old, new, "deprecated"), Kind.ADDITIVE, _REQUEST, text)
    if old.node.get("description") != new.node.get("description"):
        where = _at(old, new, "description")
        yield Change(where, Kind.NEUTRAL, _REQUEST, "description was reworded")


def _at(old: Spot, new: Spot, key: str) -> str:
    return joined(new.pointer, key) if key in new.node else joined(old.pointer, key)


def _schema(parameter: Spot) -> Spot:
    return Spot(parameter.node.get("schema") or {}, joined(parameter.pointer, "schema"))
