"""How a change of one keyword of a schema is to be judged, in each direction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import gt, lt

from codegen.document import Node
from drift.change import Direction, Kind

Verdict = tuple[str, Kind, str]
"""Keyword, kind and text."""

PROSE = frozenset(
    {"description", "title", "summary", "example", "examples", "externalDocs", "xml", "$comment"}
)
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_OTHER = ("pattern", "multipleOf", "uniqueItems", "format")
# Said of a value, but nothing that a caller could break.
_HINTS = ("default", "readOnly", "writeOnly", "deprecated", "discriminator", "contentEncoding")
_ELSEWHERE = frozenset(
    {
        *("type", "nullable", "enum", "const", "required", "properties", "items", "$ref"),
        *("additionalProperties", "allOf", "oneOf", "anyOf"),
    }
)


def judged(old: Node, new: Node, direction: Direction) -> Iterator[Verdict]:
    """Yield the changes of all keywords that hold no schemas."""
    yield from _types(old, new, direction)
    yield from _enums(old, new, direction)
    yield from _required(old, new, direction)
    yield from _bounds(old, new, direction)
    for key in _HINTS:
        if old.get(key) != new.get(key):
            yield key, Kind.ADDITIVE, _became(key, old.get(key), new.get(key))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) and (key in PROSE or key.startswith("x-")):
            yield key, Kind.NEUTRAL, f"{key} was reworded"
        elif old.get(key) != new.get(key) and key not in _KNOWN:
            yield key, Kind.BREAKING, _became(key, old.get(key), new.get(key))


_KNOWN = PROSE | _ELSEWHERE | {*_UPPER, *_LOWER, *_OTHER, *_HINTS}


def narrowed(direction: Direction) -> Kind:
    """The kind of a change after which fewer values are valid."""
    return Kind.BREAKING if direction & Direction.REQUEST else Kind.ADDITIVE


def widened(direction: Direction) -> Kind:
    """The kind of a change after which more values are valid."""
    return Kind.BREAKING if direction & Direction.RESPONSE else Kind.ADDITIVE


def types(schema: Node) -> frozenset[str]:
    """The types of a schema without null; empty where any will do."""
    given = schema.get("type")
    names = given if isinstance(given, list) else [given] if given else []
    if not names and ("properties" in schema or "additionalProperties" in schema):
        names = ["object"]
    if not names and "items" in schema:
        names = ["array"]
    return frozenset(str(name) for name in names if name != "null")


def _is_nullable(schema: Node) -> bool:
    given = schema.get("type")
    return bool(schema.get("nullable")) or (isinstance(given, list) and "null" in given)


def _types(old: Node, new: Node, direction: Direction) -> Iterator[Verdict]:
    mine, theirs = types(old), types(new)
    if mine != theirs:
        fits = _covers(theirs, mine), _covers(mine, theirs)
        text = f"type became {_listed(theirs)}, was {_listed(mine)}"
        if fits == (True, False):
            yield "type", widened(direction), text
        elif fits == (False, True):
            yield "type", narrowed(direction), text
        else:
            yield "type", Kind.BREAKING, text
    if _is_nullable(old) and not _is_nullable(new):
        yield "type", narrowed(direction), "null is no longer valid"
    if _is_nullable(new) and not _is_nullable(old):
        yield "type", widened(direction), "null became valid"


def _covers(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    allowed = wide | {"integer"} if "number" in wide else wide
    return not wide or (bool(narrow) and narrow <= allowed)


def _listed(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)) or "anything"


def values(schema: Node) -> list[object] | None:
    """The values of an enum, or of a constant, or none."""
    if "const" in schema:
        return [schema["const"]]
    found = schema.get("enum")
    return [one for one in found if one is not None] if isinstance(found, list) else None


def _enums(old: Node, new: Node, direction: Direction) -> Iterator[Verdict]:
    mine, theirs = values(old), values(new)
    if mine == theirs:
        return
    if mine is None or theirs is None:
        word, kind = (
            ("is", narrowed(direction)) if mine is None else ("is no longer", Kind.ADDITIVE)
        )
        yield "enum", kind, f"the value {word} one of a list"
        return
    lost = [one for one in mine if one not in theirs]
    gained = [one for one in theirs if one not in mine]
    if lost:
        yield "enum", narrowed(direction), f"values removed: {_shown(lost)}"
    if gained:
        # Additive in responses too: enums of generated code are open.
        yield "enum", Kind.ADDITIVE, f"values added: {_shown(gained)}"


def _shown(items: list[object]) -> str:
    return ", ".join(str(item) for item in items)


def _required(old: Node, new: Node, direction: Direction) -> Iterator[Verdict]:
    mine, theirs = set(old.get("required") or []), set(new.get("required") or [])
    for name in sorted(theirs - mine):
        yield "required", narrowed(direction), f"{name} became required"
    # What goes altogether is reported as such.
    for name in sorted(mine - theirs):
        if name in (new.get("properties") or {}) or name not in (old.get("properties") or {}):
            yield "required", widened(direction), f"{name} is no longer required"


def _modern(schema: Node) -> Node:
    """A schema with exclusive bounds as OpenAPI 3.1 spells them: as numbers of their own."""
    result = dict(schema)
    for bound, exclusive in (("maximum", _UPPER[1]), ("minimum", _LOWER[1])):
        if isinstance(result.get(exclusive), bool):
            told = result.pop(exclusive)
            if told and bound in result:
                result[exclusive] = result.pop(bound)
    return result


def _bounds(old: Node, new: Node, direction: Direction) -> Iterator[Verdict]:
    old, new = _modern(old), _modern(new)
    for keys, tighter in ((_UPPER, lt), (_LOWER, gt)):
        for key in keys:
            mine, theirs = old.get(key), new.get(key)
            if mine == theirs:
                continue
            gained = mine is None or (theirs is not None and tighter(theirs, mine))
            kind = narrowed(direction) if gained else widened(direction)
            yield key, kind, _became(key, mine, theirs)
    for key in _OTHER:
        mine, theirs = old.get(key) or None, new.get(key) or None
        if mine != theirs:
            yield key, _other(key, mine, theirs, direction), _became(key, mine, theirs)


def _other(key: str, old: object, new: object, direction: Direction) -> Kind:
    # The Python type of the field changes with this one format.
    if (key == "format" and "date-time" in (old, new)) or (old is not None and new is not None):
        return Kind.BREAKING
    return narrowed(direction) if old is None else widened(direction)


def _became(key: str, old: object, new: object) -> str:
    if old is None:
        return f"{key} {json.dumps(new, default=str)} was added"
    if new is None:
        return f"{key} {json.dumps(old, default=str)} was removed"
    return f"{key} became {json.dumps(new, default=str)}, was {json.dumps(old, default=str)}"
