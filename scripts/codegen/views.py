"""What the templates print: the parsed document as plain names and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from openapi_python_client.parser.openapi import Endpoint, EndpointCollection, GeneratorData
from openapi_python_client.parser.properties import AnyProperty, LiteralEnumProperty, ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.strings import ClassName, PythonIdentifier

from codegen import texts
from codegen.document import Node, Refused, operations, references, schemas
from codegen.names import pieces
from codegen.schemas import class_name
from codegen.values import Values, class_of


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

    @property
    def item_type(self) -> str:
        """The type of the items of a list."""
        return self.type.removeprefix("list[").removesuffix("]")


@dataclass(frozen=True, slots=True)
class ModelView:
    """A class, with the names that it uses."""

    name: str
    description: str
    fields: list[FieldView]
    helpers: list[str]
    items: FieldView | None
    """The list of a page, when the class is the response of a list operation."""


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
    ends: str
    instead: str


# Names that the code of a model or a function uses itself. A field or parameter of that name keeps
# its key in JSON or in the query, and gets a suffix in Python.
_MODEL_NAMES = frozenset({"additional_properties", "to_dict", "from_dict"})
_FUNCTION_NAMES = frozenset(
    {"body", "dump", "joined", "load_body", "load_body_list", "operation", "path_segment", "query"}
)
_HELPERS = frozenset(
    {"DateTime", "load_datetime", "load_list", "load_map", "load_model", "load_models"}
)


class Views:
    """The views of one document."""

    def __init__(self, data: GeneratorData, document: Node, title: str) -> None:
        self.title = title
        models = list(data.models)
        self._values = Values(models)
        data.models = [model for model in models if self._values.is_class(model)]
        self._pages = {class_name(name) for name in _response_components(document)}
        self._operations = {
            (str(PythonIdentifier(node["tags"][0], "tag")), node["operationId"]): node
            for _, _, node, _ in operations(document)
        }

    def model(self, model: ModelProperty) -> ModelView:
        """The class of a component."""
        properties = [*(model.required_properties or []), *(model.optional_properties or [])]
        fields = [self._field(prop, _name(prop, _MODEL_NAMES)) for prop in properties]
        words = set(re.findall(r"\w+", " ".join(f"{f.load} {f.type}" for f in fields)))
        helpers = (
            (_HELPERS & words) | {"dump"} | ({"take"} if any(f.required for f in fields) else set())
        )
        return ModelView(
            name=class_of(model),
            description=texts.of_class(texts.plain(model.description), _described(fields)),
            fields=sorted(fields, key=lambda item: not item.required),
            helpers=sorted(helpers),
            items=self._items(model, fields),
        )

    def enum(self, enum: LiteralEnumProperty) -> tuple[str, list[str], str]:
        """Name, sorted values and description of an open enum."""
        description = texts.wrapped(texts.plain(enum.description))
        return class_of(enum), sorted(map(str, enum.values)), description

    def operations(self, collection: EndpointCollection) -> list[OperationView]:
        """The operations of a tag."""
        ordered = sorted(collection.endpoints, key=lambda endpoint: str(endpoint.name))
        return [self.operation(endpoint) for endpoint in ordered]

    def operation(self, endpoint: Endpoint) -> OperationView:
        """The function for an operation."""
        node = self._operations[str(endpoint.tags[0]), str(endpoint.name)]
        body = endpoint.bodies[0].prop if endpoint.bodies else None
        response = endpoint.responses.patterns[0].prop
        path, query = self._parameters(endpoint, set(node["x-comma-joined"]))
        result, load = self._response(response, node["x-operation-id"])
        return OperationView(
            name=str(endpoint.name),
            id=texts.quoted(node["x-operation-id"]),
            method=endpoint.method.upper(),
            path=_path_expression(endpoint, path),
            path_parameters=path,
            query_parameters=query,
            body=f"{self._values.annotation(body)} | Mapping[str, object]" if body else None,
            result=result,
            load=load,
            description=_operation_docstring(endpoint, node, [*path, *query], _paging(response)),
            ends=texts.quoted(node["x-ends"]) if node["x-ends"] else "",
            instead=texts.quoted(node["x-instead"]),
        )

    def helpers(self, operation: OperationView) -> list[str]:
        """Names from types.py that the function of an operation uses."""
        code = f"{operation.load} {' '.join(p.type for p in operation.query_parameters)}"
        words = set(re.findall(r"\w+", code)) & {"load_body", "load_body_list", "DateTime"}
        words |= (
            {"joined"} if any(p.dump == "joined" for p in operation.query_parameters) else set()
        )
        words |= {"query"} if operation.query_parameters else set()
        return sorted(
            words | {"Operation", "path_segment"} | ({"dump"} if operation.body else set())
        )

    def resource(self, collection: EndpointCollection) -> str:
        """The class name of a tag, without Async in front."""
        return f"{ClassName(str(collection.tag), 'tag_')}Resource"

    def _items(self, model: ModelProperty, fields: list[FieldView]) -> FieldView | None:
        lists = [item for item in fields if item.type.startswith("list[")]
        return lists[0] if class_of(model) in self._pages and len(lists) == 1 else None

    def _parameters(
        self, endpoint: Endpoint, joined: set[str]
    ) -> tuple[list[FieldView], list[FieldView]]:
        path = [
            self._field(prop, _name(prop, _FUNCTION_NAMES)) for prop in endpoint.path_parameters
        ]
        query = [
            self._field(prop, _name(prop, _FUNCTION_NAMES), joined=texts.raw(prop.name) in joined)
            for prop in endpoint.query_parameters
        ]
        return path, sorted(query, key=lambda item: (not item.required, item.name))

    def _field(self, prop: PropertyProtocol, name: str, *, joined: bool = False) -> FieldView:
        dump = "dump" if self._values.needs_dump(prop) else ""
        return FieldView(
            name=name,
            key=texts.quoted(prop.name),
            type=self._values.annotation(prop),
            load=self._values.load(prop, "value"),
            dump="joined" if joined else dump,
            required=bool(prop.required),
            description=texts.plain(prop.description),
        )

    def _response(self, prop: PropertyProtocol, operation_id: str) -> tuple[str, str | None]:
        if isinstance(prop, AnyProperty):
            return "None", None
        result = self._values.annotation(prop)
        if isinstance(prop, ListProperty):
            inner = prop.inner_property
            if isinstance(inner, ModelProperty) and self._values.is_class(inner):
                return result, f"load_body_list(_models.{class_of(inner)}, value)"
        if self._values.is_class(prop):
            return result, f"load_body({result}, value)"
        raise Refused(operation_id, "responds with neither an object nor a list of objects")


def _response_components(document: Node) -> set[str]:
    """Components that are the response of an operation and not a part of another component."""
    found = {
        name for _, _, node, _ in operations(document) for name in references(node["responses"])
    }
    parts = {name for schema in schemas(document).values() for name in references(schema)}
    return found - parts


def _name(prop: PropertyProtocol, taken: frozenset[str]) -> str:
    name = str(prop.python_name)
    return f"{name}_" if name in taken else name


def _described(fields: Iterable[FieldView]) -> list[tuple[str, str]]:
    pairs = map(attrgetter("name", "description"), fields)
    return [(name, text) for name, text in pairs if text and name != "project_id"]


def _path_expression(endpoint: Endpoint, views: list[FieldView]) -> str:
    """The path as a sum of string literals and encoded parameters: no text of it is evaluated."""
    named = zip((str(one.python_name) for one in endpoint.path_parameters), views, strict=True)
    parameters = dict(named)
    parts = []
    for literal, name in pieces(texts.raw(endpoint.path), f"the path of {endpoint.name}"):
        parts += [texts.quoted(literal)] if literal else []
        if name:
            view = parameters[name]
            kind = ", int" if "int" in view.type.split(" | ") else ""
            parts.append(f"path_segment({texts.quoted(name)}, {view.name}{kind})")
    return " + ".join(parts)


def _paging(response: PropertyProtocol) -> str:
    """The sentence about the other pages, when a response may have them."""
    found = isinstance(response, ModelProperty) and any(
        texts.raw(prop.name) == "next_page_token" for prop in response.optional_properties or []
    )
    return (
        "Returns one page; ``sinch_wrapper.paginate`` iterates over all of them." if found else ""
    )


def _operation_docstring(
    endpoint: Endpoint, node: Node, parameters: list[FieldView], more: str
) -> str:
    until = f" It ends on {node['x-ends']}." if node["x-ends"] else ""
    prefix = f"Deprecated.{until} " if node["x-deprecated"] else ""
    return texts.of_function(
        texts.plain(endpoint.summary or node["x-operation-id"]),
        f"{texts.plain(prefix)} {texts.plain(endpoint.description)} {more}".strip(),
        _described(parameters),
        f"Operation: ``{texts.plain(node['x-operation-id'])}``.",
    )
