"""Reading a document from a file: YAML or JSON, as OpenAPI means them."""

from __future__ import annotations

import contextlib
import json
import re
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import yaml

from codegen.document import Node, Refused

_NODES = 2_000_000
_DEPTH = 200
# What plain scalars mean, by the JSON rules that OpenAPI asks for. YAML 1.1, which the parser
# knows, would take NO for false, 12:30 for 750 and dates for moments; here they are text.
_SCALARS = {
    "null": (r"~|null|Null|NULL|", [*"~nN", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", [*"-+0123456789"]),
    "float": (r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", [*"-+0123456789"]),
    "merge": (r"<<", ["<"]),
}


def load(path: Path) -> Node:
    """Read a YAML or JSON document.

    Raises: Refused when the file is missing, is neither, is not a mapping, or is one in size or
    depth that no API description has.
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
            raise Refused(path.name, "is not a mapping", "give an OpenAPI document")
        _check_extent(document, path.name)
        return _plain(document)
    except RecursionError as error:
        problem = "is nested too deeply, or contains itself"
        raise Refused(path.name, problem, "name its parts as components") from error
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise Refused(path.name, f"is no JSON document ({reason})", "correct it") from error


def _plain(document: Node) -> Node:
    """The same through JSON, which turns numeric keys and dates into what OpenAPI means."""
    text = json.dumps(document, default=str, allow_nan=False, ensure_ascii=False)
    # Encoded, for half a surrogate pair cannot be written into a file.
    found: Node = json.loads(text.encode())
    return found


class _StrictLoader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either base is a Loader
    """Refuses duplicate keys, which YAML loaders otherwise resolve by losing one silently."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
    place = ""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                place = f"{self.place}, line {key.start_mark.line + 1}"
                raise Refused(place, f"the key {name!r} stands twice in one mapping", "drop one")
            seen.add(name)
        return dict(super().construct_mapping(node, deep=deep))


for _name, (_pattern, _first) in _SCALARS.items():
    _StrictLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern})\Z"), _first
    )


def _parsed(text: str, name: str) -> object:
    # JSON is nearly YAML: tabs and escaped surrogate pairs are read by a JSON parser only.
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
            raise Refused(place, f"the key {key!r} stands twice in one mapping", "drop one")
        result[key] = value
    return result


def _check_extent(document: Node, place: str) -> None:
    nodes, depth = _extent(document, {})
    if nodes > _NODES:
        raise Refused(place, f"has {nodes} nodes, aliases resolved", "write it without them")
    if depth > _DEPTH:
        raise Refused(place, f"is nested {depth} levels deep", "name its parts as components")


def _extent(node: object, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many nodes there are, those behind aliases counted wherever they stand, and how deep."""
    if not isinstance(node, (dict, list)):
        return 1, 1
    if id(node) not in known:
        parts = node.values() if isinstance(node, dict) else node
        found = [_extent(part, known) for part in parts]
        depth = 1 + max((depth for _, depth in found), default=0)
        known[id(node)] = 1 + sum(nodes for nodes, _ in found), depth
    return known[id(node)]
