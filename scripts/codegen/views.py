"""What the templates print: the generator's parse of a document, as plain names and expressions."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from openapi_python_client.parser.openapi import Endpoint, EndpointCollection, GeneratorData
from openapi_python_client.parser.properties import (
    AnyProperty,
    DateTimeProperty,
    ListProperty,
    LiteralEnumProperty,
    ModelProperty,
    Property,
)
from openapi_python_client.schema import UntrustedString
from openapi_python_client.strings import ClassName, safe_for_docstring

from codegen.document import Node, Refused, operations

# Names that a model defines itself; a field of that name keeps its JSON key but gets a suffix.
_MODEL_NAMES = frozenset({"additional_properties", "to_dict", "from_dict"})
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a model, or a parameter of an operation."""

    name: str
    key: str
    type: str
    load: str
    dump: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """A class to print, with the names that its annotations need."""

    name: str
    description: str
    fields: list[FieldView]
    imports: list[str]
    helpers: list[str]


@dataclass(frozen=True, slots=True)
class OperationView:
    """A function that builds an operation, and the methods that send it."""

    name: str
    id: str
    method: str
    path: str
    path_parameters: list[FieldView]
    query_parameters: list[FieldView]
    body: str | None
    result: str
    load: str | None
    description: str
    imports: list[str]
    deprecated: bool

    @property
    def helpers(self) -> list[str]:
        """Names from types.py that the function uses."""
        found = {"Operation", "path_segment"}
        if self.query_parameters:
            found |= {"query"} | {p.dump for p in self.query_parameters if p.dump}
        if self.body:
            found.add("dump")
        if self.load:
            found.add(self.load.split("(", 1)[0])
        if any("DateTime" in p.type for p in self.query_parameters):
            found.add("DateTime")
        return sorted(found)


