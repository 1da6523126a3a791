"""Builders of messages with parts: choices, cards, lists, visiting cards."""

from collections.abc import Iterable, Mapping
from typing import Unpack

from sinch_wrapper.messages import _parts as parts
from sinch_wrapper.messages._common import Message, MessageOptions, build
from sinch_wrapper.messages._values import compact, required, string

__all__ = ["card", "carousel", "choice", "contact_info", "list_message"]


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
        choices=parts.choices("choices", required("choices", choices)),
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
        media_message=parts.media_properties(media),
        choices=parts.choices("choices", choices) or None,
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
        cards=[parts.unwrapped("card_message", item) for item in required("cards", cards)],
        choices=parts.choices("choices", choices) or None,
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
        media=parts.media_properties(media),
        sections=[parts.section(item) for item in required("sections", sections)],
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
        name=parts.named("name", "full_name", name),
        phone_numbers=parts.named_all("phone_numbers", "phone_number", phone_numbers),
        addresses=None if addresses is None else list(addresses),
        email_addresses=parts.named_all("email_addresses", "email_address", email_addresses),
        organization=organization,
        urls=parts.named_all("urls", "url", urls),
        birthday=birthday,
    )
    return build("contact_info_message", content, options)
