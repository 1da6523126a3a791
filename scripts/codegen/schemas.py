"""The first passes over schemas: one spelling for each meaning, and a name for each class.

`simplify` rewrites a schema into few forms, `hoist` moves inline schemas into components, and
`sent_only` and `relax` decide which required lists the client keeps.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from openapi_python_client.strings import ClassName

from codegen.document import (
    COMPOSITIONS,
    Node,
    Refused,
    operations,
    reference_to,
    references,
    schemas,
    shape,
)

# All that later passes read. Limits are the server's to check: a client that enforces today's
# limits breaks when they are raised. A `default` would do harm: the generator sends it, and a PATCH
# of one field would then change several.
_KEPT = frozenset(
    {
        *("$ref", "type", "format", "enum", "const", "properties", "required", "items"),
        *("additionalProperties", *COMPOSITIONS, "title", "description", "deprecated"),
    }
)


def simplify(schema: Node) -> Node:
    """Rewrite a schema, at any depth, into the few forms that later passes know.

    Null is dropped everywhere: the client reads null as absent. ``additionalProperties: false``
    is dropped too, because unknown fields are kept. Of the formats only date-time changes the
    Python type.
    """
    result: Node = {key: value for key, value in schema.items() if _is_kept(key, value)}
    _spell_types(result)
    _spell_enums(result)
    if result.get("format") not in (None, "date-time"):
        del result["format"]
    if result.pop("deprecated", False):
        result["description"] = f"Deprecated. {result.get('description', '')}".strip()
    for key in COMPOSITIONS:
        if key in result:
            result[key] = [simplify(part) for part in result[key] if part.get("type") != "null"]
    if "properties" in result:
        result["properties"] = {
            name: simplify(value) for name, value in result["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = simplify(result[key])
    return _unwrap_single(result)


def _is_kept(key: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if key == "additionalProperties" and isinstance(value, bool):
        return False
    return key in _KEPT


def _spell_types(schema: Node) -> None:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        schema["type"] = next(kind for kind in kinds if kind != "null")
    if schema.get("type") == "object" and schema.keys() & {*COMPOSITIONS}:
        # A composition that is generated is one of objects: some documents say so, others do not.
        del schema["type"]
    elif "type" not in schema:
        if "properties" in schema or "additionalProperties" in schema:
            schema["type"] = "object"
        elif "items" in schema:
            schema["type"] = "array"


def _spell_enums(schema: Node) -> None:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
        schema["type"] = "string"


def _unwrap_single(schema: Node) -> Node:
    """Replace a composition of one reference, written to add a description, by the reference."""
    for key in COMPOSITIONS:
        parts = schema.get(key, [])
        beside = schema.keys() - {key, "description", "title"}
        if len(parts) == 1 and "$ref" in parts[0] and not beside:
            return {**parts[0], **{k: schema[k] for k in ("description",) if k in schema}}
    return schema


def hoist(document: Node) -> None:
    """Move inline schemas of a simplified document into components, in place.

    A schema is named by its title where that means one thing in the whole document, else by the
    joined names of parent and property; list items add Item, map values add Value. So a name
    depends on the content of the document, not on its order.

    Raises: Refused when two different schemas would get one name.
    """
    _Hoister(schemas(document)).run()


@cache
def class_name(name: str) -> str:
    """The Python class name that the generator derives."""
    return str(ClassName(name, "field_"))


# Names that the module of a class uses itself.
_RESERVED = frozenset({"Any", "DateTime", "Iterator", "Mapping", "Model", "Self", "Unset"})


def model_name(name: str) -> str:
    """The class name of a component, which is none that its module uses itself."""
    found = class_name(name)
    return f"{found}Schema" if found in _RESERVED else found


def rename_reserved(document: Node) -> None:
    """Give components of a flat document other names where generated code needs theirs, in place.

    Raises: Refused when the other name is taken.
    """
    components = schemas(document)
    taken = {module_key(name) for name in components}
    renamed = {name: model_name(name) for name in components if class_name(name) in _RESERVED}
    for name, new in renamed.items():
        if module_key(new) in taken:
            raise Refused(
                f"components.schemas.{name}", f"needs the class name {new}, which is taken"
            )
    if not renamed:
        return
    found = {reference_to(old)["$ref"]: reference_to(new)["$ref"] for old, new in renamed.items()}
    document["components"]["schemas"] = {renamed.get(n, n): it for n, it in components.items()}
    for key in ("paths", "components"):
        document[key] = _referring(document[key], found)


def _referring(node: Any, renamed: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, list):
        return [_referring(one, renamed) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: renamed.get(value, value)
        if key == "$ref" and isinstance(value, str)
        else _referring(value, renamed)
        for key, value in node.items()
    }


def module_key(name: str) -> str:
    """A key that is equal for names whose classes would share a file on some file system."""
    return class_name(name).lower()


class _Hoister:
    def __init__(self, components: dict[str, Node]) -> None:
        self._components = components
        self._titles = _unambiguous_titles(components)
        self._taken: dict[str, str] = {}

    def run(self) -> None:
        for name in list(self._components):
            self._register(name)
        for name in list(self._components):
            self._children(self._components[name], class_name(name))

    def _register(self, name: str) -> None:
        taken = self._taken.setdefault(module_key(name), name)
        if taken != name:
            raise Refused(f"components.schemas.{name}", f"would share a file with {taken}")

    def _children(self, schema: Node, parent: str) -> None:
        for key in COMPOSITIONS:
            for part in schema.get(key, []):
                self._children(part, parent)
        properties = schema.get("properties", {})
        for name, value in properties.items():
            if _is_hoistable(value):
                value.setdefault("description", f"The {name} of {parent}.")
            properties[name] = self._value(value, parent + class_name(name))
        for key, suffix in (("items", "Item"), ("additionalProperties", "Value")):
            if key in schema:
                schema[key] = self._value(schema[key], parent + suffix)

    def _value(self, schema: Node, path_name: str) -> Node:
        if not _is_hoistable(schema):
            self._children(schema, path_name)
            return schema
        title = schema.get("title", "")
        name = class_name(title) if module_key(title) in self._titles else path_name
        present = self._components.get(name)
        if present is None:
            self._register(name)
            self._components[name] = schema
            self._children(schema, name)
        elif self._same(present, schema, name):
            return {**reference_to(name)}
        else:
            place = f"components.schemas.{name}"
            raise Refused(place, "would name two different schemas", "give one of them a title")
        return {**reference_to(name)}

    def _same(self, present: Node, schema: Node, name: str) -> bool:
        probe = json.loads(json.dumps(schema))
        self._children(probe, name)
        return shape(present) == shape(probe)


def _is_hoistable(schema: Node) -> bool:
    if "$ref" in schema:
        return False
    return bool(schema.get("properties") or "enum" in schema) or any(
        key in schema for key in COMPOSITIONS
    )


def _unambiguous_titles(components: dict[str, Node]) -> set[str]:
    """Keys of titles that always mean the same inline schema and are not a component's name."""
    found: dict[str, set[str]] = defaultdict(set)

    def walk(schema: Node, *, inline: bool) -> None:
        if inline and _is_hoistable(schema) and "title" in schema:
            meaning = json.dumps(shape(schema), sort_keys=True)
            found[module_key(schema["title"])].add(meaning)
        for key in COMPOSITIONS:
            for part in schema.get(key, []):
                walk(part, inline=False)
        for value in schema.get("properties", {}).values():
            walk(value, inline=True)
        for key in ("items", "additionalProperties"):
            if key in schema:
                walk(schema[key], inline=True)

    for schema in components.values():
        walk(schema, inline=False)
    taken = {module_key(name) for name in components}
    return {title for title, meanings in found.items() if len(meanings) == 1} - taken


def sent_only(document: Node) -> set[str]:
    """Names of the components that only the caller writes.

    All others may come from the server: those that a response reaches, and those that no request
    reaches (events of callbacks), with everything they contain.
    """
    components = schemas(document)
    requests = _closure(components, _roots(document, "requestBody"))
    inbound = _closure(
        components, [*_roots(document, "responses"), *(components.keys() - requests)]
    )
    return requests - inbound


def relax(document: Node, keep: set[str]) -> None:
    """Drop the required lists of all components except those to keep, in place."""
    for name, schema in schemas(document).items():
        if name not in keep:
            schema.pop("required", None)


def _roots(document: Node, key: str) -> list[str]:
    return [
        name
        for _, _, operation, _ in operations(document)
        for name in references(operation.get(key))
    ]


def _closure(components: dict[str, Node], roots: Iterable[str]) -> set[str]:
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in found and name in components:
            found.add(name)
            todo.extend(references(components[name]))
    return found
