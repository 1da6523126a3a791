"""Turn allOf, oneOf and anyOf into flat objects that can hold every valid value."""

from __future__ import annotations

from codegen.document import (
    COMPOSITIONS,
    Node,
    Refused,
    component_of,
    reference_to,
    references,
    schemas,
    shape,
)
from codegen.schemas import class_name, module_key

Properties = dict[str, Node]


def flatten(document: Node) -> None:
    """Replace every composition among the components by a flat object, in place.

    A union of objects becomes one class with the fields of all alternatives; a field is optional
    unless all require it. The class holds every valid value without loss, and values of
    alternatives that the document does not have yet.

    Raises: Refused where two parts give a field meanings that no single type covers.
    """
    components = schemas(document)
    _Flattener(components).run()
    _inline_aliases(document, components)


class _Flattener:
    def __init__(self, components: dict[str, Node]) -> None:
        self._components = components
        self._flat: dict[str, Node] = {}
        self._open: list[str] = []

    def run(self) -> None:
        for name in list(self._components):
            self._flat[name] = self._component(name)
        self._components.update(self._flat)

    def _component(self, name: str) -> Node:
        if name in self._flat:
            return self._flat[name]
        place = f"components.schemas.{name}"
        if name in self._open:
            raise Refused(place, f"is composed of itself ({' > '.join(self._open)})")
        self._open.append(name)
        self._flat[name] = self._schema(self._components[name], class_name(name), place)
        self._open.pop()
        return self._flat[name]

    def _schema(self, schema: Node, owner: str, place: str) -> Node:
        if "$ref" in schema:
            target = self._component(component_of(schema["$ref"], "schemas", place))
            return {**target, **{k: v for k, v in schema.items() if k == "description"}}
        parts = [
            self._combine(key, [self._schema(p, owner, place) for p in schema[key]], owner, place)
            for key in COMPOSITIONS
            if key in schema
        ]
        if not parts:
            return schema
        own = {k: v for k, v in schema.items() if k in {"type", "properties", "required"}}
        if own:
            parts.append({"type": "object", **own})
        result = self._combine("allOf", parts, owner, place)
        return {**result, **{k: schema[k] for k in ("title", "description") if k in schema}}

    def _combine(self, key: str, parts: list[Node], owner: str, place: str) -> Node:
        if len(parts) == 1:
            return dict(parts[0])
        if all(part.get("type") != "object" for part in parts):
            if all(shape(part) == shape(parts[0]) for part in parts):
                return dict(parts[0])
            raise Refused(place, f"combines values that are not objects by {key}")
        for part in parts:
            if part.get("type", "object") != "object" or "additionalProperties" in part:
                raise Refused(place, f"combines objects with other values by {key}")
        join = self._narrow if key == "allOf" else self._widen
        properties: Properties = {}
        for part in parts:
            for name, value in part.get("properties", {}).items():
                where = f"{place}.properties.{name}"
                known = properties.get(name)
                properties[name] = value if known is None else join(known, value, owner, where)
        lists = [set(part.get("required", [])) for part in parts]
        required = set.union(*lists) if key == "allOf" else set.intersection(*lists)
        result: Node = {"type": "object", "properties": properties}
        if required:
            result["required"] = [name for name in properties if name in required]
            self._check_required(required, properties, place)
        return result

    @staticmethod
    def _check_required(required: set[str], properties: Properties, place: str) -> None:
        for name in sorted(required - properties.keys()):
            raise Refused(place, f"requires {name}, which is not one of its properties")

    def _narrow(self, first: Node, second: Node, owner: str, place: str) -> Node:
        """A field that must satisfy both parts of an allOf."""
        if shape(first) == shape(second) or not shape(second):
            return first
        if not shape(first):
            return second
        mine, theirs = self._enum(first), self._enum(second)
        if mine is None and theirs is None:
            raise Refused(place, "has two meanings in one allOf")
        if mine is None or theirs is None:
            plain = second if theirs is None else first
            if plain.get("type") != "string":
                raise Refused(place, "has two meanings in one allOf")
            return first if theirs is None else second
        both = [value for value in mine if value in theirs]
        if not both:
            raise Refused(place, "has no value that satisfies both parts of the allOf")
        return self._new_enum(owner, place, both)

    def _widen(self, first: Node, second: Node, owner: str, place: str) -> Node:
        """A field of a union, where it may be what either alternative says."""
        if shape(first) == shape(second):
            return first
        mine, theirs = self._enum(first), self._enum(second)
        if mine is not None and theirs is not None:
            return self._new_enum(owner, place, list(dict.fromkeys([*mine, *theirs])))
        if mine is not None or theirs is not None:
            plain = second if theirs is None else first
            if plain.get("type") == "string":
                return plain
        if "$ref" in first and "$ref" in second and mine is None and theirs is None:
            return self._union(first, second, owner, place)
        raise Refused(place, "has types in one union that no single type covers")

    def _union(self, first: Node, second: Node, owner: str, place: str) -> Node:
        name = owner + class_name(place.rsplit(".", 1)[-1])
        parts = [self._schema(part, name, place) for part in (first, second)]
        self._add(name, self._combine("oneOf", parts, name, place), place)
        return reference_to(name)

    def _enum(self, schema: Node) -> list[str] | None:
        if "$ref" not in schema:
            return schema.get("enum")
        target = self._components.get(schema["$ref"].rsplit("/", 1)[-1], {})
        return self._flat.get(schema["$ref"].rsplit("/", 1)[-1], target).get("enum")

    def _new_enum(self, owner: str, place: str, values: list[str]) -> Node:
        name = owner + class_name(place.rsplit(".", 1)[-1])
        self._add(name, {"type": "string", "enum": values}, place)
        return reference_to(name)

    def _add(self, name: str, schema: Node, place: str) -> None:
        present = self._flat.get(name, self._components.get(name))
        clash = [other for other in self._components if module_key(other) == module_key(name)]
        if clash and clash != [name]:
            raise Refused(place, f"needs the class name {name}, which {clash[0]} has")
        known = present is not None and shape(present) != shape(schema)
        # A union of three parts replaces its own result for the first two, and nothing else.
        if known and name in self._components and name not in self._flat:
            raise Refused(place, f"needs the class name {name}, which is taken")
        self._flat[name] = schema


def _inline_aliases(document: Node, components: dict[str, Node]) -> None:
    """Replace references to arrays and plain values by what they name: only classes have names."""
    aliases = {
        name: schema
        for name, schema in components.items()
        if schema.get("type") != "object" and "enum" not in schema
    }
    for name in aliases:
        _refuse_endless(name, aliases)
    for name in aliases:
        del components[name]

    def resolve(node: object) -> object:
        if isinstance(node, list):
            return [resolve(value) for value in node]
        if not isinstance(node, dict):
            return node
        name = str(node.get("$ref", "")).rsplit("/", 1)[-1]
        if name in aliases:
            return resolve(aliases[name])
        return {key: resolve(value) for key, value in node.items()}

    for key in ("paths", "components"):
        document[key] = resolve(document.get(key, {}))


def _refuse_endless(name: str, aliases: dict[str, Node]) -> None:
    todo = list(references(aliases[name]))
    seen: set[str] = set()
    while todo:
        other = todo.pop()
        if other == name:
            raise Refused(
                f"components.schemas.{name}", "is a list of itself, which Python cannot type"
            )
        if other in aliases and other not in seen:
            seen.add(other)
            todo.extend(references(aliases[other]))
