"""The three OpenAPI documents as lists of operations, read from the generated packages."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from sinch_wrapper.sandbox._errors import Json, Refusal

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


_PARAMETER = re.compile(r"\{([^}]+)\}")


class Router:
    """The paths of one API.

    Paths with a custom verb (``/contacts/{destination_id}:merge``) are tried before the plain
    path that would swallow the verb. Paths are matched as they were sent, before decoding, so
    that an identifier may contain an encoded slash.
    """

    def __init__(self, specs: Iterable[OperationSpec]) -> None:
        paths: dict[str, dict[str, OperationSpec]] = {}
        for spec in specs:
            paths.setdefault(spec.path, {})[spec.method] = spec
        ordered = sorted(paths, key=lambda path: len(_PARAMETER.sub("", path)), reverse=True)
        self._routes = [(_pattern(path), paths[path]) for path in ordered]

    def match(self, method: str, path: str) -> tuple[OperationSpec, dict[str, str]]:
        """Return the operation and its path parameters, decoded.

        Raises: Refusal 404 for an unknown path, 405 for a method the path does not have.
        """
        allowed: set[str] = set()
        for pattern, methods in self._routes:
            if (found := pattern.fullmatch(path)) is None:
                continue
            if method in methods:
                parameters = {key: unquote(value) for key, value in found.groupdict().items()}
                return methods[method], parameters
            allowed.update(methods)
        if allowed:
            headers = {"allow": ", ".join(sorted(allowed))}
            raise Refusal(405, "This path has no such method", headers=headers)
        raise Refusal(404, "There is no such path")


def _pattern(path: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(path)
    literals = [re.escape(part) for part in parts[::2]]
    names = [f"(?P<{name}>[^/]+)" for name in parts[1::2]] + [""]
    return re.compile("".join(map("".join, zip(literals, names, strict=True))))


AUTH = "auth"


@dataclass(frozen=True, slots=True)
class Address:
    """The API of a request, its region, and its path in the document of the API."""

    api: str
    region: str
    path: str


@cache
def hosts() -> dict[str, tuple[str, str]]:
    """Return API and region by host name, as the servers of the documents name them.

    The token endpoint is the host of its own that the documents name; it has no region.
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


def find_address(host: str, path: str, region: str) -> Address | None:
    """Return the address of a request for *path* with the header `Host` *host*.

    By host: `eu.conversation.api.sinch.com`, `auth.sinch.com`, whatever the port. By prefix:
    `/conversation/...` in *region*, or with another one `/eu/conversation/...`; `/auth/...`.
    """
    known = hosts().get(host.partition(":")[0].lower())
    if known is not None:
        return Address(known[0], known[1] or region, path)
    first, _, rest = path.lstrip("/").partition("/")
    if first in regions():
        region = first
        first, _, rest = rest.partition("/")
    if first == AUTH or first in PACKAGES:
        return Address(first, region, f"/{rest}")
    return None


_STRINGS = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "byte": "AA=="}
_MAX_DEPTH = 8


def synthesise(spec: OperationSpec) -> object:
    """Return an answer that fits the response schema of *spec*; `{}` when it has none."""
    if spec.answer is None:
        return {}
    return _Sampler(document(spec.api)["components"]["schemas"]).sample(spec.answer, 0)


class _Sampler:
    """Builds one example of a schema; beyond a depth only what is required."""

    def __init__(self, schemas: Json) -> None:
        self._schemas = schemas

    def sample(self, schema: Json, depth: int) -> object:
        if "$ref" in schema:
            return self.sample(self._schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._alternative(schema, schema[keyword][0], depth)
        if "allOf" in schema:
            return self._joined(schema, depth)
        if "enum" in schema:
            return schema["enum"][0]
        return self._by_type(schema, depth)

    def _by_type(self, schema: Json, depth: int) -> object:
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                count = schema.get("minItems", 0) or int(depth < _MAX_DEPTH)
                return [self.sample(schema.get("items", {}), depth + 1) for _ in range(count)]
            case "integer" | "number":
                return schema.get("minimum", 0)
            case "boolean":
                return False
            case "string":
                text = _STRINGS.get(schema.get("format", ""), "sample")
                return text[: schema.get("maxLength", len(text))]
        return {}

    def _object(self, schema: Json, depth: int) -> Json:
        required = schema.get("required", [])
        return {
            name: self.sample(inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or depth < _MAX_DEPTH
        }

    def _alternative(self, schema: Json, chosen: Json, depth: int) -> object:
        rest = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf")}
        value = self.sample(chosen, depth)
        more = self.sample(rest, depth) if rest.keys() & {"properties", "allOf"} else {}
        return {**more, **value} if isinstance(value, dict) and isinstance(more, dict) else value

    def _joined(self, schema: Json, depth: int) -> object:
        own = {key: value for key, value in schema.items() if key != "allOf"}
        parts = [self.sample(each, depth) for each in schema["allOf"]]
        if "properties" in own:
            parts.append(self._object(own, depth))
        joined: Json = {}
        for part in parts:
            if not isinstance(part, dict):
                return part
            joined |= part
        return joined


def _type(schema: Json) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "")
    return str(kind[0] if isinstance(kind, list) else kind)
