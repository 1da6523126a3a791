"""Python expressions for the values of a document: annotation, reading and writing."""

from __future__ import annotations

from collections.abc import Iterable

from openapi_python_client.parser.properties import AnyProperty, LiteralEnumProperty, ModelProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol


class Values:
    """The expressions for one document."""

    def __init__(self, models: Iterable[ModelProperty]) -> None:
        # An object without declared fields stays a dictionary: a class would add nothing.
        self._dicts = {
            class_of(model): model
            for model in models
            if not model.required_properties and not model.optional_properties
        }

    def is_class(self, prop: PropertyProtocol) -> bool:
        """Whether a value is an instance of a generated class."""
        return isinstance(prop, ModelProperty) and class_of(prop) not in self._dicts

    def annotation(self, prop: PropertyProtocol) -> str:
        """The type of a value that is not absent."""
        if isinstance(prop, ListProperty):
            return f"list[{self.annotation(prop.inner_property)}]"
        if isinstance(prop, ModelProperty) and not self.is_class(prop):
            inner = self._inner(prop)
            return f"dict[str, {self.annotation(inner) if inner else 'Any'}]"
        if isinstance(prop, LiteralEnumProperty):
            return f"_models.{class_of(prop)} | str"
        if isinstance(prop, ModelProperty):
            return f"_models.{class_of(prop)}"
        if isinstance(prop, DateTimeProperty):
            return "DateTime"
        return prop.get_type_string(no_optional=True).as_unembedded_code()

    def load(self, prop: PropertyProtocol, value: str) -> str:
        """An expression that turns decoded JSON into a value of the annotated type."""
        if isinstance(prop, DateTimeProperty):
            return f"load_datetime({value})"
        if isinstance(prop, ListProperty):
            inner = prop.inner_property
            if isinstance(inner, ModelProperty) and self.is_class(inner):
                return f"load_models(_models.{class_of(inner)}, {value})"
            return self._load_each("load_list", inner, value)
        if isinstance(prop, ModelProperty):
            if self.is_class(prop):
                return f"load_model(_models.{class_of(prop)}, {value})"
            item = self._inner(prop)
            return self._load_each("load_map", item, value) if item else value
        return value

    def needs_dump(self, prop: PropertyProtocol) -> bool:
        """Whether a value may contain something that is not JSON yet."""
        container = isinstance(prop, (AnyProperty, ListProperty, ModelProperty))
        return container or self.load(prop, "value") != "value"

    def _inner(self, prop: ModelProperty) -> PropertyProtocol | None:
        # A copy of a property, made for a reference, lacks the type of its items.
        return self._dicts[class_of(prop)].additional_properties

    def _load_each(self, helper: str, inner: PropertyProtocol, value: str) -> str:
        item = self.load(inner, "item")
        return value if item == "item" else f"{helper}(lambda item: {item}, {value})"


def class_of(prop: ModelProperty | LiteralEnumProperty) -> str:
    """The class name of a model or an enum."""
    return str(prop.class_info.name)
