"""What a suppression list knows people by: the digits of a number, whatever the channel; pure.

Who opts out by WhatsApp or RCS gets no SMS either. Any other identity belongs to one channel, and a
contact to its id.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, cast

from sinch_wrapper._json import decode
from sinch_wrapper._numbers import PHONE_CHANNELS, NumberRules, channel_identities, digits_of

# Callbacks may name Viber by its older name.
_PHONES: Final = PHONE_CHANNELS | {"VIBER"}
# One number as this library writes it, and the field of any identity.
_NUMBER: Final = re.compile(
    rb'\{"channel":"(?:%s)","identity":"\+?([1-9][0-9]{6,14})"\}'
    % "|".join(sorted(_PHONES)).encode()
)
_CANONICAL: Final = NumberRules()
_FIELDS: Final = (b'"identity"', b'"contact_id"')


@lru_cache(maxsize=4096)
def address_key(channel: str, identity: str) -> str:
    """The key of an identity."""
    digits = digits_of(identity) if channel.upper() in _PHONES else ""
    return digits or f"{channel.upper()}:{identity.strip()}"


def contact_key(contact_id: str) -> str:
    """The key of a contact."""
    return f"CONTACT:{contact_id.strip()}"


def recipient_keys(recipient: object) -> Iterator[str]:
    """The keys of one recipient, in the form of the API: of each identity, or of the contact."""
    if not isinstance(recipient, Mapping):
        return
    contact = recipient.get("contact_id")
    if isinstance(contact, str) and contact:
        yield contact_key(contact)
    for each in channel_identities(recipient):
        yield address_key(str(each.get("channel")), str(each.get("identity")))


def request_keys(items: bytes) -> Sequence[str]:
    """The keys of all recipients of a request, whose items are JSON.

    What this library writes by itself is read without making objects of it.
    """
    found = _NUMBER.findall(items)
    if found and len(found) == sum(map(items.count, _FIELDS)):
        digits = b"\n".join(found).decode().split("\n")
        if _CANONICAL.are_clean([f"+{each}" for each in digits]):
            return digits
    entries = cast("list[dict[str, object]]", decode(items))
    return [key for entry in entries for key in recipient_keys(entry.get("recipient"))]
