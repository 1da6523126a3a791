"""The comparer of Redocly, which needs node; its ratings in our terms."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codegen.document import Node, Refused, joined, keys_of, operations
from drift.change import Change, Direction, Kind, merged
from drift.compare import comparing, component_changes
from drift.npm import PACKAGE, REMEDY, USUAL, Patience, output
from drift.operations import operation_changes
from drift.reach import Users, component_of, direction_of, users
from drift.schemas import PROSE, SchemaWalk

_OPTIONS = ("--format", "json", "--fail-on", "none")
_KINDS = {"major": Kind.BREAKING, "minor": Kind.ADDITIVE, "patch": Kind.ADDITIVE}
_PROSE = PROSE | {"openapi", "version", "termsOfService", "contact", "license"}
_PROSE_TYPES = frozenset({"SpecExtension", "TagList", "Tag", "Info", "ExternalDocs", "Example"})


def compare(base: Node, revision: Node, patience: Patience = USUAL) -> list[Change]:
    """Every change from one document to a newer one, by ``redocly diff``.

    Names of schemas, and schemas that no operation uses, are judged in Python: Redocly does not
    rate them. Where generated code is stricter or more lenient than a document, `_of_ours` says.

    Raises: Refused when node, the package or an answer is missing.
    """
    found = _run(base, revision, patience)
    walk = SchemaWalk(base, revision)
    with comparing():
        reached = users(base), users(revision)
        for _ in operation_changes(base, revision, walk):
            pass
        rest = [*component_changes(base, revision, walk, {*reached[0], *reached[1]})]
    rated = _rated(found, reached)
    known = {one.pointer: one.kind for one in rated}
    # What callbacks share with operations was rated for these alone.
    return merged([*rated, *(one for one in rest if one.kind > known.get(one.pointer, -1))])


def _run(base: Node, revision: Node, patience: Patience) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        for file, document in (("base.json", base), ("revision.json", revision)):
            (Path(name) / file).write_text(json.dumps(document), encoding="utf-8")
        said = output(["diff", "base.json", "revision.json", *_OPTIONS], Path(name), patience)
    try:
        found: list[dict[str, Any]] = json.loads(said)["changes"]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("redocly", f"{PACKAGE} gave no report", REMEDY) from error
    return found


def _rated(found: list[dict[str, Any]], reached: tuple[Users, Users]) -> list[Change]:
    try:
        return [one for change in found for one in _translated(change, reached)]
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        problem = f"{PACKAGE} gave a report of another form ({type(error).__name__}: {error})"
        raise Refused("redocly", problem, REMEDY) from error


def _translated(change: dict[str, Any], reached: tuple[Users, Users]) -> Iterator[Change]:
    side = change.get("revision") or change["base"]
    pointer = str(side["pointer"])
    component = component_of(pointer)
    if component == pointer and change["typeName"] == "Schema":
        return  # a name, of which component_changes tells more
    is_schema = component.startswith("#/components/schemas/")
    if is_schema and not any(component in side for side in reached):
        return
    if change["typeName"] == "PathItem" and change["kind"] in {"added", "removed"}:
        yield from _item(change, side)
        return
    text = "; ".join(one["message"] for one in change["verdicts"]) or _plain(change, side)
    way = direction_of(component, {**reached[0], **reached[1]}) if is_schema else _way(change)
    kind = _of_ours(change)
    yield Change(pointer, kind, way if kind or is_schema else Direction.NONE, text)


def _item(change: dict[str, Any], side: dict[str, Any]) -> Iterator[Change]:
    """The operations of a path that came or went as a whole."""
    word, kind = change["kind"], _KINDS[change["impact"]]
    for _, method, operation, _ in operations({"paths": {"": side["value"]}}):
        text = f"operation {operation.get('operationId', method)} was {word}"
        yield Change(joined(side["pointer"], method), kind, Direction.BOTH, text)


def _of_ours(change: dict[str, Any]) -> Kind:
    """The kind of a change for users of the generated code."""
    kind, name, key = change["kind"], change["typeName"], change.get("property")
    rules = {verdict["ruleId"] for verdict in change["verdicts"]}
    last = change["path"].split("/")[-2:]
    if key in _PROSE or name in _PROSE_TYPES:
        return Kind.NEUTRAL
    # Enums and unions of generated code are open: a new value or alternative breaks nothing.
    joins_union = kind == "added" and last[0] in {"oneOf", "anyOf"}
    if rules == {"enum-values-added"} or joins_union:
        return Kind.ADDITIVE
    values = [change.get(side, {}).get("value") for side in ("base", "revision")]
    ours = (
        # The tag names the property of the client, the path parameter an argument.
        (name == "Operation" and key == "tags")
        or (name == "Parameter" and key == "name")
        # The constructor of the model loses an argument.
        or (kind == "removed" and name == "Schema" and last[0] == "properties")
        # The Python type of the field changes.
        or (key == "format" and "date-time" in values)
    )
    return Kind.BREAKING if ours else _KINDS[change["impact"]]


def _way(change: dict[str, Any]) -> Direction:
    path = f"{change['path']}/"
    if "/responses/" in path:
        return Direction.RESPONSE
    if "/requestBody/" in path or "/parameters/" in path or not path.startswith("#/paths/"):
        return Direction.REQUEST
    return Direction.BOTH


def _plain(change: dict[str, Any], side: dict[str, Any]) -> str:
    what, value = change.get("property") or keys_of(change["path"])[-1], side.get("value")
    if what.isdigit() and isinstance(value, dict):
        what = str(value.get("name", what))
    kind = "parameter " if change["typeName"] == "Parameter" else ""
    return f"{kind}{what} was {change['kind']}"
