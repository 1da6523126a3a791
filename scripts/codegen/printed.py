"""The names and expressions that templates print."""

from __future__ import annotations

from dataclasses import dataclass


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
    imports: list[str]
    helpers: list[str]
    items: FieldView | None
    """The list of a page, when the class is the answer of a list operation."""


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
