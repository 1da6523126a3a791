"""The parts that messages are made of: coordinates, choices, media, sections, names."""

import math
from collections.abc import Iterable, Mapping

from sinch_wrapper.messages._values import required, string

__all__ = [
    "choices",
    "coordinates",
    "media_properties",
    "named",
    "named_all",
    "section",
    "unwrapped",
]

_LATITUDES = 90.0
_LONGITUDES = 180.0


def coordinates(latitude: float, longitude: float) -> dict[str, float]:
    """Degrees as the API takes them."""
    for name, value, limit in (
        ("latitude", latitude, _LATITUDES),
        ("longitude", longitude, _LONGITUDES),
    ):
        if not (math.isfinite(value) and -limit <= value <= limit):
            message = f"{name} must be from -{limit:.0f} to {limit:.0f} degrees"
            raise ValueError(message)
    return {"latitude": latitude, "longitude": longitude}


def unwrapped(key: str, item: object) -> Mapping[str, object]:
    """The content under *key* when *item* is a whole message, else *item* itself."""
    if not isinstance(item, Mapping):
        message = f"a {key} must be an object, not {type(item).__name__}"
        raise TypeError(message)
    inner = item.get(key)
    return inner if isinstance(inner, Mapping) else item


def choices(name: str, items: Iterable[object]) -> list[Mapping[str, object]]:
    """Choices; a plain string becomes a text choice."""
    if isinstance(items, str | Mapping):
        message = f"{name} must be a list, not one {type(items).__name__}"
        raise TypeError(message)
    return [
        {"text_message": {"text": string(name, item)}}
        if isinstance(item, str)
        else unwrapped("choice", item)
        for item in items
    ]


def media_properties(media: str | Mapping[str, object] | None) -> Mapping[str, object] | None:
    """The properties of a medium, given by its URL, as such, or as a whole message."""
    if media is None:
        return None
    if isinstance(media, str):
        return {"url": string("media", media)}
    return unwrapped("media_message", media)


def section(item: object) -> dict[str, object]:
    """A section of a list; plain strings among its items become choices."""
    given = unwrapped("section", item)
    items = given.get("items")
    found = required("items", items if isinstance(items, Iterable) else ())
    return {
        **given,
        "items": [
            {"choice": {"title": string("items", entry)}} if isinstance(entry, str) else entry
            for entry in found
        ],
    }


def named(name: str, key: str, item: object) -> Mapping[str, object]:
    """An object with *key*, or a plain string that stands for it."""
    if isinstance(item, Mapping):
        string(name, item.get(key))
        return item
    return {key: string(name, item)}


def named_all(
    name: str, key: str, items: Iterable[object] | None
) -> list[Mapping[str, object]] | None:
    """named() for each of *items*, of which there must be one when they are given."""
    return None if items is None else [named(name, key, item) for item in required(name, items)]
