"""The words of a message, as the person who gets it reads them."""

import re
from collections.abc import Iterator, Mapping

from sinch_wrapper.sandbox._json import Json, JsonValue

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def substitute(value: JsonValue, parameters: Mapping[str, str]) -> JsonValue:
    """Return *value* with each ``${name}`` in its strings replaced, where *parameters* has it."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: parameters.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {key: substitute(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, parameters) for item in value]
    return value


def placeholders(value: object) -> set[str]:
    """Collect the names of all ``${name}`` in the strings of *value*."""
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    if isinstance(value, Mapping):
        return set().union(*map(placeholders, value.values()))
    if isinstance(value, list):
        return set().union(*map(placeholders, value))
    return set()


def text_of(message: Json, templates: Mapping[str, Json]) -> str:
    """Return the text of *message*, or the titles and descriptions of its cards, by lines.

    A message by a template has the text of its translation, with the parameters in it; empty when
    the sandbox has no such template.
    """
    if (plain := message.get("text_message")) is not None:
        text: str = plain["text"]
        return text
    if (reference := message.get("template_message", {}).get("omni_template")) is not None:
        return text_of(_translated(reference, templates), {})
    return "\n".join(filter(None, _lines(message)))


def _translated(reference: Json, templates: Mapping[str, Json]) -> Json:
    template = templates.get(reference.get("template_id", ""), {"translations": []})
    language = reference.get("language_code") or template.get("default_translation")
    version = reference.get("version")
    for each in reversed(template["translations"]):
        if each["language_code"] == language and version in {None, "", "latest", each["version"]}:
            translated: Json = substitute(each, reference.get("parameters", {}))
            return translated
    return {}


def _lines(message: Json) -> Iterator[str]:
    for kind in ("card_message", "list_message", "location_message"):
        part = message.get(kind, {})
        yield part.get("title", "")
        yield part.get("description", "")
    yield message.get("choice_message", {}).get("text_message", {}).get("text", "")
    for card in message.get("carousel_message", {}).get("cards", []):
        yield from _lines({"card_message": card})
