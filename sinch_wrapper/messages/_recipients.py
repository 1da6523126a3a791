"""Who a message goes to: one or more channel identities, or a contact."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper._numbers import PHONE_CHANNELS, NotNumberError, single
from sinch_wrapper.messages._values import Value

_OnChannel: TypeAlias = "Callable[[str], Recipient]"


def _channel(name: str) -> _OnChannel:
    @forgetting
    def recipient(identity: str) -> "Recipient":
        return Recipient.on(name, identity)

    recipient.__doc__ = f"The recipient with *identity* on the channel {name}."
    recipient.__name__ = recipient.__qualname__ = name.lower()
    return recipient


class Recipient(Value):
    """A recipient as the APIs take it; immutable, and its repr shows no number.

    Make it with one of the channels, `Recipient.sms("+46700000001")`, with `contact()` or
    `identities()`. Apps in dispatch mode take channel identities only. Numbers of SMS, MMS, RCS,
    WhatsApp and Viber are written as `+` and digits, whatever blanks, hyphens, brackets, `00` or
    `tel:` they come with; digits alone must begin with a country code, and stay as they are.
    """

    __slots__ = ()

    sms: _OnChannel = staticmethod(_channel("SMS"))
    rcs: _OnChannel = staticmethod(_channel("RCS"))
    whatsapp: _OnChannel = staticmethod(_channel("WHATSAPP"))
    mms: _OnChannel = staticmethod(_channel("MMS"))
    kakaotalk: _OnChannel = staticmethod(_channel("KAKAOTALK"))
    kakaotalkchat: _OnChannel = staticmethod(_channel("KAKAOTALKCHAT"))
    viberbm: _OnChannel = staticmethod(_channel("VIBERBM"))
    line: _OnChannel = staticmethod(_channel("LINE"))
    instagram: _OnChannel = staticmethod(_channel("INSTAGRAM"))
    messenger: _OnChannel = staticmethod(_channel("MESSENGER"))
    wechat: _OnChannel = staticmethod(_channel("WECHAT"))
    telegram: _OnChannel = staticmethod(_channel("TELEGRAM"))
    applebc: _OnChannel = staticmethod(_channel("APPLEBC"))

    @classmethod
    @forgetting
    def on(cls, channel: str, identity: str) -> "Recipient":
        """The recipient with *identity* on *channel*, also one that this class does not know.

        Raises: ValueError when either is empty, or the identity is not a number where it must be.
        """
        return cls.identities([(channel, identity)])

    @classmethod
    @forgetting
    def identities(cls, identities: Iterable[tuple[str, str] | Mapping[str, str]]) -> "Recipient":
        """One recipient with several identities, each a pair of channel and identity.

        Raises: ValueError when there is no identity, an empty one, or what is not a number where
        one must be.
        """
        found = [_identity(item) for item in _validate.items("identities", identities)]
        channels = "+".join(dict.fromkeys(str(item["channel"]) for item in found))
        kind = f"Recipient {channels}"
        return cls(kind, {"identified_by": {"channel_identities": found}})

    @classmethod
    @forgetting
    def contact(cls, contact_id: str) -> "Recipient":
        """The contact with the id *contact_id*; not for apps in dispatch mode.

        Raises: ValueError when it is empty.
        """
        return cls("Recipient contact", {"contact_id": _validate.string("contact_id", contact_id)})


def _identity(item: object) -> dict[str, str]:
    if isinstance(item, Mapping):
        channel, identity = item.get("channel"), item.get("identity")
    elif isinstance(item, tuple | list) and len(item) == 2:  # noqa: PLR2004 (a pair)
        channel, identity = item
    else:
        message = "identities= must hold pairs of channel and identity"
        raise TypeError(message)
    known = _validate.string("channel", channel).strip().upper()
    text = _validate.string("identity", identity).strip()
    return {"channel": known, "identity": _number(text) if known in PHONE_CHANNELS else text}


def _number(text: str) -> str:
    try:
        return single(text)
    except NotNumberError as error:
        fault = f"identity= must be a phone number, + and country code first: it {error}"
    raise ValueError(fault)


CHANNELS: Final = tuple(
    name.upper() for name, member in vars(Recipient).items() if isinstance(member, staticmethod)
)
"""The channels of the document; `Recipient` has a method for each."""
