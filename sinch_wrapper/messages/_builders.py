"""The builders of messages, one for each kind of content."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias, TypedDict, TypeVar, Unpack

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.messages._values import Value, compact

T = TypeVar("T")

Message: TypeAlias = Mapping[str, object]


class MessageOptions(TypedDict, total=False):
    """What any message may have besides its content.

    *agent* has `display_name`, `type` (`HUMAN`, `BOT`) and `picture_url`. By channel name,
    *explicit_channel_message* (JSON of the channel), *explicit_channel_omni_message* (a message)
    and *channel_specific_message* replace the content there. *reply_to* is a message id.
    """

    agent: Mapping[str, str]
    explicit_channel_message: Mapping[str, str]
    explicit_channel_omni_message: Mapping[str, Mapping[str, object]]
    channel_specific_message: Mapping[str, Mapping[str, object]]
    reply_to: str


def _objects(option: str, value: object) -> Mapping[str, object]:
    return _validate.mapping(option, value, "a mapping from strings to objects", values=Mapping)


def _reply_to(option: str, value: object) -> Mapping[str, object]:
    return {"message_id": _validate.string(option, value)}


_CHECKS: Final[Mapping[str, Callable[[str, object], object]]] = {
    "agent": _validate.string_mapping,
    "explicit_channel_message": _validate.string_mapping,
    "explicit_channel_omni_message": _objects,
    "channel_specific_message": _objects,
    "reply_to": _reply_to,
}


def _build(kind: str, content: Mapping[str, object], options: MessageOptions) -> Message:
    """Build the message whose content is of *kind*.

    Raises: TypeError for an option that messages do not have.
    """
    _validate.no_unknown(f"a {kind}", options, _CHECKS)
    common = {
        name: _CHECKS[name](name, value) for name, value in options.items() if value is not None
    }
    return Value(kind, {kind: content, **compact(**common)})


def _string(option: str, value: object) -> str:
    return _validate.instance(option, value, str, "a string")


def _optional(option: str, value: object, check: Callable[[str, object], T]) -> T | None:
    """The checked *value*, or None when it is not given."""
    return None if value is None else check(option, value)


def _strings(**fields: object) -> dict[str, str | None]:
    """Optional strings whose options have the names of their fields."""
    return {name: _optional(name, value, _string) for name, value in fields.items()}


def _content_of(option: str, key: str, wanted: str, item: object) -> Mapping[str, object]:
    """The content under *key* when *item* is a whole message, else *item* itself."""
    found = _validate.mapping(option, item, wanted)
    inner = found.get(key)
    return inner if isinstance(inner, Mapping) else found


def _choices(items: Iterable[object], *, may_be_empty: bool = False) -> list[Mapping[str, object]]:
    """Choices; a plain string becomes a text choice."""
    return [
        {"text_message": {"text": _validate.string("choices", item)}}
        if isinstance(item, str)
        else _content_of("choices", "choice", "a list of strings and choices", item)
        for item in _validate.items("choices", items, may_be_empty=may_be_empty)
    ]


def _media_properties(media: str | Mapping[str, object] | None) -> Mapping[str, object] | None:
    """The properties of a medium, given by its URL, as such, or as a whole message."""
    if media is None:
        return None
    if isinstance(media, str):
        return {"url": _validate.string("media", media)}
    return _content_of("media", "media_message", "a URL or a value of media()", media)


def _section(section: object) -> dict[str, object]:
    """A section of a list; plain strings among its items become choices."""
    given = _validate.mapping("sections", section, "a list of objects with items")
    return {
        **given,
        "items": [_list_item(item) for item in _validate.items("items", given.get("items", ()))],
    }


def _list_item(item: object) -> Mapping[str, object]:
    if isinstance(item, str):
        return {"choice": {"title": _validate.string("items", item)}}
    return _validate.mapping("items", item, "a list of strings and objects")


def _named(option: str, key: str, item: object) -> Mapping[str, object]:
    """An object with *key*, or a plain string that stands for it."""
    if isinstance(item, Mapping):
        _validate.string(option, item.get(key))
        return item
    return {key: _validate.string(option, item)}


def _named_all(option: str, key: str, items: object) -> list[Mapping[str, object]]:
    """Objects with *key*, one or more."""
    return [_named(option, key, item) for item in _validate.items(option, items)]


def _addresses(option: str, value: object) -> list[Mapping[str, object]]:
    found = _validate.items(option, value, may_be_empty=True)
    return [_validate.mapping(option, item, "a list of objects") for item in found]


@forgetting
def text(text: str, /, **options: Unpack[MessageOptions]) -> Message:
    """Plain text of at least one character.

    Raises: ValueError or TypeError for anything else.
    """
    return _build("text_message", {"text": _validate.string("text", text)}, options)


@forgetting
def media(
    url: str,
    *,
    thumbnail_url: str | None = None,
    filename_override: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """An image, video, document or other file at the public *url*.

    *thumbnail_url* is a small picture of it, *filename_override* the name that the recipient sees.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        url=_validate.string("url", url),
        **_strings(thumbnail_url=thumbnail_url, filename_override=filename_override),
    )
    return _build("media_message", content, options)


