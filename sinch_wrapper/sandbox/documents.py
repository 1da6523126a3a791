"""The three OpenAPI documents as lists of operations, read from the generated packages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from sinch_wrapper.sandbox.shapes import Json

Api = Literal["conversation", "batch", "template"]

PACKAGES: dict[Api, str] = {
    "conversation": "sinch_conversation_api",
    "batch": "sinch_batch_api",
    "template": "sinch_template_api",
}
_METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True, slots=True, eq=False)
class OperationSpec:
    """One operation of a document, with its references to parameters and bodies resolved."""

    api: Api
    tag: str
    id: str
    method: str
    path: str
    parameters: tuple[Json, ...]
    body: Json | None
    body_required: bool
    answer: Json | None

    def parameters_in(self, place: Literal["path", "query"]) -> list[Json]:
        """Return the parameters that travel in *place*."""
        return [each for each in self.parameters if each["in"] == place]


@cache
def document(api: Api) -> Json:
    """Return the document of *api*, as its generated package carries it."""
    loaded: Json = json.loads(_data(PACKAGES[api], "openapi.json"))
    return loaded


def _data(package: str, name: str) -> bytes:
    # Unlike importlib.resources this runs no line of the package: its data is all we share.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {package} is not installed", name=package)
    return (Path(spec.submodule_search_locations[0]) / name).read_bytes()


@cache
def operations(api: Api) -> tuple[OperationSpec, ...]:
    """Return the operations of *api* in the order of its document."""
    return tuple(_operations(api, document(api)))


def all_operations() -> list[OperationSpec]:
    """Return the operations of the three documents."""
    return [each for api in PACKAGES for each in operations(api)]


def _operations(api: Api, root: Json) -> Iterator[OperationSpec]:
    for path, item in root["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(api, root, path, method, item)


def _operation(api: Api, root: Json, path: str, method: str, item: Json) -> OperationSpec:
    spec, shared = item[method], item.get("parameters", [])
    parameters = [_resolve(root, each) for each in [*shared, *spec.get("parameters", [])]]
    named = {(each["in"], each["name"]): each for each in parameters}
    body = _resolve(root, spec.get("requestBody", {}))
    return OperationSpec(
        api=api,
        tag=spec["tags"][0],
        id=spec["operationId"],
        method=method.upper(),
        path=path,
        parameters=tuple(named.values()),
        body=_json_schema(body),
        body_required=body.get("required", False),
        answer=_json_schema(_success(root, spec["responses"])),
    )


def _success(root: Json, responses: Json) -> Json:
    for status, response in responses.items():
        if str(status).startswith("2"):
            return _resolve(root, response)
    return {}


def _json_schema(carrier: Json) -> Json | None:
    schema: Json | None = carrier.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _resolve(root: Json, value: Json) -> Json:
    while "$ref" in value:
        target: Any = root
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        value = target
    return value