@dataclass(slots=True)
class Views:
    """Answers the templates' questions about one document."""

    data: GeneratorData
    document: Node
    title: str
    _dicts: dict[str, ModelProperty] = field(init=False)
    _modules: dict[str, str] = field(init=False)
    _operations: dict[tuple[str, str], Node] = field(init=False)

    def __post_init__(self) -> None:
        models = list(self.data.models)
        # An object without fields of its own is a dictionary; a class would only be in the way.
        self._dicts = {
            str(model.class_info.name): model
            for model in models
            if not model.required_properties and not model.optional_properties
        }
        self.data.models = (m for m in models if str(m.class_info.name) not in self._dicts)
        classes = [m.class_info for m in models] + [e.class_info for e in self.data.enums]
        self._modules = {str(info.name): str(info.module_name) for info in classes}
        self._operations = {
            (path, method): operation for path, method, operation, _ in operations(self.document)
        }

    def imports(self, names: Iterable[str], package: str) -> list[str]:
        """Import lines for class names, sorted."""
        return [f"from {package}{self._modules[name]} import {name}" for name in sorted(names)]

    def model(self, model: ModelProperty) -> ModelView:
        """The class for a component."""
        properties = [*(model.required_properties or []), *(model.optional_properties or [])]
        fields = [self._field(p, _field_name(p)) for p in properties]
        used = set().union(*(self._classes(p) for p in properties)) - {str(model.class_info.name)}
        code = " ".join(f"{f.load} {f.dump} {f.type}" for f in fields)
        helpers = {"load_model", "load_models", "load_list", "load_map", "load_datetime", "DateTime"}
        return ModelView(
            name=str(model.class_info.name),
            description=_docstring(model.description, _field_lines(fields), indent=4),
            fields=sorted(fields, key=lambda f: not f.required),
            imports=self.imports(used, "."),
            helpers=sorted(h for h in helpers if h in _words(code))
            + ["dump"]
            + (["take"] if any(f.required for f in fields) else []),
        )

    def enum(self, enum: LiteralEnumProperty) -> tuple[str, list[str], str]:
        """Name, sorted values and description of an open enum."""
        return str(enum.class_info.name), sorted(map(str, enum.values)), _plain(enum.description)

    def operation(self, endpoint: Endpoint) -> OperationView:
        """The function for an operation."""
        node = self._find(endpoint)
        body = endpoint.bodies[0].prop if endpoint.bodies else None
        result, load, used = self._result(endpoint)
        joined = set(node["x-comma-joined"])
        parameters = [*endpoint.path_parameters, *endpoint.query_parameters]
        used |= set().union(set(), *(self._classes(p) for p in parameters))
        if body is not None:
            used |= self._classes(body)
        query = [
            self._field(p, str(p.python_name), joined=_untrusted(p.name) in joined)
            for p in endpoint.query_parameters
        ]
        path = [self._field(p, str(p.python_name)) for p in endpoint.path_parameters]
        return OperationView(
            name=str(endpoint.name),
            id=node["x-operation-id"],
            method=endpoint.method.upper(),
            path=_path_expression(endpoint),
            path_parameters=path,
            query_parameters=sorted(query, key=lambda f: not f.required),
            body=f"{self.type(body)} | Mapping[str, object]" if body is not None else None,
            result=result,
            load=load,
            description=_operation_docstring(endpoint, node, [*path, *query]),
            imports=self.imports(used, "...models."),
            deprecated=node["x-deprecated"],
        )

    def operations(self, collection: EndpointCollection) -> list[OperationView]:
        """The operations of a tag."""
        return [self.operation(endpoint) for endpoint in collection.endpoints]

    def resource(self, collection: EndpointCollection) -> str:
        """The class name of a tag, without Async in front."""
        return f"{ClassName(str(collection.tag), 'tag_')}Resource"

    def type(self, prop: Property) -> str:
        """The annotation of a value, without absence."""
        if isinstance(prop, ListProperty):
            return f"list[{self.type(prop.inner_property)}]"
        if isinstance(prop, ModelProperty):
            name = str(prop.class_info.name)
            if name not in self._dicts:
                return name
            inner = self._dicts[name].additional_properties
            return f"dict[str, {self.type(inner) if inner else 'Any'}]"
        if isinstance(prop, LiteralEnumProperty):
            return f"{prop.class_info.name} | str"
        if isinstance(prop, DateTimeProperty):
            return "DateTime"
        if isinstance(prop, AnyProperty):
            return "Any"
        return prop.get_type_string(no_optional=True).as_unembedded_code()

    def _field(self, prop: Property, name: str, *, joined: bool = False) -> FieldView:
        load = self._load(prop, "value")
        return FieldView(
            name=name,
            key=json.dumps(_untrusted(prop.name), ensure_ascii=False),
            type=self.type(prop),
            load=load,
            dump="joined" if joined else ("dump" if self._needs_dump(prop) else ""),
            required=bool(prop.required),
            description=_plain(prop.description),
        )

    def _needs_dump(self, prop: Property) -> bool:
        return isinstance(prop, AnyProperty) or self._load(prop, "v") != "v" or "dict" in self.type(prop)

    def _load(self, prop: Property, value: str) -> str:
        """An expression that turns decoded JSON into the annotated value."""
        if isinstance(prop, DateTimeProperty):
            return f"load_datetime({value})"
        if isinstance(prop, ListProperty):
            inner = prop.inner_property
            if self._is_class(inner):
                return f"load_models(_models.{inner.class_info.name}, {value})"  # type: ignore[union-attr]
            return self._load_container("load_list", inner, value)
        if isinstance(prop, ModelProperty):
            if self._is_class(prop):
                return f"load_model(_models.{prop.class_info.name}, {value})"
            inner_value = self._dicts[str(prop.class_info.name)].additional_properties
            if inner_value is not None:
                return self._load_container("load_map", inner_value, value)
        return value

    def _load_container(self, helper: str, inner: Property, value: str) -> str:
        item = self._load(inner, "item")
        return value if item == "item" else f"{helper}(lambda item: {item}, {value})"

    def _is_class(self, prop: Property) -> bool:
        return isinstance(prop, ModelProperty) and str(prop.class_info.name) not in self._dicts

    def _classes(self, prop: Property) -> set[str]:
        if isinstance(prop, ListProperty):
            return self._classes(prop.inner_property)
        if isinstance(prop, ModelProperty):
            name = str(prop.class_info.name)
            inner = self._dicts[name].additional_properties if name in self._dicts else None
            if name in self._dicts:
                return self._classes(inner) if inner is not None else set()
            return {name}
        return {str(prop.class_info.name)} if isinstance(prop, LiteralEnumProperty) else set()

    def _result(self, endpoint: Endpoint) -> tuple[str, str | None, set[str]]:
        prop = endpoint.responses.patterns[0].prop
        if isinstance(prop, AnyProperty):
            return "None", None, set()
        used = self._classes(prop)
        if isinstance(prop, ListProperty) and self._is_class(prop.inner_property):
            inner = str(prop.inner_property.class_info.name)  # type: ignore[union-attr]
            return self.type(prop), f"load_body_list(_models.{inner}, value)", used
        if self._is_class(prop):
            return self.type(prop), f"load_body(_models.{self.type(prop)}, value)", used
        raise Refused(str(endpoint.name), "answers with neither an object nor a list of objects")

    def _find(self, endpoint: Endpoint) -> Node:
        for (_, method), node in self._operations.items():
            same = node["operationId"] == str(endpoint.name) and method == endpoint.method
            if same and str(endpoint.tags[0]) == _tag_name(node["tags"][0]):
                return node
        raise Refused(str(endpoint.name), "has no counterpart in the document")


