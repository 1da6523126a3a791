"""The three OpenAPI documents, read from the generated packages: operations, hosts, regions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from sinch_wrapper.sandbox._json import Json

Api = Literal["conversation", "batch", "template"]

PACKAGES: dict[Api, str] = {
    "conversation": "sinch_conversation_api",
    "batch": "sinch_batch_api",
    "template": "sinch_template_api",
}
AUTH = "auth"
_METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True, slots=True, eq=False)
class OperationSpec:
    """One operation of a document, with its references to parameters and bodies resolved.

    *api*, *tag*, *id*, *method*, *path*, *summary* and *description* are those of the document;
    *body* and *response* are schemas, None without one, and *body_required* says whether a request
    needs one.
    """

    api: Api
    tag: str
    id: str
    method: str
    path: str
    parameters: tuple[Json, ...]
    body: Json | None
    body_required: bool
    response: Json | None
    summary: str
    description: str

    def parameters_in(self, place: Literal["path", "query"]) -> list[Json]:
        """Return the parameters that are sent in *place*."""
        return [each for each in self.parameters if each["in"] == place]

    def resolved(self, schema: Json) -> Json:
        """Return *schema* of this operation, or what its reference refers to."""
        return _resolve(document(self.api), schema)


@cache
def document(api: Api) -> Json:
    """Return the document of *api*, as its generated package carries it."""
    loaded: Json = json.loads(_data(PACKAGES[api], "openapi.json"))
    return loaded


@cache
def operations(api: Api) -> tuple[OperationSpec, ...]:
    """Return the operations of *api* in the order of its document."""
    return tuple(_operations(api, document(api)))


def all_operations() -> list[OperationSpec]:
    """Return the operations of the three documents."""
    return [each for api in PACKAGES for each in operations(api)]


@cache
def hosts() -> dict[str, tuple[str, str]]:
    """Return API and region by host name, as the servers of the documents name them.

    The token endpoint has its own host in the documents, and no region.
    """
    found = {}
    for api in PACKAGES:
        for server in document(api)["servers"]:
            for region in server["variables"]["region"]["enum"]:
                host = urlsplit(server["url"].replace("{region}", region)).hostname or ""
                found[host] = (str(api), region)
    return found | {urlsplit(token_url()).hostname or "": (AUTH, "")}


@cache
def regions() -> tuple[str, ...]:
    """Return the regions of the documents."""
    return tuple(dict.fromkeys(region for _, region in hosts().values() if region))


@cache
def token_url() -> str:
    """Return the URL of the token endpoint, as the documents name it."""
    schemes = document("conversation")["components"]["securitySchemes"]
    url: str = schemes["oAuth2"]["flows"]["clientCredentials"]["tokenUrl"]
    return url


def _data(package: str, name: str) -> bytes:
    # Unlike importlib.resources this does not import the package: only its data is shared.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {package} is not installed", name=package)
    return (Path(spec.submodule_search_locations[0]) / name).read_bytes()


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
        response=_json_schema(_success(root, spec["responses"])),
        summary=spec.get("summary", ""),
        description=spec.get("description", ""),
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
