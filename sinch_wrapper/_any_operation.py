"""A request to any path of an API, for operations that have no method yet."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sinch_wrapper import _validate
from sinch_wrapper._json import JSON
from sinch_wrapper._request import any_json

if TYPE_CHECKING:
    from sinch_wrapper.regions import Endpoints

APIName: TypeAlias = Literal["conversation", "batch", "templates"]
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_ENDPOINTS: Final = {"conversation": "conversation", "batch": "batch", "templates": "template"}
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PROJECT: Final = "{project_id}"
# RFC 3986: what a path may contain; other characters are percent-encoded.
_PATH: Final = re.compile(r"(?:/(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+", re.ASCII)
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class AnyOperation:
    """A call of an operation that the generated packages do not have."""

    id: str
    method: str
    path: str
    params: Mapping[str, str | list[str]]
    json: object
    load: Callable[[object], JSON] = any_json

    def __repr__(self) -> str:
        return f"AnyOperation({self.id})"


def base_url(api: str, endpoints: "Endpoints") -> str:
    """The base URL of the API called *api*.

    Raises: ValueError or TypeError when there is none of that name.
    """
    name = _ENDPOINTS[_validate.one_of("api", api, tuple(_ENDPOINTS))]
    url: str = getattr(endpoints, name)
    return url


def any_operation(
    project_id: str,
    method: str,
    path: str,
    params: Mapping[str, object] | None,
    body: object,
) -> AnyOperation:
    """The call of *method* and *path*, in which {project_id} stands for *project_id*.

    Raises: ValueError or TypeError that quotes neither path nor parameters.
    """
    from sinch_conversation_api.types import dump, query

    method = _validate.one_of("method", method, _METHODS)
    path = _validate.string("path", path).replace(_PROJECT, project_id)
    if not _PATH.fullmatch(path) or _DOTS.search(path):
        message = (
            "path= must be like /v1/projects/{project_id}/apps: encode ids with "
            "urllib.parse.quote(id, safe=''), and give a query as params="
        )
        raise ValueError(message)
    given = {} if params is None else _validate.mapping("params", params)
    if any(isinstance(value, Mapping | bytes) for value in given.values()):
        raise _validate.wrong_kind("params", "a mapping of strings, numbers and lists", params)
    if not isinstance(body, Mapping | list | None):
        raise _validate.wrong_kind("body", "a mapping or a list", body)
    # No path: it contains ids, which may be phone numbers.
    return AnyOperation(f"{method} request", method, path, query(given), dump(body))
