"""The committed packages as a whole: nothing is missing, nothing is loaded too early."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, cached_property
from importlib.resources import files
from types import ModuleType
from typing import Any, get_args

import pytest
from attrs import NOTHING, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.document import Node, operations
from tests.helpers.codegen import DOCUMENTS, PACKAGES

INVENTORY: dict[str, Node] = json.loads((DOCUMENTS / "inventory.json").read_text(encoding="utf-8"))
# The older send operation, which an overlay adds.
ADDED = {"conversation": set[str](), "batch": {"Batch_SendBatchV1Beta"}, "template": set[str]()}
NAMES = [*PACKAGES]

Method = Callable[..., Any]


class EmptyResponse:
    """A response of which nothing was parsed."""

    status_code = 200
    headers: Mapping[str, str] = {}
    content = b""
    parsed = None


class Recorder:
    """A session, blocking or asynchronous, that keeps the operations it is asked to send."""

    def __init__(self, *, asynchronous: bool) -> None:
        self.sent: list[Any] = []
        self._asynchronous = asynchronous

    def request(self, operation: Any, /) -> EmptyResponse | Awaitable[EmptyResponse]:
        """Keep an operation."""
        self.sent.append(operation)
        return self._later() if self._asynchronous else EmptyResponse()

    async def _later(self) -> EmptyResponse:
        return EmptyResponse()


def package(name: str) -> ModuleType:
    """A committed package by the name of its document."""
    return importlib.import_module(PACKAGES[name])


@cache
def shipped(name: str) -> Node:
    """The document that travels with a package."""
    text = (files(PACKAGES[name]) / "openapi.json").read_text(encoding="utf-8")
    found: Node = json.loads(text)
    return found


def methods(client: object) -> dict[str, Method]:
    """The methods of a client by dotted name, found through its cached properties."""
    tags = [n for n, value in vars(type(client)).items() if isinstance(value, cached_property)]
    return {
        f"{tag}.{name}": method
        for tag in tags
        for name, method in inspect.getmembers(getattr(client, tag), inspect.ismethod)
        if not name.startswith("_")
    }


def client(name: str, *, asynchronous: bool = False) -> tuple[dict[str, Method], Recorder]:
    """The methods of a client and the session that they send with."""
    session = Recorder(asynchronous=asynchronous)
    kind = package(name).AsyncClient if asynchronous else package(name).Client
    return methods(kind(session, "p")), session


def called(method: Method) -> object:
    """The result of a method called with made-up arguments."""
    parameters = inspect.signature(method).parameters.values()
    required = [p for p in parameters if p.default is p.empty]
    values = {p.name: {} if p.name == "body" else f"the {p.name}" for p in required}
    return method(**values)


def finished(awaitable: Any) -> object:
    """The result of a coroutine that waits for nothing."""
    with pytest.raises(StopIteration) as caught:
        awaitable.send(None)
    return caught.value.value


def models(name: str) -> Iterator[type[Any]]:
    """The model classes of a package, without its enums."""
    module = importlib.import_module(f"{PACKAGES[name]}.models")
    for item in dir(module):
        value = getattr(module, item)
        if isinstance(value, type):
            yield value


MODELS = [(f"{name}-{model.__name__}", model) for name in NAMES for model in models(name)]


def keys(model: type[Any]) -> list[str]:
    """The names of the fields of a model, as they are in JSON."""
    names = [field.name for field in fields(model) if field.name != "additional_properties"]
    return [*model(**dict.fromkeys(names, "")).to_dict()]


def required(model: type[Any]) -> list[str]:
    """The names of the fields without which a model cannot be made."""
    return [field.name for field in fields(model) if field.default is NOTHING]


# Operations


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_those_of_document_and_inventory(name: str) -> None:
    """Inventory, document and package agree on every operation."""
    ids = [one["operationId"] for *_, one, _ in operations(shipped(name))]
    assert sorted([*INVENTORY[name]["operations"], *ADDED[name]]) == sorted(ids)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_its_method(name: str, *, detailed: bool, asynchronous: bool) -> None:
    """Calling all methods sends every operation of the document once, where it belongs."""
    found, session = client(name, asynchronous=asynchronous)
    for dotted, method in found.items():
        if dotted.endswith("_detailed") is detailed:
            result = finished(called(method)) if asynchronous else called(method)
            assert isinstance(result, EmptyResponse) is detailed
    expected = {
        one["operationId"]: (method.upper(), _pattern(path))
        for path, method, one, _ in operations(shipped(name))
    }
    assert sorted(expected) == sorted(operation.id for operation in session.sent)
    for operation in session.sent:
        verb, pattern = expected[operation.id]
        assert verb == operation.method
        assert re.fullmatch(pattern, operation.path), operation.path


def _pattern(path: str) -> str:
    """A regular expression for a path that is filled in with the made-up arguments."""
    text = path.replace("{project_id}", "p")
    return "".join(
        "the%20[a-z_]+" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", text)
    )


@pytest.mark.parametrize("name", NAMES)
def test_blocking_and_asynchronous_methods_have_one_signature(name: str) -> None:
    """The twins differ in await only; each method has one that returns the whole response."""
    (blocking, _), (waiting, _) = client(name), client(name, asynchronous=True)
    signatures = {n: inspect.signature(method) for n, method in blocking.items()}
    assert signatures == {n: inspect.signature(method) for n, method in waiting.items()}
    assert all(inspect.iscoroutinefunction(method) for method in waiting.values())
    plain = {n for n in signatures if not n.endswith("_detailed")}
    assert {f"{n}_detailed" for n in plain} == signatures.keys() - plain
    assert len([*operations(shipped(name))]) == len(plain)
    for n in plain:
        detailed = signatures[f"{n}_detailed"]
        assert signatures[n].parameters == detailed.parameters
        assert f"Response[{signatures[n].return_annotation}]" == detailed.return_annotation


@pytest.mark.parametrize("name", NAMES)
def test_every_method_says_what_it_does(name: str) -> None:
    """Each method has a docstring that ends with the operation it stands for."""
    found, session = client(name)
    for dotted, method in found.items():
        called(method)
        text = inspect.getdoc(method) or ""
        if not dotted.endswith("_detailed"):
            assert text.endswith(f"Operation: ``{session.sent[-1].id}``."), dotted


@pytest.mark.parametrize("name", NAMES)
def test_bodies_and_parameters_are_those_of_the_document(name: str) -> None:
    """A method takes a body exactly when its operation has one, and each parameter once."""
    found, session = client(name)
    documented = {one["operationId"]: one for *_, one, _ in operations(shipped(name))}
    for method in found.values():
        called(method)
        one = documented[session.sent[-1].id]
        assert ("requestBody" in one) is ("body" in inspect.signature(method).parameters)


# Loading


@pytest.mark.parametrize("name", NAMES)
def test_importing_a_package_loads_no_model(name: str) -> None:
    """Importing a package and making a client costs no model and no operation."""
    code = (
        f"import sys, {PACKAGES[name]} as package\n"
        "package.Client(None, 'p')\n"
        f"import {PACKAGES[name]}.models\n"
        "print([m for m in sys.modules if '.models.' in m or '.api.' in m or m == 'attrs'])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_module_imports(name: str) -> None:
    """No module of a package has an import that fails."""
    root = package(name)
    modules = [m.name for m in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    assert len(modules) > len([*operations(shipped(name))])
    for module in modules:
        importlib.import_module(module)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_listed_and_found(name: str) -> None:
    """dir() lists the models without loading them; an unknown name is an AttributeError."""
    module = importlib.import_module(f"{PACKAGES[name]}.models")
    assert sorted(module.__all__) == dir(module)
    assert all(getattr(module, item) is not None for item in dir(module))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        module.Nothing  # noqa: B018 - looking it up is the test


@pytest.mark.parametrize("name", NAMES)
def test_version_is_that_of_the_document(name: str) -> None:
    """The package says which version of the API it was made from."""
    assert shipped(name)["info"]["version"] == package(name).DOCUMENT_VERSION


# Models


def test_there_are_models() -> None:
    """The tests over all models have models of each package to check."""
    assert {name.partition("-")[0] for name, _ in MODELS} == {*NAMES}
    assert len(MODELS) > 500


def test_empty_object_round_trips(subtests: pytest.Subtests) -> None:
    """An object without any field is read, unless only the caller writes it."""
    for name, model in MODELS:
        with subtests.test(name):
            if required(model):
                with pytest.raises(ValueError, match=r"is missing$"):
                    model.from_dict({})
            else:
                assert model.from_dict({}).to_dict() == {}


def test_model_is_discreet_and_can_be_copied(subtests: pytest.Subtests) -> None:
    """A model shows no value, and is equal to itself after copying and pickling."""
    for name, model in MODELS:
        with subtests.test(name):
            found = model.from_dict(dict.fromkeys([*keys(model), "novel"], "s3cret"))
            assert "s3cret" not in repr(found)
            assert repr(found).startswith(f"{model.__name__}(")
            assert found == copy.deepcopy(found)
            assert found == pickle.loads(pickle.dumps(found))  # noqa: S301 - our own


@pytest.mark.parametrize("name", NAMES)
def test_unset_survives_copying(name: str) -> None:
    """There is one UNSET in each package."""
    unset = importlib.import_module(f"{PACKAGES[name]}.types").UNSET
    assert unset is copy.deepcopy(unset)
    assert unset is pickle.loads(pickle.dumps(unset))  # noqa: S301 - our own


@pytest.mark.parametrize("name", NAMES)
def test_enums_are_literals_of_strings(name: str) -> None:
    """An enum is a type for checkers, not a class that could reject a value."""
    module = importlib.import_module(f"{PACKAGES[name]}.models")
    enums = [v for item in dir(module) if not isinstance(v := getattr(module, item), type)]
    assert enums
    assert all(isinstance(value, str) for one in enums for value in get_args(one))


SCALARS: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001 - hypothesis adds the zone
TIMES = st.one_of(
    MOMENTS.map(datetime.isoformat),
    st.sampled_from(["", "2030-05-17T12:00:00.123456789Z", "2030-05-17T12:00:00", "2030-05-17"]),
)
JUNK = st.recursive(
    SCALARS | TIMES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "text", "text_message", "message", "contact"])
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
REPRESENTATIVE = [
    ("conversation", "AppMessage"),
    ("conversation", "Contact"),
    ("conversation", "ConversationWebhookEvent"),
    ("conversation", "MessageDeliveryReceiptEvent"),
    ("batch", "BatchStatus"),
    ("batch", "FlatError"),
    ("template", "V2TemplateTranslation"),
]


@pytest.mark.parametrize(("name", "item"), REPRESENTATIVE)
@given(data=st.data())
@settings(max_examples=60)
def test_any_json_in_known_fields_round_trips(name: str, item: str, data: st.DataObject) -> None:
    """Any value in a known field is read without failing and sent back as it was read."""
    model = getattr(importlib.import_module(f"{PACKAGES[name]}.models"), item)
    known = st.sampled_from(keys(model))
    given_data = data.draw(st.dictionaries(known | st.text(max_size=5), JUNK, max_size=6))
    before = copy.deepcopy(given_data)
    found = model.from_dict(given_data)
    assert before == given_data
    sent = json.loads(json.dumps(found.to_dict()))
    assert found == model.from_dict(sent)
    assert sent.keys() == {
        key for key, value in before.items() if value is not None or key not in keys(model)
    }


def test_moment_without_offset_counts_as_utc() -> None:
    """The nanoseconds of the published batch notification are read as an aware moment."""
    model = importlib.import_module("sinch_batch_api.models").SendBatchResponse
    found = model.from_dict({"batch_id": "b", "send_after": "2030-05-17T12:00:00.123456789"})
    assert datetime(2030, 5, 17, 12, 0, 0, 123456, tzinfo=UTC) == found.send_after
