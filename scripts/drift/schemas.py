"""Compare two schemas through references: the keywords of each node, then the nodes inside.

`SchemaWalk` visits pairs of nodes; `judged` rates the keywords of one pair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import gt, lt

from codegen.document import COMPOSITIONS, Node, joined, shape
from drift.change import Change, Direction, Kind
from drift.reach import Spot, as_schema, spot

Verdict = tuple[str, Kind, str]
"""Keyword, kind and text."""

PROSE = frozenset(
    {"description", "title", "summary", "example", "examples", "externalDocs", "xml", "$comment"}
)
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_OTHER = ("pattern", "multipleOf", "uniqueItems", "format")
# Facts about a value that no caller can violate.
_HINTS = ("default", "readOnly", "writeOnly", "deprecated", "discriminator", "contentEncoding")
_ELSEWHERE = frozenset(
    {
        *("type", "nullable", "enum", "const", "required", "properties", "items", "$ref"),
        *("additionalProperties", *COMPOSITIONS),
    }
)
_KNOWN = PROSE | _ELSEWHERE | {*_UPPER, *_LOWER, *_OTHER, *_HINTS}


class SchemaWalk:
    """Compares the schemas of two documents, each pair of places once per direction.

    ``changes`` collects the changes, ``visited`` the components that were compared, and
    ``renamed`` the components that replaced one of another name.
    """

    def __init__(self, base: Node, revision: Node) -> None:
        self._base = base
        self._revision = revision
        self._seen: set[tuple[str, str, Direction]] = set()
        self.changes: list[Change] = []
        self.visited: set[str] = set()
        self.renamed: dict[str, str] = {}

    def compare(self, old: Spot, new: Spot, direction: Direction) -> None:
        """Add the changes between two schemas and everything they contain."""
        old, new = self._spots(old, new)
        if old.reference and new.reference and old.reference != new.reference:
            self.renamed.setdefault(old.reference, new.reference)
        self.visited |= {old.reference, new.reference}
        key = (old.pointer, new.pointer, direction)
        if key in self._seen:
            return
        self._seen.add(key)
        typed = self._typed(self._base, old.node), self._typed(self._revision, new.node)
        for keyword, kind, text in judged(*typed, direction):
            where = new if keyword in new.node else old
            pointer = joined(where.pointer, keyword) if keyword in where.node else new.pointer
            self.changes.append(Change(pointer, kind, direction, text))
        self._properties(old, new, direction)
        self._items(old, new, direction)
        self._others(old, new, direction)
        for keyword in COMPOSITIONS:
            self._parts(keyword, old, new, direction)

    def _spots(self, old: Spot, new: Spot) -> tuple[Spot, Spot]:
        """Both schemas without references; a composition on both sides is kept."""
        full = spot(self._base, old), spot(self._revision, new)
        if full[0].reference and full[0].reference == full[1].reference:
            # A component, perhaps with a description around its reference on one side.
            return full
        sides = spot(self._base, old, COMPOSITIONS), spot(self._revision, new, COMPOSITIONS)
        both = [key for key in COMPOSITIONS if all(key in side.node for side in sides)]
        whole = [key for key in both if any(len(side.node[key]) > 1 for side in sides)]
        return spot(self._base, sides[0], whole), spot(self._revision, sides[1], whole)

    def _typed(self, document: Node, schema: Node) -> Node:
        """The schema with the type that its composition implies, if it names none itself."""
        if types(schema) or not schema.keys() & {*COMPOSITIONS}:
            return schema
        found = _implied(document, schema, ())
        return {**schema, "type": sorted(found)} if found else schema

    def _add(self, pointer: str, kind: Kind, direction: Direction, text: str) -> None:
        self.changes.append(Change(pointer, kind, direction, text))

    def _properties(self, old: Spot, new: Spot, direction: Direction) -> None:
        mine, theirs = old.node.get("properties") or {}, new.node.get("properties") or {}
        for name in mine | theirs:
            before, after = (joined(one.pointer, "properties", name) for one in (old, new))
            if name not in theirs:
                # Breaking in requests too: the constructor of the model loses an argument.
                way = facing(mine[name], mine[name], direction)
                kind = Kind.BREAKING if way else Kind.ADDITIVE
                self._add(before, kind, way, f"property {name} was removed")
            elif name not in mine:
                self._add(after, Kind.ADDITIVE, direction, f"property {name} was added")
            else:
                way = facing(mine[name], theirs[name], direction)
                self.compare(Spot(mine[name], before), Spot(theirs[name], after), way)

    def _items(self, old: Spot, new: Spot, direction: Direction) -> None:
        # When the type changed as well, that is reported and is enough.
        if types(old.node) != types(new.node) or "items" not in {*old.node, *new.node}:
            return
        self.compare(
            Spot(as_schema(old.node.get("items")), joined(old.pointer, "items")),
            Spot(as_schema(new.node.get("items")), joined(new.pointer, "items")),
            direction,
        )

    def _others(self, old: Spot, new: Spot, direction: Direction) -> None:
        key = "additionalProperties"
        mine, theirs = _extra(old.node), _extra(new.node)
        before, after = joined(old.pointer, key), joined(new.pointer, key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            self.compare(Spot(mine, before), Spot(theirs, after), direction)
        elif mine != theirs:
            less, more = _openness(theirs) < _openness(mine), key in new.node
            kind = narrowed(direction) if less else widened(direction)
            text = f"{'fewer' if less else 'more'} values are valid as additional fields"
            self._add(after if more else before, kind, direction, text)

    def _parts(self, keyword: str, old: Spot, new: Spot, direction: Direction) -> None:
        mine, theirs = _spots(old, keyword), _spots(new, keyword)
        if bool(mine) != bool(theirs):
            pointer = joined((new if theirs else old).pointer, keyword)
            word = "became" if theirs else "is no longer"
            self._add(pointer, Kind.BREAKING, direction, f"{word} a composition by {keyword}")
            return
        pairs, lost, gained = self._paired(mine, theirs)
        for before, after in pairs:
            self.compare(before, after, direction)
        for part in lost:
            kind = widened(direction) if keyword == "allOf" else narrowed(direction)
            text = f"{_named(part)} left the {keyword}"
            gone = fields(self._base, part.node) - fields(self._revision, new.node)
            if gone:
                # The class loses them, in requests and in responses.
                kind, text = Kind.BREAKING, f"{text}, and with it {', '.join(sorted(gone))}"
            self._add(part.pointer, kind, direction, text)
        for part in gained:
            # Unions in generated code are open, in requests and responses.
            kind = narrowed(direction) if keyword == "allOf" else Kind.ADDITIVE
            self._add(part.pointer, kind, direction, f"{_named(part)} joined the {keyword}")

    def _paired(
        self, mine: list[Spot], theirs: list[Spot]
    ) -> tuple[list[tuple[Spot, Spot]], list[Spot], list[Spot]]:
        """The parts paired by name, meaning or fields, or as the last ones; then the unpaired."""
        pairs: list[tuple[Spot, Spot]] = []
        mine, theirs = mine.copy(), theirs.copy()
        for same in (_same_name, self._same_meaning, self._same_fields):
            for old in mine.copy():
                new = next((one for one in theirs if same(old, one)), None)
                if new is not None:
                    pairs.append((old, new))
                    mine.remove(old)
                    theirs.remove(new)
        if len(mine) == len(theirs) == 1:
            return [*pairs, (mine[0], theirs[0])], [], []
        return pairs, mine, theirs

    def _same_fields(self, old: Spot, new: Spot) -> bool:
        names = fields(self._base, old.node)
        return bool(names) and names == fields(self._revision, new.node)

    def _same_meaning(self, old: Spot, new: Spot) -> bool:
        first = spot(self._base, old).node
        second = spot(self._revision, new).node
        return json.dumps(shape(first), sort_keys=True) == json.dumps(shape(second), sort_keys=True)


def fields(document: Node, schema: Node, seen: tuple[str, ...] = ()) -> set[str]:
    """The names of the properties of a schema and of all its parts."""
    node = spot(document, Spot(schema, ""), COMPOSITIONS)
    if node.reference in seen and node.reference:
        return set()
    parts = [part for key in COMPOSITIONS for part in node.node.get(key) or []]
    inner = [fields(document, as_schema(part), (*seen, node.reference)) for part in parts]
    return set(node.node.get("properties") or {}).union(*inner)


def _implied(document: Node, schema: Node, seen: tuple[str, ...]) -> frozenset[str]:
    """The types that a schema implies: of an allOf any part, of a union all parts together."""
    node = spot(document, Spot(schema, ""), COMPOSITIONS)
    if types(node.node) or (node.reference and node.reference in seen):
        return types(node.node)
    for key in COMPOSITIONS:
        parts = [as_schema(part) for part in node.node.get(key) or []]
        found = [_implied(document, part, (*seen, node.reference)) for part in parts]
        known = [one for one in found if one]
        if known and (key == "allOf" or len(known) == len(found)):
            return frozenset().union(*known) if key != "allOf" else known[0]
    return frozenset()


def facing(old: object, new: object, direction: Direction) -> Direction:
    """The direction of a property: one that is read only is not sent, and the reverse."""
    for key, without in (("readOnly", Direction.REQUEST), ("writeOnly", Direction.RESPONSE)):
        if all(as_schema(side).get(key) is True for side in (old, new)):
            direction &= ~without
    return direction


def _extra(schema: Node) -> object:
    """The schema of additional fields, False when none are allowed, True when all are."""
    given = schema.get("additionalProperties", True)
    return (given or True) if isinstance(given, dict) else given


def _openness(extra: object) -> int:
    return 1 if isinstance(extra, dict) else 2 * bool(extra)


def _spots(parent: Spot, keyword: str) -> list[Spot]:
    listed = parent.node.get(keyword) or []
    # An alternative that is only null means the same as nullable.
    return [
        Spot(part, joined(parent.pointer, keyword, index))
        for index, part in enumerate(listed)
        if isinstance(part, dict) and part.get("type") != "null"
    ]


def _same_name(old: Spot, new: Spot) -> bool:
    return "$ref" in old.node and old.node["$ref"] == new.node.get("$ref")


def _named(part: Spot) -> str:
    return str(part.node.get("$ref", "a part")).rsplit("/", 1)[-1]


def judged(old: Node, new: Node, direction: Direction) -> Iterator[Verdict]:
    """Yield the changes of all keywords that do not contain schemas."""
    yield from _types(old, new, direction)
    yield from _enums(old, new, direction)
    yield from _required(old, new, direction)
    yield from _bounds(old, new, direction)
    for key in _HINTS:
        if old.get(key) != new.get(key):
            yield key, Kind.ADDITIVE, became(key, old.get(key), new.get(key))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) and (key in PROSE or key.startswith("x-")):
            yield key, Kind.NEUTRAL, f"{key} was reworded"
        elif old.get(key) != new.get(key) and key not in _KNOWN:
            yield key, Kind.BREAKING, became(key, old.get(key), new.get(key))


def narrowed(direction: Direction) -> Kind:
    """The kind of a change after which fewer values are valid."""
    return Kind.BREAKING if direction & Direction.REQUEST else Kind.ADDITIVE


def widened(direction: Direction) -> Kind:
    """The kind of a change after which more values are valid."""
    return Kind.BREAKING if direction & Direction.RESPONSE else Kind.ADDITIVE


def types(schema: Node) -> frozenset[str]:
    """The types of a schema without null; empty when any type is valid."""
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
    """The values of an enum or of a constant; None for any other schema."""
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
    known, now = old.get("properties") or {}, new.get("properties") or {}
    for name in sorted(theirs - mine):
        way = facing(now.get(name), now.get(name), direction)
        yield "required", narrowed(way), f"{name} became required"
    # A property that was removed is reported as that.
    for name in sorted(mine - theirs):
        if name in now or name not in known:
            way = facing(known.get(name), known.get(name), direction)
            yield "required", widened(way), f"{name} is no longer required"


def _modern(schema: Node) -> Node:
    """A schema with exclusive bounds as OpenAPI 3.1 spells them: as numbers of their own."""
    result = dict(schema)
    for bound, exclusive in (("maximum", _UPPER[1]), ("minimum", _LOWER[1])):
        if isinstance(result.get(exclusive), bool):
            flag = result.pop(exclusive)
            if flag and bound in result:
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
            yield key, kind, became(key, mine, theirs)
    for key in _OTHER:
        mine, theirs = old.get(key) or None, new.get(key) or None
        if mine != theirs:
            yield key, _other(key, mine, theirs, direction), became(key, mine, theirs)


def _other(key: str, old: object, new: object, direction: Direction) -> Kind:
    # This format alone changes the Python type of the field.
    if key == "pattern" and not direction & Direction.REQUEST:
        # Generated code checks none.
        return Kind.ADDITIVE
    if (key == "format" and "date-time" in (old, new)) or (old is not None and new is not None):
        return Kind.BREAKING
    return narrowed(direction) if old is None else widened(direction)


def became(key: str, old: object, new: object) -> str:
    """What became of the value of a keyword, in words."""
    if old is None:
        return f"{key} {json.dumps(new, default=str)} was added"
    if new is None:
        return f"{key} {json.dumps(old, default=str)} was removed"
    return f"{key} became {json.dumps(new, default=str)}, was {json.dumps(old, default=str)}"