def _tag_name(tag: str) -> str:
    from openapi_python_client.strings import PythonIdentifier

    return str(PythonIdentifier(tag, "tag"))


def _field_name(prop: Property) -> str:
    name = str(prop.python_name)
    return f"{name}_" if name in _MODEL_NAMES else name


def _words(code: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in code).split())


def _untrusted(text: UntrustedString | str) -> str:
    return text.get_untrusted_value() if isinstance(text, UntrustedString) else str(text)


def _plain(text: UntrustedString | str | None) -> str:
    return " ".join(str(safe_for_docstring(text)).split()) if text else ""


def _path_expression(endpoint: Endpoint) -> str:
    path = endpoint.path.get_untrusted_value()
    for parameter in endpoint.path_parameters:
        name = str(parameter.python_name)
        path = path.replace(f"{{{name}}}", "{path_segment('" + name + "', " + name + ")}")
    return path.replace('"', '\\"')


def _wrapped(text: str, indent: int, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH - indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _field_lines(fields: list[FieldView]) -> list[str]:
    described = [f for f in fields if f.description]
    if not described:
        return []
    lines = ["", "Attributes:"]
    for item in described:
        lines += [f"    {line}" for line in _wrapped(f"{item.name}: {item.description}", 12, 4)]
    return lines


def _docstring(description: UntrustedString | str | None, more: list[str], indent: int) -> str:
    lines = _wrapped(_plain(description), indent + 3) + more
    pad = "\n" + " " * indent
    return pad.join(lines).replace(f"{pad}\n", "\n\n").strip() if lines else ""


def _operation_docstring(endpoint: Endpoint, node: Node, parameters: list[FieldView]) -> str:
    summary = _plain(endpoint.summary) or node["x-operation-id"]
    lines = _wrapped(f"{summary.rstrip('.')}.", 11)
    if endpoint.description:
        lines += ["", *_wrapped(_plain(endpoint.description), 8)]
    described = [p for p in parameters if p.description and p.name != "project_id"]
    if described:
        lines += ["", "Args:"]
        for item in described:
            lines += [f"    {line}" for line in _wrapped(f"{item.name}: {item.description}", 12, 4)]
    lines += ["", f"Operation: ``{node['x-operation-id']}``."]
    return "\n".join(lines)
