"""Who a message goes to: one or more channel identities, or a contact."""

from collections.abc import Iterable, Mapping
from typing import Final

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper._numbers import PHONE_CHANNELS, NotNumberError, single, without_shapes
from sinch_wrapper.messages._values import Value

CHANNELS: Final = (
    *("SMS", "RCS", "WHATSAPP", "MMS", "KAKAOTALK", "KAKAOTALKCHAT", "VIBERBM", "LINE"),
    *("INSTAGRAM", "MESSENGER", "WECHAT", "TELEGRAM", "APPLEBC"),
)
"""The channels of the document; `Recipient` has a method for each."""


class Recipient(Value):
    """A recipient as the APIs take it; immutable, and its repr shows no number.

    Make it with one of the channels, `Recipient.sms("+46700000001")`, with `contact()` or
    `identities()`. Apps in dispatch mode take channel identities only. Numbers of SMS, MMS, RCS,
    WhatsApp and Viber are written as `+` and digits, whatever blanks, hyphens, brackets, `00` or
    `tel:` they come with; digits alone must begin with a country code, and stay as they are.
    """

    __slots__ = ()

    @classmethod
    @forgetting
    def sms(cls, identity: str) -> "Recipient":
        """The recipient with the phone number *identity*, such as +46700000001, on SMS."""
        return cls.on("SMS", identity)

    @classmethod
    @forgetting
    def rcs(cls, identity: str) -> "Recipient":
        """The recipient with the phone number *identity*, such as +46700000001, on RCS."""
        return cls.on("RCS", identity)

    @classmethod
    @forgetting
    def whatsapp(cls, identity: str) -> "Recipient":
        """The recipient with the phone number *identity*, such as +46700000001, on WHATSAPP."""
        return cls.on("WHATSAPP", identity)

    @classmethod
    @forgetting
    def mms(cls, identity: str) -> "Recipient":
        """The recipient with the phone number *identity*, such as +46700000001, on MMS."""
        return cls.on("MMS", identity)

    @classmethod
    @forgetting
    def kakaotalk(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on KAKAOTALK."""
        return cls.on("KAKAOTALK", identity)

    @classmethod
    @forgetting
    def kakaotalkchat(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on KAKAOTALKCHAT."""
        return cls.on("KAKAOTALKCHAT", identity)

    @classmethod
    @forgetting
    def viberbm(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on VIBERBM."""
        return cls.on("VIBERBM", identity)

    @classmethod
    @forgetting
    def line(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on LINE."""
        return cls.on("LINE", identity)

    @classmethod
    @forgetting
    def instagram(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on INSTAGRAM."""
        return cls.on("INSTAGRAM", identity)

    @classmethod
    @forgetting
    def messenger(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on MESSENGER."""
        return cls.on("MESSENGER", identity)

    @classmethod
    @forgetting
    def wechat(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on WECHAT."""
        return cls.on("WECHAT", identity)

    @classmethod
    @forgetting
    def telegram(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on TELEGRAM."""
        return cls.on("TELEGRAM", identity)

    @classmethod
    @forgetting
    def applebc(cls, identity: str) -> "Recipient":
        """The recipient with *identity* on APPLEBC."""
        return cls.on("APPLEBC", identity)

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
    known = _validate.channel("channel", channel, CHANNELS)
    text = without_shapes(_validate.string("identity", identity))
    return {"channel": known, "identity": _number(text) if known in PHONE_CHANNELS else text}


def _number(text: str) -> str:
    try:
        return single(text)
    except NotNumberError as error:
        fault = f"identity= must be a phone number, + and country code first: it {error}"
    raise ValueError(fault)
