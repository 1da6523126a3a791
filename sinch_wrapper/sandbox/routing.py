"""From a method and a path to an operation and its path parameters."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from sinch_wrapper.sandbox.documents import OperationSpec
from sinch_wrapper.sandbox.errors import Refusal

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
