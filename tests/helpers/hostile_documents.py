"""Documents that want to become code: every position of a document with every kind of payload."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from codegen.document import Node, followed, joined, keys_of
from tests.helpers.codegen import (
    MOMENT,
    STRING,
    THINGS,
    content,
    document,
    enum,
    listed,
    obj,
    operation,
    parameter,
    ref,
)

CALL = "getattr(__import__('os'),'system')('false')"
"""What would run if a payload became code; it does no harm."""
PAYLOADS = {
    "an expression": f"{{{CALL}}}",
    "an expression in a path": f"/x/{{({CALL})}}",
    "a conversion": "{self.__class__!r:>{width}}",
    "an unknown name": "{nobody}",
    "double braces": "{{nobody}}",
    "an open brace": "a{b",
    "a closed brace": "a}b",
    "double quotes": f'" + {CALL} + "',
    "single quotes": f"' + {CALL} + '",
    "three quotes": f'"""\n{CALL}\n"""',
    "three single quotes": f"'''\n{CALL}\n'''",
    "a quote at the end": 'ends with "',
    "a backslash and a quote": 'ends with \\"',
    "a backslash": "ends with \\",
    "two backslashes and a quote": 'ends with \\\\"',
    "an octal quote": "\\42 \\x22 \\u0022 \\N{QUOTATION MARK}",
    "a half escape": "\\x \\u12 \\N{nothing}",
    "a line": f"one\n{CALL}\nthree",
    "a carriage return": f"one\r{CALL}",
    "both": f"one\r\n{CALL}",
    "a line separator": f"one\u2028{CALL}\u2029{CALL}\x85{CALL}",
    "a form feed": f"one\x0c{CALL}\x0b{CALL}",
    "nothing at all": "a\0b",
    "a comment": f"# type: ignore\n{CALL}",
    "jinja expression": "{{ ''.__class__.__mro__ }}",
    "jinja statement": "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "jinja comment": "{# nothing #}",
    "a format": "%(nobody)s %s %n {0.__class__}",
    "fullwidth quotes": "\uff02 + \uff07 + \uff3f\uff3fimport\uff3f\uff3f",
    "letters that fold": "\u210c\u2111\u2102 \ufb01 \u2170",
    "right to left": "\u202e\u2066;)'false'(metsys\u2069",
    "a name of Python": "__import__",
    "a keyword": "lambda: 0",
    "a name of ours": "to_dict",
    "a long word": "x" * 97 + '"' + "y" * 300,
    "a long name": "n" * 5000,
    "signs alone": "?!*",
    "nothing": "",
    "dots": "../../x",
    "other letters": "\u00e9t\u00e9_\u0416_\u4e2d",
    "a picture": "\U0001f600" * 40 + '"',
    "markup": "</script>```<!-- -->",
}


@dataclass(frozen=True)
class Edit:
    """A payload at one position: as a value, as a key, or wherever a word occurs."""

    kind: str
    pointer: str
    payload: str

    def apply(self, given: Node) -> Node:
        """The document with this edit; as it is when another edit took the position away."""
        if self.kind == "word":
            found: Node = _replaced(given, self.pointer, self.payload)
            return found
        parent, _, _ = self.pointer.rpartition("/")
        key: Any = keys_of(self.pointer)[-1]
        try:
            node = followed(given, parent)
            key = int(key) if isinstance(node, list) else key
            _ = node[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return given
        if self.kind == "value":
            node[key] = self.payload
        elif self.payload not in node:
            items = [(self.payload if name == key else name, it) for name, it in node.items()]
            node.clear()
            node.update(items)
        return given


def _replaced(node: Any, word: str, payload: str) -> Any:
    if isinstance(node, dict):
        return {
            key.replace(word, payload): _replaced(value, word, payload)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_replaced(one, word, payload) for one in node]
    return node.replace(word, payload) if isinstance(node, str) else node


# Names that stand in several places; renamed in one of them they only dangle.
WORDS = (
    *("Gadget", "Shade", "ShinyEvent", "SHINY", "ConversationWebhookEvent", "gadget_id"),
    *("colour", "serial", "Gadgets_List", "_List", "Gadgets", "weight", "/v1/", "gadgets", "RED"),
)


def base() -> Node:
    """A document that has one of everything."""
    found: Node = json.loads(_text())
    return found


@cache
def _text() -> str:
    note = {"description": "A note.", "title": "Note", "example": "note", "x-note": "note"}
    rich: Node = {
        "id": {**STRING, "pattern": "^a$", "default": "abc", **note},
        "colour": {**enum("RED", "BLUE"), "description": "Its colour.", "default": "RED"},
        "weight": {"type": "number", "format": "double", "x-unit": {"of": "gram"}},
        "made": {**MOMENT, "description": "When."},
        "tags": listed({**STRING, "description": "One."}),
        "labels": {"type": "object", "additionalProperties": STRING},
        "inline": {**obj(depth=STRING), "title": "Inline Thing"},
        "const": {"const": "always", "type": "string"},
        "shade": ref("Shade"),
    }
    components = {
        "Gadget": {**obj(["id"], **rich), **note, "externalDocs": {"url": "https://a.test"}},
        "Shade": {**enum("DARK", "LIGHT"), **note},
        "Look": {
            "oneOf": [ref("Plain"), ref("Painted")],
            "discriminator": {"propertyName": "kind", "mapping": {"plain": "Plain"}},
        },
        "Plain": obj(["plain"], plain=obj(text=STRING)),
        "Painted": {"allOf": [ref("Plain"), obj(paint=STRING)]},
        "Draft": obj(["name"], name=STRING, look=ref("Look"), owner={"allOf": [ref("Plain")]}),
        "ShinyEvent": {**obj(project_id=STRING, shiny=obj(of=STRING)), "x-trigger": "SHINY"},
        "OtherEvent": obj(project_id=STRING, other_payload=STRING),
        "ConversationWebhookEvent": {"oneOf": [ref("ShinyEvent"), ref("OtherEvent")]},
        "WebhookTrigger": enum("SHINY", "OTHER"),
    }
    page = obj(gadgets=listed(ref("Gadget")), next_page_token=STRING)
    colour = parameter("colour", schema=enum("RED", "BLUE"), description="Of what colour.")
    serial = parameter("serial", schema=listed(STRING), explode=False)
    words = {"tags": ["Gadgets"], "summary": "A summary.", "description": "More of it."}
    more = {**words, "x-more": {"more": ["more"]}, "deprecated": True}
    paths = {
        THINGS: {
            "get": operation("Gadgets_List", colour, serial, response=page, **more),
            "post": operation(
                "Gadgets_Make", body=ref("Draft"), response=ref("Gadget"), tags=["Gadgets"]
            ),
        },
        THINGS + "/{gadget_id}": {
            "get": operation(
                "Gadgets_Get",
                parameter("gadget_id", "path", description="Which one."),
                response=ref("Gadget"),
                tags=["Gadgets"],
            ),
        },
    }
    paths[THINGS]["get"]["responses"]["404"] = content(ref("Plain"))
    result = document(components, paths)
    result["info"] |= {"description": "All about gadgets.", "contact": {"name": "Nobody"}}
    result["tags"] = [{"name": "Gadgets", "description": "All of them."}]
    result["servers"] = [{"url": "https://eu.example.test", "description": "Europe."}]
    result["security"] = [{"basic": []}]
    result["components"]["securitySchemes"] = {"basic": {"type": "http", "scheme": "basic"}}
    return json.dumps(result)


def positions() -> list[tuple[str, str]]:
    """Every position of the document: values and keys by pointer, and words that are renamed."""
    return [*_positions(base(), "#"), *(("word", word) for word in WORDS)]


def _positions(node: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield "key", joined(pointer, key)
            yield from _positions(value, joined(pointer, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _positions(value, joined(pointer, index))
    elif isinstance(node, str):
        yield "value", pointer


def edits(count: int, seed: int) -> list[Edit]:
    """That many pairs of position and payload, or all if there are no more."""
    every = [Edit(*place, payload) for place in positions() for payload in PAYLOADS.values()]
    return random.Random(seed).sample(every, min(count, len(every)))  # noqa: S311 - a sample


def edited(*given: Edit) -> Node:
    """The document with some edits: values, then words, then keys from the inside out."""
    order = {"value": 0, "word": 1, "key": 2}
    result: Node = json.loads(_text())
    for edit in sorted(given, key=lambda one: (order[one.kind], -one.pointer.count("/"))):
        result = edit.apply(result)
    return result
