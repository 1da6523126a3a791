"""Walking two schemas side by side, through references, to every difference of meaning."""

from __future__ import annotations

import json

from codegen.document import Node, shape
from codegen.pointer import joined
from drift.change import Change, Direction, Kind
from drift.keywords import judged, narrowed, types, widened
from drift.spots import COMPOSITIONS, Spot, as_schema, spot


class SchemaWalk:
    """Compares the schemas of two documents; each pair of places once a direction.

    ``changes`` collects what was found, ``visited`` the components that were compared, ``renamed``
    those that took another's place.
    """

    def __init__(self, base: Node, revision: Node) -> None:
        self._base = base
        self._revision = revision
        self._seen: set[tuple[str, str, Direction]] = set()
        self.changes: list[Change] = []
        self.visited: set[str] = set()
        self.renamed: dict[str, str] = {}

    def compare(self, old: Spot, new: Spot, direction: Direction) -> None:
        """Add the changes between two schemas and all that they contain."""
        old, new = self._spots(old, new)
        if old.reference and new.reference and old.reference != new.reference:
            self.renamed.setdefault(old.reference, new.reference)
        self.visited |= {old.reference, new.reference}
        key = (old.pointer, new.pointer, direction)
        if key in self._seen:
            return
        self._seen.add(key)
        for keyword, kind, text in judged(old.node, new.node, direction):
            where = new if keyword in new.node else old
            pointer = joined(where.pointer, keyword) if keyword in where.node else new.pointer
            self.changes.append(Change(pointer, kind, direction, text))
        self._properties(old, new, direction)
        self._items(old, new, direction)
        self._others(old, new, direction)
        for keyword in COMPOSITIONS:
            self._parts(keyword, old, new, direction)

    def _spots(self, old: Spot, new: Spot) -> tuple[Spot, Spot]:
        """Both schemas without references; a composition on both sides stays one."""
        sides = spot(self._base, old, COMPOSITIONS), spot(self._revision, new, COMPOSITIONS)
        both = [key for key in COMPOSITIONS if all(key in side.node for side in sides)]
        whole = [key for key in both if any(len(side.node[key]) > 1 for side in sides)]
        return spot(self._base, sides[0], whole), spot(self._revision, sides[1], whole)

    def _add(self, pointer: str, kind: Kind, direction: Direction, text: str) -> None:
        self.changes.append(Change(pointer, kind, direction, text))

    def _properties(self, old: Spot, new: Spot, direction: Direction) -> None:
        mine, theirs = old.node.get("properties") or {}, new.node.get("properties") or {}
        for name in mine | theirs:
            before, after = (joined(one.pointer, "properties", name) for one in (old, new))
            if name not in theirs:
                # Breaking in requests too: the constructor of the model loses an argument.
                self._add(before, Kind.BREAKING, direction, f"property {name} was removed")
            elif name not in mine:
                self._add(after, Kind.ADDITIVE, direction, f"property {name} was added")
            else:
                self.compare(Spot(mine[name], before), Spot(theirs[name], after), direction)

    def _items(self, old: Spot, new: Spot, direction: Direction) -> None:
        # Where the type changed as well, that is the whole story.
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
            text = f"{'fewer' if less else 'more'} values are valid as other fields"
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
            self._add(part.pointer, kind, direction, f"{_named(part)} left the {keyword}")
        for part in gained:
            # Unions of generated code are open, whoever sends the new alternative.
            kind = narrowed(direction) if keyword == "allOf" else Kind.ADDITIVE
            self._add(part.pointer, kind, direction, f"{_named(part)} joined the {keyword}")

    def _paired(
        self, mine: list[Spot], theirs: list[Spot]
    ) -> tuple[list[tuple[Spot, Spot]], list[Spot], list[Spot]]:
        """The parts that belong together by name, by meaning, or by being the only ones left."""
        pairs: list[tuple[Spot, Spot]] = []
        mine, theirs = mine.copy(), theirs.copy()
        for same in (_same_name, self._same_meaning):
            for old in mine.copy():
                new = next((one for one in theirs if same(old, one)), None)
                if new is not None:
                    pairs.append((old, new))
                    mine.remove(old)
                    theirs.remove(new)
        if len(mine) == len(theirs) == 1:
            return [*pairs, (mine[0], theirs[0])], [], []
        return pairs, mine, theirs

    def _same_meaning(self, old: Spot, new: Spot) -> bool:
        first = spot(self._base, old).node
        second = spot(self._revision, new).node
        return json.dumps(shape(first), sort_keys=True) == json.dumps(shape(second), sort_keys=True)


def _extra(schema: Node) -> object:
    """A schema for other fields, False where none are allowed, True where all are."""
    given = schema.get("additionalProperties", True)
    return (given or True) if isinstance(given, dict) else given


def _openness(extra: object) -> int:
    return 1 if isinstance(extra, dict) else 2 * bool(extra)


def _spots(parent: Spot, keyword: str) -> list[Spot]:
    listed = parent.node.get(keyword) or []
    # An alternative that is only null says the same as nullable.
    return [
        Spot(part, joined(parent.pointer, keyword, index))
        for index, part in enumerate(listed)
        if isinstance(part, dict) and part.get("type") != "null"
    ]


def _same_name(old: Spot, new: Spot) -> bool:
    return "$ref" in old.node and old.node["$ref"] == new.node.get("$ref")


def _named(part: Spot) -> str:
    return str(part.node.get("$ref", "a part")).rsplit("/", 1)[-1]
