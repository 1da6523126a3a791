"""Where a request belongs: its API and region by host or path, then its operation."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sinch_wrapper.sandbox._documents import AUTH, PACKAGES, OperationSpec, hosts, regions
from sinch_wrapper.sandbox._errors import unknown_method, unknown_path

_PARAMETER = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class RequestAddress:
    """The API of a request, its region, and its path in the document of the API."""

    api: str
    region: str
    path: str


def find_address(host: str, path: str, region: str) -> RequestAddress | None:
    """Return the address of a request for *path* with the header `Host` *host*.

    By host: `eu.conversation.api.sinch.com`, `auth.sinch.com`, whatever the port. By prefix:
    `/conversation/...` in *region*, or with another one `/eu/conversation/...`; `/auth/...`.
    """
    known = hosts().get(host.partition(":")[0].lower())
    if known is not None:
        return RequestAddress(known[0], known[1] or region, path)
    first, _, rest = path.lstrip("/").partition("/")
    if first in regions():
        region = first
        first, _, rest = rest.partition("/")
    if first == AUTH or first in PACKAGES:
        return RequestAddress(first, region, f"/{rest}")
    return None


class OperationRouter:
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
            raise unknown_method(", ".join(sorted(allowed)))
        raise unknown_path()


def _pattern(path: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(path)
    literals = [re.escape(part) for part in parts[::2]]
    names = [f"(?P<{name}>[^/]+)" for name in parts[1::2]] + [""]
    return re.compile("".join(map("".join, zip(literals, names, strict=True))))
