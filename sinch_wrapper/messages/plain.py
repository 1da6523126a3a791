"""Builders of messages with one piece of content: text, media, template, location."""

from collections.abc import Mapping
from typing import Unpack

from sinch_wrapper.messages import _parts as parts
from sinch_wrapper.messages._common import Message, MessageOptions, build
from sinch_wrapper.messages._values import Value, compact, string

__all__ = ["location", "media", "template", "template_reference", "text"]


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
        coordinates=parts.coordinates(latitude, longitude),
        label=label,
    )
    return build("location_message", content, options)
