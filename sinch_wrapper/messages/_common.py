"""What all messages have in common: their type, their options, their making."""

from collections.abc import Mapping
from typing import Final, TypeAlias, TypedDict

from sinch_wrapper.messages._values import Value, compact, string

__all__ = ["Message", "MessageOptions", "build"]

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
