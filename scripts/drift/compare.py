"""Compare two documents by their meaning."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from codegen.document import Node, Refused, joined, schemas
from drift.change import Change, Direction, Kind, merged
from drift.operations import operation_changes, security_changes
from drift.reach import direction_of, spots_of, users
from drift.schemas import SchemaWalk


def compare(base: Node, revision: Node) -> list[Change]:
    """Every change from one document to a newer one.

    References are followed: a schema that was only renamed, or written inline, changes nothing
    that is sent or received.

    Raises: Refused when a reference leads nowhere or a node is not valid OpenAPI.
    """
    walk = SchemaWalk(base, revision)
    with comparing():
        found = [*_head(base, revision), *operation_changes(base, revision, walk)]
        found += component_changes(base, revision, walk, walk.visited)
        return merged([*found, *walk.changes])


@contextmanager
def comparing() -> Iterator[None]:
    """Refuse documents whose nodes are not valid OpenAPI when the comparison runs into them."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        problem = f"cannot be compared ({type(error).__name__}: {error})"
        raise Refused("the documents", problem, "validate both documents") from error


def component_changes(
    base: Node, revision: Node, walk: SchemaWalk, rated: Collection[str]
) -> Iterator[Change]:
    """Yield renamed schemas, and the changes of schemas that no operation uses.

    The latter are those of callbacks. The walk must have compared the operations before, because it
    knows which schema replaced which; *rated* are components that were compared already.
    """
    mine, theirs = schemas(base), schemas(revision)
    reached = users(base), users(revision)
    used = {*reached[0], *reached[1]}
    renamed = dict(_renamed(base, revision, walk))
    for old, new in renamed.items():
        yield Change(
            _pointer(new), Kind.NEUTRAL, Direction.NONE, f"schema {old} is now called {new}"
        )
    for name in sorted(mine.keys() - theirs.keys() - renamed.keys()):
        kind = Kind.NEUTRAL if _pointer(name) in used else Kind.BREAKING
        yield Change(_pointer(name), kind, _way(kind), f"schema {name} was removed")
    for name in sorted(theirs.keys() - mine.keys() - set(renamed.values())):
        kind = Kind.NEUTRAL if _pointer(name) in used else Kind.ADDITIVE
        yield Change(_pointer(name), kind, _way(kind), f"schema {name} was added")
    pairs = {name: name for name in mine.keys() & theirs.keys()} | renamed
    idle = {old: new for old, new in pairs.items() if not {_pointer(old), _pointer(new)} & {*rated}}
    before, after = spots_of(base, [*idle]), spots_of(revision, [*idle.values()])
    inner = SchemaWalk(base, revision)
    for old, new in idle.items():
        way = direction_of(_pointer(old), reached[0]) | direction_of(_pointer(new), reached[1])
        inner.compare(before[old], after[new], way)
    yield from inner.changes


def _renamed(base: Node, revision: Node, walk: SchemaWalk) -> Iterator[tuple[str, str]]:
    mine, theirs = schemas(base), schemas(revision)
    gone, come = mine.keys() - theirs.keys(), theirs.keys() - mine.keys()
    paired = {old.rsplit("/", 1)[-1]: new.rsplit("/", 1)[-1] for old, new in walk.renamed.items()}
    for old in sorted(gone):
        new = paired.get(old) or next(
            (name for name in sorted(come) if _is_same(base, revision, old, name)), None
        )
        if new in come:
            come = come - {new}
            yield old, new


def _is_same(base: Node, revision: Node, old: str, new: str) -> bool:
    walk = SchemaWalk(base, revision)
    before, after = spots_of(base, [old]), spots_of(revision, [new])
    walk.compare(before[old], after[new], Direction.BOTH)
    return not any(one.kind for one in walk.changes)


def _head(base: Node, revision: Node) -> Iterator[Change]:
    if base.get("openapi") != revision.get("openapi"):
        text = f"OpenAPI became {revision.get('openapi')}, was {base.get('openapi')}"
        yield Change("#/openapi", Kind.NEUTRAL, Direction.NONE, text)
    for key in ("info", "tags", "externalDocs"):
        if base.get(key) != revision.get(key):
            yield Change(f"#/{key}", Kind.NEUTRAL, Direction.NONE, f"{key} was reworded")
    yield from _servers(base, revision)
    yield from security_changes(base, revision, "#")
    yield from _schemes(base, revision)
    yield from _webhooks(base.get("webhooks") or {}, revision.get("webhooks") or {})


def _webhooks(old: Node, new: Node) -> Iterator[Change]:
    """Yield the changes of a section that is not generated; its schemas are rated as components."""
    for name in old | new:
        if old.get(name) != new.get(name):
            kind = Kind.ADDITIVE if name in new else Kind.BREAKING
            word = "added" if name not in old else "changed" if name in new else "removed"
            pointer = joined("#", "webhooks", name)
            yield Change(pointer, kind, Direction.RESPONSE, f"webhook {name} was {word}")


def _servers(base: Node, revision: Node) -> Iterator[Change]:
    mine = [server.get("url") for server in base.get("servers") or []]
    theirs = [server.get("url") for server in revision.get("servers") or []]
    for index, url in enumerate(mine):
        if url not in theirs:
            pointer = joined("#", "servers", index)
            yield Change(pointer, Kind.BREAKING, Direction.REQUEST, f"server {url} is gone")
    for index, url in enumerate(theirs):
        if url not in mine:
            pointer = joined("#", "servers", index)
            yield Change(pointer, Kind.ADDITIVE, Direction.REQUEST, f"server {url} was added")


def _schemes(base: Node, revision: Node) -> Iterator[Change]:
    mine = base.get("components", {}).get("securitySchemes") or {}
    theirs = revision.get("components", {}).get("securitySchemes") or {}
    for name in mine | theirs:
        pointer = joined("#", "components", "securitySchemes", name)
        old, new = (_plain(side.get(name)) for side in (mine, theirs))
        if old != new:
            kind = Kind.ADDITIVE if name not in mine else Kind.BREAKING
            word = "added" if name not in mine else "removed" if name not in theirs else "changed"
            text = f"authentication {name} was {word}"
            yield Change(pointer, kind, Direction.REQUEST, text)


def _plain(scheme: object) -> object:
    if not isinstance(scheme, dict):
        return scheme
    return {key: value for key, value in scheme.items() if key != "description"}


def _pointer(name: str) -> str:
    return joined("#", "components", "schemas", name)


def _way(kind: Kind) -> Direction:
    return Direction.RESPONSE if kind else Direction.NONE
