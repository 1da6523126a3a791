"""Where a message goes, and how much of it a report shows; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper._numbers import PHONE_CHANNELS, country_code

_SHOWN: Final = 2
# What may be a phone number in the words of a server.
_IN_WORDS: Final = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")
# What is one when it is all of a key: ids have no + and rarely a leading zero.
_AS_KEY: Final = re.compile(r"(?:\+|0)[\d\s().-]{6,}")
_LEAST: Final = 6
_HIDDEN: Final = "<number>"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes first; a contact has its id and no channel, a row left out nothing."""

    channel: str = ""
    identity: str = field(default="", repr=False)

    @property
    def country(self) -> str:
        """The country code of a phone number, such as `+46`; empty for all else."""
        if self.channel not in PHONE_CHANNELS:
            return ""
        code = country_code(self.identity.removeprefix("+"))
        return f"+{code}" if code else ""

    @property
    def masked(self) -> str:
        """The country code and the last two digits; of other identities the last two signs."""
        end = self.identity[-_SHOWN:] if len(self.identity) > 3 * _SHOWN else ""
        return f"{self.country}…{end}" if self.identity else ""

    def is_named_by(self, key: str) -> bool:
        """Whether *key* is the identity itself, or a spelling of its number."""
        digits = "".join(filter(str.isdigit, key)).lstrip("0")
        mine = self.identity.removeprefix("+")
        return key == self.identity or (
            len(digits) >= _LEAST and mine.endswith(digits) and not re.search("[^\\W\\d_]", key)
        )


def address_of(item: object) -> Address:
    """Where *item* of a request goes: a recipient of a message, a contact, or a consent."""
    found = item if isinstance(item, Mapping) else {}
    recipient = found.get("recipient", found)
    recipient = recipient if isinstance(recipient, Mapping) else {}
    identified = recipient.get("identified_by", recipient)
    identities = identified.get("channel_identities") if isinstance(identified, Mapping) else None
    if isinstance(identities, list) and identities and isinstance(identities[0], Mapping):
        first = identities[0]
        return Address(str(first.get("channel") or ""), str(first.get("identity") or ""))
    return Address("", str(recipient.get("contact_id") or recipient.get("identity") or ""))


def masked_words(text: str) -> str:
    """*text* without anything that may be a phone number."""
    return _IN_WORDS.sub(_HIDDEN, text)


def masked_key(key: str, address: Address) -> str:
    """*key*, unless it is a phone number or the identity of its recipient."""
    if address.identity and address.is_named_by(key):
        return address.masked
    return _HIDDEN if _AS_KEY.fullmatch(key) else key
