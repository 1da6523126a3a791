"""Docstrings of public names: what each parameter means, its unit, and what is raised."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, is_typeddict

from docsite.reference import APIS, MODULES, members, operations, resources

UNITS = re.compile(r"\b(?:seconds?|bytes|degrees|share|per second|how many|money)\b")
# What the words of a docstring may say instead of "Raises:".
RAISES = re.compile(r"\braises?\b", re.IGNORECASE)


def public() -> Iterator[tuple[str, Any]]:
    """Every public name of the hand-written modules, and its members, with where it is."""
    for module in MODULES:
        if module == "sinch_api_types":
            continue
        for name in members(module):
            value = getattr(importlib.import_module(module), name)
            yield f"{module}.{name}", value
            if inspect.isclass(value) and not is_typeddict(value):
                yield from _members(f"{module}.{name}", value)


def _members(place: str, kind: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(kind).items():
        method = getattr(value, "__func__", value)
        if not name.startswith("_") and (
            inspect.isfunction(inspect.unwrap(method)) or isinstance(value, property)
        ):
            yield f"{place}.{name}", method


NAMES = dict(public())
CALLABLES = {
    place: inspect.unwrap(value)
    for place, value in NAMES.items()
    if inspect.isroutine(value) and not place.endswith("sinch_sandbox")
}
CLASSES = {place: value for place, value in NAMES.items() if inspect.isclass(value)}


def own_words(value: object) -> str:
    """The docstring, on one line."""
    return " ".join((inspect.getdoc(value) or "").split())


def words(value: object) -> str:
    """The docstring, and those it refers to: "see X.send()", "those of verify()"."""
    text = own_words(value)
    for name in re.findall(r"\b(?:see|as|by|of) (?:\w+\.)*([\w]+\.\w+|\w+)\(\)", text):
        text += "".join(
            f" {own_words(each)}" for place, each in NAMES.items() if place.endswith(f".{name}")
        )
    return text


def named(name: str, text: str) -> bool:
    """Whether a docstring speaks of a parameter or a field."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def parameters(function: Callable[..., object]) -> dict[str, object]:
    """The parameters of a function that a caller gives, with their types."""
    hints = inspect.get_annotations(function)
    return {
        name: hints.get(name, "")
        for name, each in inspect.signature(function).parameters.items()
        if name not in {"self", "cls"} and name[0] != "_" and each.kind is not each.VAR_KEYWORD
    }


def fields(kind: type) -> dict[str, object]:
    """The public fields of a value or of options."""
    if dataclasses.is_dataclass(kind):
        return {
            each.name: each.type
            for each in dataclasses.fields(kind)
            if each.init and each.name[0] != "_"
        }
    return dict(kind.__annotations__) if is_typeddict(kind) else {}


def is_quantity(kind: object) -> bool:
    """Whether a type is a number that needs a unit."""
    return re.search(r"\bfloat\b", kind if isinstance(kind, str) else repr(kind)) is not None


def test_every_name_says_what_it_is() -> None:
    """No public class, function, method or property is without a docstring."""
    assert [] == [
        place
        for place, value in NAMES.items()
        if (inspect.isclass(value) or inspect.isroutine(value)) and not inspect.getdoc(value)
    ]


def test_every_parameter_has_a_meaning() -> None:
    """The docstring of a function names each of its parameters."""
    assert [] == [
        f"{place}({name})"
        for place, function in CALLABLES.items()
        for name in parameters(function)
        if not named(name, words(function))
    ]


def test_every_field_has_a_meaning() -> None:
    """The docstring of a value, or of options, names each field."""
    assert [] == [
        f"{place}.{name}"
        for place, kind in CLASSES.items()
        for text in [_with_fields(kind)]
        for name in fields(kind)
        if not named(name, text)
    ]


def _with_fields(kind: type) -> str:
    """The docstring of a class, those of the classes it extends, and those below its fields."""
    bases = [each for each in kind.__mro__ if each.__module__ != "builtins"]
    texts = [own_words(each) for each in bases]
    others = [
        NAMES.get(f"sinch_wrapper.bulk.{name}", getattr(sys.modules[kind.__module__], name, None))
        for name in re.findall(r"\b\w+Options\b", texts[0])
    ]
    texts += [_with_fields(each) for each in others if isinstance(each, type) and each is not kind]
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            texts.append(ast.unparse(field.target))
            texts.append(ast.unparse(text))
    return " ".join(texts)


def test_every_quantity_has_a_unit() -> None:
    """A number that is not a count says what it counts: seconds, bytes, a share."""
    quantities = [
        (f"{place}({name})", words(function))
        for place, function in CALLABLES.items()
        for name, kind in parameters(function).items()
        if is_quantity(kind)
    ]
    quantities += [
        (f"{place}.{name}", _with_fields(kind))
        for place, kind in CLASSES.items()
        for name, found in fields(kind).items()
        if is_quantity(found)
    ]
    assert quantities
    assert [] == [place for place, text in quantities if not UNITS.search(text)]


def raising(function: Callable[..., object]) -> bool:
    """Whether a function raises or checks arguments in its own lines."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(
        (isinstance(node, ast.Raise) and node.exc is not None)
        or (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "_validate")
        for node in ast.walk(tree)
    )


def test_every_error_is_announced() -> None:
    """What a function raises by itself, or by a check of its arguments, its docstring says."""
    assert [] == [
        place
        for place, function in CALLABLES.items()
        if raising(function) and not RAISES.search(words(function))
    ]


def test_every_operation_has_its_id_and_a_summary() -> None:
    """A method of the generated clients says what it does, and which operation it is."""
    docs = [
        (f"{package}.{tag}.{name}", inspect.getdoc(getattr(kind, name)) or "")
        for package in APIS.values()
        for tag, kind in resources(package)
        for name, _ in operations(kind)
    ]
    assert (59, []) == (
        len(docs),
        [place for place, text in docs if len(text.split("\n\n")[0]) < 10],
    )
