"""Builders of messages with one piece of content: text, media, template, location."""

import math
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, TypedDict, Unpack

from sinch_wrapper.messages._values import Value, compact, required, string

_LATITUDES = 90.0
_LONGITUDES = 180.0


def _coordinates(latitude: float, longitude: float) -> dict[str, float]:
    """Degrees as the API takes them."""
    for name, value, limit in (
        ("latitude", latitude, _LATITUDES),
        ("longitude", longitude, _LONGITUDES),
    ):
        if not (math.isfinite(value) and -limit <= value <= limit):
            message = f"{name} must be from -{limit:.0f} to {limit:.0f} degrees"
            raise ValueError(message)
    return {"latitude": latitude, "longitude": longitude}


def _unwrapped(key: str, item: object) -> Mapping[str, object]:
    """The content under *key* when *item* is a whole message, else *item* itself."""
    if not isinstance(item, Mapping):
        message = f"a {key} must be an object, not {type(item).__name__}"
        raise TypeError(message)
    inner = item.get(key)
    return inner if isinstance(inner, Mapping) else item


def _choices(name: str, items: Iterable[object]) -> list[Mapping[str, object]]:
    """Choices; a plain string becomes a text choice."""
    if isinstance(items, str | Mapping):
        message = f"{name} must be a list, not one {type(items).__name__}"
        raise TypeError(message)
    return [
        {"text_message": {"text": string(name, item)}}
        if isinstance(item, str)
        else _unwrapped("choice", item)
        for item in items
    ]


def _media_properties(media: str | Mapping[str, object] | None) -> Mapping[str, object] | None:
    """The properties of a medium, given by its URL, as such, or as a whole message."""
    if media is None:
        return None
    if isinstance(media, str):
        return {"url": string("media", media)}
    return _unwrapped("media_message", media)


def _section(item: object) -> dict[str, object]:
    """A _section of a list; plain strings among its items become _choices."""
    given = _unwrapped("_section", item)
    items = given.get("items")
    found = required("items", items if isinstance(items, Iterable) else ())
    return {
        **given,
        "items": [
            {"choice": {"title": string("items", entry)}} if isinstance(entry, str) else entry
            for entry in found
        ],
    }


def _named(name: str, key: str, item: object) -> Mapping[str, object]:
    """An object with *key*, or a plain string that stands for it."""
    if isinstance(item, Mapping):
        string(name, item.get(key))
        return item
    return {key: string(name, item)}


def _named_all(
    name: str, key: str, items: Iterable[object] | None
) -> list[Mapping[str, object]] | None:
    """_named() for each of *items*, of which there must be one when they are given."""
    return None if items is None else [_named(name, key, item) for item in required(name, items)]


Message: TypeAlias = Mapping[str, object]


class MessageOptions(TypedDict, total=False):
    """What any message may have besides its content.

    *agent* has `display_name`, `type` (`HUMAN`, `BOT`) and `picture_url`; the next three
    replace the content on single channels, by channel name; *reply_to* is a message id.
    """

    agent: Mapping[str, str]
    explicit_channel_message: Mapping[str, str]
    explicit_channel_omni_message: Mapping[str, Mapping[str, object]]
    channel_specific_message: Mapping[str, Mapping[str, object]]
    reply_to: str


_OPTIONS: Final = frozenset(MessageOptions.__annotations__)


def build(kind: str, content: Mapping[str, object], options: MessageOptions) -> Message:
    """Build the message whose content is of *kind*.

    Raises: TypeError for an option that messages do not have.
    """
    unknown = options.keys() - _OPTIONS
    if unknown:
        message = f"a {kind} has no option {min(unknown)!r}: besides its content it takes "
        message += ", ".join(MessageOptions.__annotations__)
        raise TypeError(message)
    common: dict[str, object] = {**options}
    if "reply_to" in options:
        common["reply_to"] = {"message_id": string("reply_to", options["reply_to"])}
    return Value(kind, {kind: content, **compact(**common)})


def text(text: str, /, **options: Unpack[MessageOptions]) -> Message:
    """Plain text."""
    return build("text_message", {"text": string("text", text)}, options)


