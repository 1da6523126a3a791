"""openapi/sources.toml, and reading the documents and overlays that it lists.

`sources` gives the documents; a `Source` reads its own, checks it against the recorded sha256 and
applies its overlays. `load` reads any file of YAML or JSON by the rules of JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import yaml

from codegen import overlay
from codegen.document import Node, Refused

_OPTIONAL = ("url", "origin", "version", "etag", "page")
_FETCH = "uv run python scripts/fetch_specs.py"


@dataclass(frozen=True, slots=True)
class Source:
    """One document of sources.toml."""

    name: str
    path: Path
    package: str
    sha256: str
    overlays: tuple[Path, ...]
    url: str = ""
    """The address of the newest document."""
    origin: str = ""
    """What the committed document is: an address, a file name, or a transcription."""
    version: str = ""
    """``info.version`` of the committed document."""
    etag: str = ""
    """The ETag of the committed document, when it came from ``url``."""
    page: str = ""
    """The documentation page with the link to the newest document."""

    def read(self) -> Node:
        """The document as committed.

        Raises: Refused when the file is not the one that sources.toml records.
        """
        try:
            found = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
            raise Refused(
                f"openapi/{self.path.name}", problem, f"run {_FETCH} {self.name}"
            ) from error
        if found != self.sha256:
            raise Refused(
                f"openapi/{self.path.name}",
                f"has sha256 {found}, not the one in sources.toml",
                f"if the change is intended, run {_FETCH} {self.name} --record",
            )
        return load(self.path)

    def repaired(self) -> Node:
        """The document with its overlays applied, in the order of sources.toml."""
        return self.overlaid()[0]

    def overlaid(self) -> tuple[Node, list[overlay.Note]]:
        """The repaired document, and the actions that had nothing to repair."""
        document, notes = self.read(), list[overlay.Note]()
        for path in self.overlays:
            document, more = overlay.apply(document, load(path), f"overlays/{path.name}")
            notes += [replace(note, document=self.path.name) for note in more]
        return document, notes


def sources(folder: Path) -> list[Source]:
    """Read the sources.toml of a folder of documents.

    Raises: Refused when it is missing or invalid.
    """
    path = folder / "sources.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(path.name, f"is not TOML ({error})", "correct it") from error
    return [_source(folder, name, entry) for name, entry in table.items()]


def _source(folder: Path, name: str, entry: object) -> Source:
    if not isinstance(entry, dict):
        raise Refused("sources.toml", f"{name} is not a section", "correct it")
    overlays = entry.get("overlays")
    if not isinstance(overlays, list):
        raise Refused(f"sources.toml, [{name}]", "overlays is not a list", "correct it")
    for key in ("document", "package", "sha256"):
        if not isinstance(entry.get(key), str):
            raise Refused(f"sources.toml, [{name}]", f"{key} is not a string", "correct it")
    return Source(
        name=name,
        path=folder / entry["document"],
        package=entry["package"],
        sha256=entry["sha256"],
        overlays=tuple(folder / "overlays" / str(item) for item in overlays),
        **{key: str(entry.get(key, "")) for key in _OPTIONAL},
    )


_NODES = 2_000_000
_DEPTH = 200
# What plain scalars mean by the JSON rules that OpenAPI requires. By YAML 1.1, which the parser
# implements, NO would be false, 12:30 would be 750 and dates would be moments; here they are
# strings.
_SCALARS = {
    "null": (r"~|null|Null|NULL|", [*"~nN", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", [*"-+0123456789"]),
    "float": (r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", [*"-+0123456789"]),
    "merge": (r"<<", ["<"]),
}


def load(path: Path) -> Node:
    """Read a YAML or JSON document.

    Raises: Refused when the file is missing, is neither, is not a mapping, or is larger or deeper
    than any API description.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    except UnicodeDecodeError as error:
        raise Refused(path.name, "is not UTF-8", "convert it") from error
    try:
        document = _parsed(text, path.name)
        if not isinstance(document, dict):
            raise Refused(path.name, "is not a mapping", "use an OpenAPI document")
        _check_extent(document, path.name)
        return _plain(document)
    except RecursionError as error:
        problem = "is nested too deeply, or contains itself"
        raise Refused(path.name, problem, "name its parts as components") from error
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise Refused(path.name, f"cannot be written as JSON ({reason})", "correct it") from error


def _plain(document: Node) -> Node:
    """The same document after JSON, which turns numeric keys into strings, as OpenAPI wants."""
    text = json.dumps(document, default=str, allow_nan=False, ensure_ascii=False)
    # Encoding fails for half a surrogate pair, which could not be written to a file either.
    found: Node = json.loads(text.encode())
    return found


class _StrictLoader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either base is a Loader
    """Refuses duplicate keys, of which other loaders silently keep one."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
    place = ""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                place = f"{self.place}, line {key.start_mark.line + 1}"
                raise Refused(place, f"the key {name!r} occurs twice in one mapping", "remove one")
            seen.add(name)
        return dict(super().construct_mapping(node, deep=deep))


for _name, (_pattern, _first) in _SCALARS.items():
    _StrictLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern})\Z"), _first
    )


def _parsed(text: str, name: str) -> object:
    # JSON is nearly YAML: only a JSON parser reads tabs and escaped surrogate pairs.
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text.lstrip("\ufeff"), object_pairs_hook=partial(_unique, name))
    try:
        loader = _StrictLoader(text)
        loader.place = name
        return loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}, line {mark.line + 1}" if mark else name
        raise Refused(place, "is not valid YAML", "correct it") from error


def _unique(place: str, pairs: list[tuple[str, Any]]) -> Node:
    result: Node = {}
    for key, value in pairs:
        if key in result:
            raise Refused(place, f"the key {key!r} occurs twice in one mapping", "remove one")
        result[key] = value
    return result


def _check_extent(document: Node, place: str) -> None:
    nodes, depth = _extent(document, {})
    if nodes > _NODES:
        raise Refused(place, f"has {nodes} nodes, aliases resolved", "write it without them")
    if depth > _DEPTH:
        raise Refused(place, f"is nested {depth} levels deep", "name its parts as components")


def _extent(node: object, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The number of nodes, those behind an alias counted at each use, and the depth."""
    if not isinstance(node, (dict, list)):
        return 1, 1
    if id(node) not in known:
        parts = node.values() if isinstance(node, dict) else node
        found = [_extent(part, known) for part in parts]
        depth = 1 + max((depth for _, depth in found), default=0)
        known[id(node)] = 1 + sum(nodes for nodes, _ in found), depth
    return known[id(node)]
