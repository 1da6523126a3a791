"""Read a file of YAML or JSON by the rules of JSON, within bounds.

YAML is built from its events, without recursion and without tags of Python: a document can be
nested, repeated by aliases and merged only as far as the bounds here allow.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from codegen.document import Node, Refused

SIZE = 5_000_000
"""The largest document, in bytes; those of the APIs have a twentieth of it."""
# Read from YAML, where each costs time, and in all when aliases are resolved.
_READ, _NODES = 100_000, 500_000
_DEPTH = 200
_DEEP = f"is nested more than {_DEPTH} levels deep, or contains itself"
_MANY = f"has more than {_READ} nodes"
_PARTS = "name its parts as components"
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TAG = "tag:yaml.org,2002:"

# What plain scalars mean by the JSON rules that OpenAPI requires. By YAML 1.1 NO would be false,
# 12:30 would be 750 and dates would be moments; here they are strings.
_PLAIN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("null", r"~|null|Null|NULL|"),
        ("bool", r"true|True|TRUE|false|False|FALSE"),
        ("int", r"[-+]?(?:0|[1-9][0-9]*)"),
        ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?"),
    )
)
_READERS: Mapping[str, Callable[[str], object]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
    "str": str,
}


def load(path: Path) -> Node:
    """Read a YAML or JSON document.

    Raises: Refused when the file is missing, is neither, is not a mapping, or is larger or deeper
    than any API description.
    """
    try:
        with path.open("rb") as file:
            content = file.read(SIZE + 1)
        text = content.decode()
    except OSError as error:
        raise Refused(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    except UnicodeDecodeError as error:
        raise Refused(path.name, "is not UTF-8", "convert it") from error
    if len(content) > SIZE:
        raise Refused(path.name, f"is larger than {SIZE} bytes", "check the file")
    try:
        document = _parsed(text, path.name)
        if not isinstance(document, dict):
            raise Refused(path.name, "is not a mapping", "use an OpenAPI document")
        _check_extent(document, path.name)
        return _plain(document)
    except RecursionError as error:
        raise Refused(path.name, _DEEP, _PARTS) from error
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise Refused(path.name, f"cannot be written as JSON ({reason})", "correct it") from error


def _plain(document: Node) -> Node:
    """The same document after JSON, where every use of an alias is a copy."""
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    # Encoding fails for half a surrogate pair, which could not be written to a file either.
    found: Node = json.loads(text.encode())
    return found


def _parsed(text: str, name: str) -> object:
    # JSON is nearly YAML: only a JSON parser reads tabs and escaped surrogate pairs.
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text.lstrip("\ufeff"), object_pairs_hook=partial(_unique, name))
    try:
        builder = _Builder(name)
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
        return builder.root
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


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    key: str | None = None
    merged: list[object] = field(default_factory=list)


class _Builder:
    """Makes a document of the events of a YAML parser."""

    def __init__(self, name: str) -> None:
        self.root: object = None
        self._name = name
        self._documents = self._nodes = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, object] = {}

    def take(self, event: yaml.Event) -> None:
        """Add what an event brings.

        Raises: Refused for what JSON does not have, and beyond the bounds.
        """
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            self._node(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._refused(event, "begins a second document", "give each a file")

    def _node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        self._nodes += 1
        if self._nodes > _READ:
            raise self._refused(event, _MANY, "split it")
        if isinstance(event, yaml.ScalarEvent):
            if self._is_key():
                self._name_next(event)
                return
            value: Any = self._scalar(event)
            self._place(value, event)
        else:
            if len(self._open) >= _DEPTH:
                raise self._refused(event, _DEEP, _PARTS)
            is_map = isinstance(event, yaml.MappingStartEvent)
            self._check_tag(event, "map" if is_map else "seq")
            value = {} if is_map else []
            self._place(value, event)
            self._open.append(_Open(value))
        if event.anchor:
            self._anchors[event.anchor] = value

    def _is_key(self) -> bool:
        return bool(self._open) and isinstance(self._top.value, dict) and self._top.key is None

    @property
    def _top(self) -> _Open:
        return self._open[-1]

    def _name_next(self, event: yaml.ScalarEvent) -> None:
        key, top = event.value, self._top
        merges = key == "<<" and event.implicit[0]
        if key in top.value or (merges and top.merged):
            raise self._refused(event, f"the key {key!r} occurs twice in one mapping", "remove one")
        top.key = key
        if merges:
            top.merged.append(None)

    def _place(self, value: object, event: yaml.Event) -> None:
        if not self._open:
            self.root = value
        elif self._is_key():
            raise self._refused(event, "has a key that is not a string", "correct it")
        elif isinstance(self._top.value, list):
            self._top.value.append(value)
        elif self._top.merged == [None]:
            self._top.merged, self._top.key = [value], None
        else:
            self._top.value[str(self._top.key)] = value
            self._top.key = None

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise self._refused(event, f"refers to {event.anchor}, which is not defined before")
        value = self._anchors[event.anchor]
        if any(value is one.value for one in self._open):
            raise self._refused(event, _DEEP, _PARTS)
        self._place(value, event)

    def _close(self, event: yaml.Event) -> None:
        closed = self._open.pop()
        if not isinstance(closed.value, dict) or not closed.merged:
            return
        (given,) = closed.merged
        own = dict(closed.value)
        closed.value.clear()
        for one in reversed(given if isinstance(given, list) else [given]):
            if not isinstance(one, dict):
                raise self._refused(event, "merges what is not a mapping")
            self._nodes += len(one)
            if self._nodes > _READ:
                raise self._refused(event, _MANY, "split it")
            closed.value.update(one)
        closed.value.update(own)

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        kind = "str"
        if event.tag and event.tag != "!":
            kind = event.tag.removeprefix(_TAG)
        elif event.implicit[0]:
            kind = next((kind for kind, it in _PLAIN if it.fullmatch(event.value)), "str")
        if kind not in _READERS:
            raise self._refused(event, f"has the tag {event.tag}, which JSON does not have")
        return _READERS[kind](event.value)

    def _check_tag(self, event: yaml.CollectionStartEvent, kind: str) -> None:
        if event.tag not in {None, "!", _TAG + kind}:
            raise self._refused(event, f"has the tag {event.tag}, which JSON does not have")

    def _refused(self, event: yaml.Event, problem: str, remedy: str = "correct it") -> Refused:
        line = event.start_mark.line + 1 if event.start_mark else 1
        return Refused(f"{self._name}, line {line}", problem, remedy)


def _check_extent(document: Node, place: str) -> None:
    known: dict[int, tuple[int, int]] = {}
    nodes, depth = _extent(document, known)
    if nodes > _NODES:
        raise Refused(place, f"has {nodes} nodes, aliases resolved", "write it without them")
    if depth > _DEPTH:
        raise Refused(place, f"is nested {depth} levels deep", _PARTS)


def _extent(node: dict[str, Any] | list[Any], known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The number of nodes, those behind an alias counted at each use, and the depth."""
    if id(node) not in known:
        parts = node.values() if isinstance(node, dict) else node
        found = [_extent(part, known) for part in parts if isinstance(part, (dict, list))]
        depth = 1 + max((depth for _, depth in found), default=0)
        plain = len(node) - len(found)
        known[id(node)] = 1 + plain + sum(nodes for nodes, _ in found), depth
    return known[id(node)]