@forgetting
def template_reference(
    template_id: str,
    *,
    version: str | None = None,
    language_code: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Message:
    """A template by its *template_id*, for `channel=` of template().

    *version* and *language_code* are those that it was stored with, *parameters* the values for
    its placeholders.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        template_id=_validate.string("template_id", template_id),
        **_strings(version=version, language_code=language_code),
        parameters=_optional("parameters", parameters, _validate.string_mapping),
    )
    return Value("template_reference", content)


@forgetting
def template(
    template_id: str | None = None,
    *,
    version: str | None = None,
    language_code: str | None = None,
    parameters: Mapping[str, str] | None = None,
    channel: Mapping[str, Mapping[str, object]] | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A stored template: an omni template, templates of channels, or both.

    *template_id* and *version* name the omni template, *language_code* its translation, and
    *parameters* are the values for its placeholders.
    *channel* maps channel names to values of template_reference(); they win on their channels.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    channels = _optional("channel", channel, _objects)
    omni = None
    if template_id is not None:
        omni = template_reference(
            template_id,
            version=_validate.string("version", version),
            language_code=language_code,
            parameters=parameters,
        )
    elif not channels:
        message = "template() needs template_id and version, or channel="
        raise ValueError(message)
    content = compact(channel_template=channels, omni_template=omni)
    return _build("template_message", content, options)


@forgetting
def location(
    title: str,
    latitude: float,
    longitude: float,
    *,
    label: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """A place on the map: its *title*, and *latitude* and *longitude* in degrees.

    *label* is a second line, such as the address.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        title=_validate.string("title", title),
        coordinates={
            "latitude": _validate.number("latitude", latitude, -90, 90, unit="degrees"),
            "longitude": _validate.number("longitude", longitude, -180, 180, unit="degrees"),
        },
        **_strings(label=label),
    )
    return _build("location_message", content, options)


@forgetting
def choice(
    text: str | None,
    choices: Iterable[str | Mapping[str, object]],
    *,
    footer: str | None = None,
    **options: Unpack[MessageOptions],
) -> Message:
    """Text with buttons; one of *choices* that is a plain string becomes a text choice.

    *footer* is for WhatsApp. None as *text* leaves the text out.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        text_message=None if text is None else {"text": _validate.string("text", text)},
        choices=_choices(choices),
        message_properties=compact(whatsapp_footer=_optional("footer", footer, _string)),
    )
    return _build("choice_message", content, options)


@forgetting
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

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        **_strings(title=title, description=description, height=height),
        media_message=_media_properties(media),
        choices=_choices(choices, may_be_empty=True) or None,
        message_properties=compact(whatsapp_header=_optional("header", header, _string)),
    )
    if not content:
        message = "card() needs a title, a description, media or choices"
        raise ValueError(message)
    return _build("card_message", content, options)


@forgetting
def carousel(
    cards: Iterable[Mapping[str, object]],
    *,
    choices: Iterable[str | Mapping[str, object]] = (),
    **options: Unpack[MessageOptions],
) -> Message:
    """Several *cards* side by side, made by card(), and *choices* below all of them.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        cards=[
            _content_of("cards", "card_message", "a list of values of card()", item)
            for item in _validate.items("cards", cards)
        ],
        choices=_choices(choices, may_be_empty=True) or None,
    )
    return _build("carousel_message", content, options)


@forgetting
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
    `{"product": ...}`. *menu* is the text of the button, *description* and *media* stand above it,
    *catalog_id* is that of the products, *header* is for WhatsApp.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        title=_validate.string("title", title),
        **_strings(description=description),
        media=_media_properties(media),
        sections=[_section(item) for item in _validate.items("sections", sections)],
        message_properties=compact(
            **_strings(catalog_id=catalog_id, menu=menu),
            whatsapp_header=_optional("header", header, _string),
        ),
    )
    return _build("list_message", content, options)


@forgetting
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
    """A contact card; plain strings stand for a full name, a number, an email address or a URL.

    *phone_numbers* needs at least one; *email_addresses*, *addresses*, *urls*, the *organization*
    and the *birthday* (YYYY-MM-DD) may be left out.

    Raises: ValueError or TypeError for what cannot be sent.
    """
    content = compact(
        name=_named("name", "full_name", name),
        phone_numbers=_named_all("phone_numbers", "phone_number", phone_numbers),
        addresses=_optional("addresses", addresses, _addresses),
        email_addresses=None
        if email_addresses is None
        else _named_all("email_addresses", "email_address", email_addresses),
        organization=_optional("organization", organization, _validate.string_mapping),
        urls=None if urls is None else _named_all("urls", "url", urls),
        **_strings(birthday=birthday),
    )
    return _build("contact_info_message", content, options)
