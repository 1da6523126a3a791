"""Compare the operations of two documents: addresses, parameters, bodies and responses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from codegen.document import Node, joined, operations
from drift.change import Change, Direction, Kind
from drift.reach import Spot, spot
from drift.schemas import SchemaWalk, became

Key = tuple[str, str]
_REQUEST, _RESPONSE, _NONE = Direction.REQUEST, Direction.RESPONSE, Direction.NONE
# How a parameter is encoded.
_ENCODING = ("style", "explode", "allowReserved", "content")


@dataclass(frozen=True, slots=True)
class Place:
    """An operation with its document."""

    document: Node
    path: str
    method: str
    node: Node
    item: Node

    @property
    def key(self) -> tuple[str, str]:
        """What the server distinguishes: the names of path parameters do not matter to it."""
        return re.sub(r"\{[^}]*\}", "{}", self.path), self.method

    @property
    def pointer(self) -> str:
        """The JSON pointer to the operation."""
        return joined("#", "paths", self.path, self.method)

    @property
    def name(self) -> str:
        """The operation id, or method and path."""
        return str(self.node.get("operationId") or f"{self.method.upper()} {self.path}")


def operation_changes(base: Node, revision: Node, walk: SchemaWalk) -> Iterator[Change]:
    """Yield the changes of all operations; changes of their schemas are added to the walk."""
    mine, theirs = _places(base), _places(revision)
    moved = _moved(mine, theirs)
    for old, new in moved:
        text = f"{old.name} moved from {old.method.upper()} {old.path}"
        yield Change(new.pointer, Kind.BREAKING, Direction.BOTH, text)
    gone, come = {old.key for old, _ in moved}, {new.key for _, new in moved}
    for key in sorted(mine.keys() - theirs.keys() - gone):
        text = f"operation {mine[key].name} was removed"
        yield Change(mine[key].pointer, Kind.BREAKING, Direction.BOTH, text)
    for key in sorted(theirs.keys() - mine.keys() - come):
        text = f"operation {theirs[key].name} was added"
        yield Change(theirs[key].pointer, Kind.ADDITIVE, Direction.BOTH, text)
    pairs = [(mine[key], theirs[key]) for key in mine if key in theirs]
    for old, new in [*pairs, *moved]:
        yield from _operation(old, new)
        yield from _parameter_changes(old, new, walk)
        yield from _body(old, new, walk)
        yield from _responses(old, new, walk)


def _places(document: Node) -> dict[tuple[str, str], Place]:
    found = [Place(document, *parts) for parts in operations(document)]
    return {place.key: place for place in found}


def _moved(
    mine: dict[tuple[str, str], Place], theirs: dict[tuple[str, str], Place]
) -> list[tuple[Place, Place]]:
    ids = {theirs[key].node.get("operationId"): theirs[key] for key in theirs.keys() - mine.keys()}
    gone = [mine[key] for key in sorted(mine.keys() - theirs.keys())]
    known = [(old, ids.get(old.node.get("operationId") or object())) for old in gone]
    return [(old, new) for old, new in known if new is not None]


def _operation(old: Place, new: Place) -> Iterator[Change]:
    rules = (("operationId", Kind.BREAKING), ("tags", Kind.BREAKING), ("deprecated", Kind.ADDITIVE))
    for key, kind in rules:
        if old.node.get(key) != new.node.get(key):
            text = f"{key} of {old.name} became {new.node.get(key)}, was {old.node.get(key)}"
            yield Change(joined(new.pointer, key), kind, Direction.BOTH, text)
    for key in ("summary", "description", "externalDocs"):
        if old.node.get(key) != new.node.get(key):
            yield Change(joined(new.pointer, key), Kind.NEUTRAL, _NONE, f"{key} was reworded")
    for key in ("callbacks", "servers"):
        if old.node.get(key) != new.node.get(key):
            text = f"{key} of {old.name} changed"
            yield Change(joined(new.pointer, key), Kind.BREAKING, Direction.BOTH, text)
    yield from security_changes(old.node, new.node, new.pointer)


def security_changes(old: Node, new: Node, pointer: str) -> Iterator[Change]:
    """Yield the change of the accepted authentication, of an operation or of the document."""
    mine, theirs = old.get("security"), new.get("security")
    if mine == theirs:
        return
    kept = mine is not None and (not theirs or all(way in theirs for way in mine))
    text = f"authentication became {_ways(theirs)}, was {_ways(mine)}"
    kind = Kind.ADDITIVE if kept else Kind.BREAKING
    yield Change(joined(pointer, "security"), kind, _REQUEST, text)


def _ways(security: object) -> str:
    listed = security if isinstance(security, list) else []
    return (
        " or ".join(" and ".join(_scheme(*one) for one in way.items()) or "none" for way in listed)
        or "the default"
    )


def _scheme(name: str, scopes: object) -> str:
    return (
        f"{name} ({', '.join(map(str, scopes))})" if scopes and isinstance(scopes, list) else name
    )


def _body(old: Place, new: Place, walk: SchemaWalk) -> Iterator[Change]:
    pointer = joined(new.pointer, "requestBody")
    mine, theirs = _spot(old, "requestBody"), _spot(new, "requestBody")
    if mine is None or theirs is None:
        if mine is not theirs:
            wanted = theirs is not None and theirs.node.get("required")
            kind = Kind.ADDITIVE if theirs is not None and not wanted else Kind.BREAKING
            word = "added" if mine is None else "removed"
            yield Change(pointer, kind, _REQUEST, f"the body of {old.name} was {word}")
        return
    if bool(mine.node.get("required")) != bool(theirs.node.get("required")):
        wanted = bool(theirs.node.get("required"))
        kind = Kind.BREAKING if wanted else Kind.ADDITIVE
        text = f"the body of {old.name} {'became' if wanted else 'is no longer'} required"
        yield Change(joined(theirs.pointer, "required"), kind, _REQUEST, text)
    yield from _contents(mine, theirs, _REQUEST, walk)


def _responses(old: Place, new: Place, walk: SchemaWalk) -> Iterator[Change]:
    mine, theirs = old.node.get("responses") or {}, new.node.get("responses") or {}
    for code in mine | theirs:
        before = joined(old.pointer, "responses", code)
        after = joined(new.pointer, "responses", code)
        if code not in theirs:
            # Failures are raised by status: generated code has no part of them.
            kind = Kind.BREAKING if str(code).startswith("2") else Kind.ADDITIVE
            text = f"response {code} of {old.name} was removed"
            yield Change(before, kind, _RESPONSE, text)
        elif code not in mine:
            text = f"response {code} of {new.name} was added"
            yield Change(after, Kind.ADDITIVE, _RESPONSE, text)
        else:
            first = spot(old.document, Spot(mine[code], before))
            second = spot(new.document, Spot(theirs[code], after))
            if first.node.get("description") != second.node.get("description"):
                where = joined(second.pointer, "description")
                yield Change(where, Kind.NEUTRAL, _NONE, "description was reworded")
            yield from _headers((old.document, first), (new.document, second), walk)
            yield from _contents(first, second, _RESPONSE, walk)


def _headers(old: tuple[Node, Spot], new: tuple[Node, Spot], walk: SchemaWalk) -> Iterator[Change]:
    """Yield the changes of the headers of a response, which the client hands on as they come."""
    mine, theirs = (_named_headers(*side) for side in (old, new))
    for name in mine | theirs:
        known, now = mine.get(name), theirs.get(name)
        if known and now:
            if known.node.get("required") and not now.node.get("required"):
                text = f"header {name} is no longer required"
                yield Change(_at(known, now, "required"), Kind.BREAKING, _RESPONSE, text)
            walk.compare(_schema(known), _schema(now), _RESPONSE)
        elif known:
            yield Change(known.pointer, Kind.BREAKING, _RESPONSE, f"header {name} was removed")
        elif now:
            yield Change(now.pointer, Kind.ADDITIVE, _RESPONSE, f"header {name} was added")


def _named_headers(document: Node, response: Spot) -> dict[str, Spot]:
    """The headers by name, which has no case."""
    return {
        str(name).lower(): spot(document, Spot(node, joined(response.pointer, "headers", name)))
        for name, node in (response.node.get("headers") or {}).items()
    }


def _contents(old: Spot, new: Spot, direction: Direction, walk: SchemaWalk) -> Iterator[Change]:
    mine, theirs = old.node.get("content") or {}, new.node.get("content") or {}
    for media in mine | theirs:
        before, after = (joined(one.pointer, "content", media) for one in (old, new))
        if media not in theirs:
            yield Change(before, Kind.BREAKING, direction, f"{media} was removed")
        elif media not in mine:
            yield Change(after, Kind.ADDITIVE, direction, f"{media} was added")
        else:
            walk.compare(
                Spot(mine[media].get("schema") or {}, joined(before, "schema")),
                Spot(theirs[media].get("schema") or {}, joined(after, "schema")),
                direction,
            )


def _spot(place: Place, key: str) -> Spot | None:
    if key not in place.node:
        return None
    return spot(place.document, Spot(place.node[key], joined(place.pointer, key)))


def _parameter_changes(old: Place, new: Place, walk: SchemaWalk) -> Iterator[Change]:
    """Yield the changes of the parameters, including those of the path item."""
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
            yield from _default(old.document, new.document, known, now)
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
    """The parameters by name and location; those of the operation win over those of its path."""
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
    for key in _ENCODING:
        if old.node.get(key) != new.node.get(key):
            text = f"{key} of parameter {name} changed"
            yield Change(_at(old, new, key), Kind.BREAKING, _REQUEST, text)
    if old.node.get("deprecated") != new.node.get("deprecated"):
        text = f"deprecated of parameter {name} changed"
        yield Change(_at(old, new, "deprecated"), Kind.ADDITIVE, _REQUEST, text)
    if old.node.get("description") != new.node.get("description"):
        where = _at(old, new, "description")
        yield Change(where, Kind.NEUTRAL, _REQUEST, "description was reworded")


def _default(old: Node, new: Node, mine: Spot, theirs: Spot) -> Iterator[Change]:
    """Yield a change of what the server takes when a caller leaves the parameter out."""
    before, after = spot(old, _schema(mine)), spot(new, _schema(theirs))
    was, now = before.node.get("default"), after.node.get("default")
    if was != now:
        yield Change(
            _at(before, after, "default"), Kind.BREAKING, _REQUEST, became("default", was, now)
        )


def _at(old: Spot, new: Spot, key: str) -> str:
    return joined(new.pointer, key) if key in new.node else joined(old.pointer, key)


def _schema(parameter: Spot) -> Spot:
    return Spot(parameter.node.get("schema") or {}, joined(parameter.pointer, "schema"))
