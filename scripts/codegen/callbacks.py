"""The callbacks of a document: the payload key, the trigger and the class of each.

The document lists the triggers and the events, and links them by nothing but their names: the
name of an event begins with its trigger (`MessageInboundEvent`, `MESSAGE_INBOUND`). An event for
which that does not hold names its trigger as ``x-trigger``, which an overlay can add.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from codegen.document import Node, Refused, component_of, schemas
from codegen.schemas import model_name

EVENTS = "ConversationWebhookEvent"
"""The union of all events; nothing in the document refers to it."""
TRIGGERS = "WebhookTrigger"
"""The enum of what a webhook can subscribe to."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One kind of callback."""

    key: str
    """The key of its payload, which no other callback has."""
    trigger: str
    model: str


def callbacks(document: Node) -> list[Callback]:
    """The callbacks of a document, sorted by payload key; none where it has no union of events.

    Raises: Refused for an event without a payload key or a trigger of its own.
    """
    found = schemas(document)
    if EVENTS not in found:
        return []
    place = f"components.schemas.{EVENTS}"
    events = [component_of(one.get("$ref", ""), "schemas", place) for one in _parts(found[EVENTS])]
    fields = {name: set(_fields(document, found[name])) for name in events}
    uses = Counter(field for names in fields.values() for field in names)
    result = []
    for name in events:
        keys = [field for field in sorted(fields[name]) if uses[field] == 1]
        if len(keys) != 1:
            problem = f"has {len(keys)} fields that no other event has; its payload needs one"
            raise Refused(f"components.schemas.{name}", problem)
        result.append(Callback(keys[0], _trigger(document, name), model_name(name)))
    _check_triggers(result)
    return sorted(result, key=lambda one: one.key)


def _parts(union: Node) -> list[Node]:
    return [*union.get("oneOf", []), *union.get("anyOf", [])]


def _fields(document: Node, schema: Node) -> Iterator[str]:
    if "$ref" in schema:
        name = component_of(schema["$ref"], "schemas", "components.schemas")
        yield from _fields(document, schemas(document)[name])
    yield from schema.get("properties", {})
    for part in schema.get("allOf", []):
        yield from _fields(document, part)


def _trigger(document: Node, event: str) -> str:
    given = schemas(document)[event].get("x-trigger")
    if isinstance(given, str):
        return given
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", event).upper()
    known = schemas(document).get(TRIGGERS, {}).get("enum", [])
    fitting = [one for one in known if isinstance(one, str) and words.startswith(one)]
    if not fitting:
        problem = f"begins with no trigger of {TRIGGERS}"
        raise Refused(f"components.schemas.{event}", problem, "add x-trigger in an overlay")
    return max(fitting, key=len)


def _check_triggers(found: list[Callback]) -> None:
    seen: dict[str, str] = {}
    for one in found:
        first = seen.setdefault(one.trigger, one.model)
        if first != one.model:
            problem = f"has the trigger {one.trigger}, as {first} has"
            raise Refused(f"components.schemas.{one.model}", problem, "add x-trigger in an overlay")