def media(
    url: str,
    *,
    thumbnail_url: str | None = None,
    filename_override: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """An image, video, document or other file at a public URL."""
    content = compact(
        url=string("url", url), thumbnail_url=thumbnail_url, filename_override=filename_override
    )
    return build("media_message", content, options)


def template_reference(
    template_id: str,
    *,
    version: str | None = None,
    language_code: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Message:
    """A template by its id, for `channel=` of template()."""
    return Value(
        "template_reference",
        compact(
            template_id=string("template_id", template_id),
            version=version,
            language_code=language_code,
            parameters=parameters,
        ),
    )


def template(
    template_id: str | None = None,
    *,
    version: str | None = None,
    language_code: str | None = None,
    parameters: Mapping[str, str] | None = None,
    channel: Mapping[str, Mapping[str, object]] | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A stored template: an omni template by id and *version*, templates of channels, or both.

    *channel* maps channel names to values of template_reference(); they win on their channels.
    """
    omni = None
    if template_id is not None:
        omni = template_reference(
            template_id,
            version=string("version", version),
            language_code=language_code,
            parameters=parameters,
        )
    elif not channel:
        message = "template() needs template_id and version, or channel="
        raise ValueError(message)
    content = compact(channel_template=channel, omni_template=omni)
    return build("template_message", content, options)


def location(
    title: str,
    latitude: float,
    longitude: float,
    *,
    label: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A place on the map, in degrees."""
    content = compact(
        title=string("title", title),
        coordinates=_coordinates(latitude, longitude),
        label=label,
    )
    return build("location_message", content, options)


def choice(
    text: str | None,
    choices: Iterable[str | Mapping[str, object]],
    *,
    footer: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A text with buttons; a choice that is a plain string becomes a text choice.

    *footer* is for WhatsApp. None as text leaves it out.
    """
    content = compact(
        text_message=None if text is None else {"text": string("text", text)},
        choices=_choices("choices", required("choices", choices)),
        message_properties=compact(whatsapp_footer=footer),
    )
    return build("choice_message", content, options)


def card(  # noqa: PLR0913 (the fields of the API)
    title: str | None = None,
    *,
    description: str | None = None,
    media: str | Mapping[str, object] | None = None,
    choices: Iterable[str | Mapping[str, object]] = (),
    height: str | None = None,
    header: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A card with title, description, media (a URL or a value of media()) and choices.

    *height* is SHORT, MEDIUM or TALL; *header* is for WhatsApp.
    """
    content = compact(
        title=title,
        description=description,
        media_message=_media_properties(media),
        choices=_choices("choices", choices) or None,
        height=height,
        message_properties=compact(whatsapp_header=header),
    )
    if not content:
        message = "card() needs a title, a description, media or choices"
        raise ValueError(message)
    return build("card_message", content, options)


def carousel(
    cards: Iterable[Mapping[str, object]],
    *,
    choices: Iterable[str | Mapping[str, object]] = (),
    **options: Unpack[MessageOptions],
) -> Message:
    """Several cards side by side, made by card(), and choices below all of them."""
    content = compact(
        cards=[_unwrapped("card_message", item) for item in required("cards", cards)],
        choices=_choices("choices", choices) or None,
    )
    return build("carousel_message", content, options)


def list_message(  # noqa: PLR0913 (the fields of the API)
    title: str,
    sections: Iterable[Mapping[str, object]],
    *,
    description: str | None = None,
    media: str | Mapping[str, object] | None = None,
    menu: str | None = None,
    catalog_id: str | None = None,
    header: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A list of sections, each with `items` and perhaps a `title`.

    An item that is a plain string becomes a choice; others are `{"choice": ...}` or
    `{"product": ...}`. *menu* is the text of the button, *header* is for WhatsApp.
    """
    content = compact(
        title=string("title", title),
        description=description,
        media=_media_properties(media),
        sections=[_section(item) for item in required("sections", sections)],
        message_properties=compact(catalog_id=catalog_id, menu=menu, whatsapp_header=header),
    )
    return build("list_message", content, options)


def contact_info(  # noqa: PLR0913 (the fields of the API)
    name: str | Mapping[str, str],
    phone_numbers: Iterable[str | Mapping[str, str]],
    *,
    addresses: Iterable[Mapping[str, str]] | None = None,
    email_addresses: Iterable[str | Mapping[str, str]] | None = None,
    organization: Mapping[str, str] | None = None,
    urls: Iterable[str | Mapping[str, str]] | None = None,
    birthday: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A visiting card; plain strings stand for a full name, a number, an address or a URL.

    *birthday* is written YYYY-MM-DD.
    """
    content = compact(
        name=_named("name", "full_name", name),
        phone_numbers=_named_all("phone_numbers", "phone_number", phone_numbers),
        addresses=None if addresses is None else list(addresses),
        email_addresses=_named_all("email_addresses", "email_address", email_addresses),
        organization=organization,
        urls=_named_all("urls", "url", urls),
        birthday=birthday,
    )
    return build("contact_info_message", content, options)
