"""openapi/inventory.json: the names in the documents, so that a lost one is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codegen.document import COMPOSITIONS, Node, Refused, operations, resolved, schemas

FILE = "inventory.json"
# Where a document may list its schemas; new ones are added to the first.
_SCHEMAS = ("schemas", "callbacks")
# Facts that may change without a name being lost; the drift check rates them.
_FOLLOWED = {"required", "body"}
_SHOWN = 10


def names(document: Node) -> Node:
    """The section of a document: its operations and schemas, with the names inside them."""
    return {
        "operations": dict(_operations(document)),
        "schemas": {name: _schema(schema) for name, schema in schemas(document).items()},
    }


def renewed(table: Node, name: str, document: Node) -> tuple[Node, list[str]]:
    """The inventory with the names that a document adds, and the names that it lacks.

    Nothing is ever removed automatically: a name that is gone for good is removed by hand.
    """
    known, found = table.get(name, {}), names(document)
    elsewhere = {*known.get("callbacks", {}), *known.get("shared", [])}
    section = {**known, "operations": _grown(known.get("operations", {}), found["operations"])}
    own = {key: value for key, value in found["schemas"].items() if key not in elsewhere}
    section["schemas"] = _grown(known.get("schemas", {}), own)
    for key in set(_SCHEMAS[1:]) & known.keys():
        present = known[key].keys() & found["schemas"].keys()
        section[key] = _grown(known[key], {item: found["schemas"][item] for item in present})
    return {**table, name: section}, [*_lost(known, found)]


def struck(table: Node, name: str, document: Node) -> Node:
    """The inventory without the names that a document no longer has."""
    found, section = names(document), dict(table.get(name, {}))
    section["operations"] = _kept(section.get("operations", {}), found["operations"])
    for key in _SCHEMAS:
        if key in section:
            section[key] = _kept(section[key], found["schemas"])
    if "shared" in section:
        section["shared"] = [one for one in section["shared"] if one in found["schemas"]]
    return {**table, name: section}


def _kept(known: Node, found: Node) -> Node:
    """Of the known names those that are found, with those of their facts that are found."""
    return {
        name: {
            key: [one for one in value if one in found[name].get(key, [])]
            if isinstance(value, list)
            else found[name].get(key, value)
            for key, value in facts.items()
        }
        for name, facts in known.items()
        if name in found
    }


def read(path: Path) -> Node | None:
    """The inventory, or None when the file does not exist.

    Raises: Refused when the file is not a JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Refused(path.name, f"cannot be read ({error})", "restore it") from error
    if not isinstance(found, dict):
        raise Refused(path.name, "is not a mapping", "restore it")
    return found


def written(table: Node) -> bytes:
    """The content of the file for an inventory."""
    return (json.dumps(table, indent=1, ensure_ascii=False) + "\n").encode()


def warnings(missing: list[str], document: str) -> list[str]:
    """One line per name that a document lacks; the rest as a number when there are many."""
    lines = [f"{document} no longer has {one}" for one in missing[:_SHOWN]]
    more = len(missing) - _SHOWN
    lines += [f"{document} no longer has {more} other names"] * (more > 0)
    advice = f"if that is intended, strike them from openapi/{FILE}: fetch_specs.py NAME --strike"
    return [*lines, advice] if lines else []


def _operations(document: Node) -> Iterator[tuple[str, Node]]:
    for path, method, operation, item in operations(document):
        listed = [*item.get("parameters", []), *operation.get("parameters", [])]
        found = [resolved(document, one, "parameters", "inventory") for one in listed]
        identifier = str(operation.get("operationId") or f"{method.upper()} {path}")
        yield (
            identifier,
            {
                "method": method.upper(),
                "path": path,
                "parameters": sorted({one["name"] for one in found}),
                "required": sorted({one["name"] for one in found if one.get("required")}),
                "responses": sorted(operation["responses"]),
                "body": "requestBody" in operation,
            },
        )


def _schema(schema: Node) -> Node:
    """The names at any depth of a schema; a kind without names is left out."""
    parts = [*_parts(schema)]
    found = {
        "fields": {name for part in parts for name in part.get("properties", {})},
        "required": {name for part in parts for name in part.get("required", [])},
        "values": {one for part in parts for one in part.get("enum", []) if isinstance(one, str)},
    }
    return {key: sorted(items) for key, items in found.items() if items}


def _parts(schema: object) -> Iterator[Node]:
    if not isinstance(schema, dict):
        return
    yield schema
    inner = [*schema.get("properties", {}).values(), schema.get("items")]
    inner += [part for key in COMPOSITIONS for part in schema.get(key, [])]
    for child in [*inner, schema.get("additionalProperties")]:
        yield from _parts(child)


def _grown(known: Node, found: Node) -> Node:
    """The known names in their order, then those that are new."""
    joined = {name: _joined(known.get(name, {}), facts) for name, facts in found.items()}
    return {name: joined.get(name, known.get(name)) for name in {**known, **found}}


def _joined(known: Node, found: Node) -> Node:
    """The facts about one name: lists only grow, other facts stay as known."""
    result = {key: _longer(known.get(key), value) for key, value in found.items()}
    result |= {key: found[key] for key in _FOLLOWED & found.keys()}
    return result | {key: known[key] for key in known.keys() - found.keys() - _FOLLOWED}


def _longer(known: Any, found: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(known, list):
        return found if known is None else known
    more = [one for one in found if one not in known]
    return sorted([*known, *more]) if more else known


def _lost(known: Node, found: Node) -> Iterator[str]:
    yield from _missing(known.get("operations", {}), found["operations"], "operation")
    for key in _SCHEMAS:
        yield from _missing(known.get(key, {}), found["schemas"], "schema")
    for name in known.get("shared", []):
        if name not in found["schemas"]:
            yield f"schema {name}"


def _missing(known: Node, found: Node, what: str) -> Iterator[str]:
    for name, facts in known.items():
        if name not in found:
            yield f"{what} {name}"
            continue
        for kind, value in facts.items():
            if kind not in _FOLLOWED:
                yield from _less(value, found[name].get(kind), f"{kind} of {what} {name}")


def _less(known: Any, found: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(known, list):
        listed = found or []
        yield from (f"{one} in {where}" for one in known if one not in listed)
    elif known != found:
        yield f"{known} as {where}"
