"""Second pass: every inline object, union and enum becomes a component with a stable name."""

from __future__ import annotations

import json
from collections import defaultdict

from openapi_python_client.strings import ClassName

from codegen.document import Node, Refused, reference_to, schemas, shape

_COMPOSITIONS = ("allOf", "oneOf", "anyOf")


def hoist(document: Node) -> None:
    """Move inline schemas of a simplified document into components, in place.

    Names: the schema's title where it means one thing in the whole document, else the names of
    parent and property joined; list items add Item, map values add Value. So a name does not
    depend on the order of the document, only on what stands in it.

    Raises: Refused when two different schemas would get one name.
    """
    _Hoister(schemas(document)).run()


def class_name(name: str) -> str:
    """The Python class name that the generator derives."""
    return str(ClassName(name, "field_"))


def module_key(name: str) -> str:
    """Equal for names whose classes would be written to one file, on any file system."""
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
            raise Refused(f"components.schemas.{name}", f"gets the same file as {taken}")

    def _children(self, schema: Node, parent: str) -> None:
        for key in _COMPOSITIONS:
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
        key in schema for key in _COMPOSITIONS
    )


def _unambiguous_titles(components: dict[str, Node]) -> set[str]:
    """Keys of titles that always mean the same inline schema and are no component's name."""
    found: dict[str, set[str]] = defaultdict(set)

    def walk(schema: Node, *, inline: bool) -> None:
        if inline and _is_hoistable(schema) and "title" in schema:
            meaning = json.dumps(shape(schema), sort_keys=True)
            found[module_key(schema["title"])].add(meaning)
        for key in _COMPOSITIONS:
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
