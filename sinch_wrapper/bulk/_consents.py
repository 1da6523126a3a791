"""Who has opted out by the lists of the API, for jobs that ask for them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sinch_wrapper._numbers import digits_of
from sinch_wrapper.bulk._addresses import address_key
from sinch_wrapper.bulk._calls import BatchCall, Done
from sinch_wrapper.errors import BulkError, NotFoundError
from sinch_wrapper.messages import CHANNELS

_LISTS: Final = ("OPT_OUT_ALL", "OPT_OUT_MARKETING", "OPT_OUT_NOTIFICATION")
# The most that the API gives at once.
_PAGE: Final = 50


def consent_keys(app_id: str, ask: Callable[[BatchCall], Done]) -> Iterator[str]:
    """The keys of all people on a list of opt-outs of the app; *ask* makes a call.

    Source: Sinch documentation, Consent management: lists of opt-outs for all, for marketing and
    for notification messages, and identities without their channel.

    Raises: BulkError when the app has no such lists, SinchError when they cannot be read.
    """
    for name in _LISTS:
        token = ""
        while True:
            found = _page(app_id, name, token, ask)
            for each in _listed(found, "identities"):
                yield from _keys_of_identity(getattr(each, "identity", None))
            following = getattr(found, "next_page_token", None)
            if not isinstance(following, str) or not following or following == token:
                break
            token = following


def _page(app_id: str, name: str, token: str, ask: Callable[[BatchCall], Done]) -> object:
    where: Mapping[str, object] = {"app_id": app_id, "list_type": name, "page_size": _PAGE}
    more = {"page_token": token} if token else {}
    try:
        return ask(
            BatchCall("consents", "consent", "get_consents", {**where, **more}, -1, 0)
        ).result()
    except NotFoundError:
        raise BulkError(
            "the app has no lists of opt-outs, nothing was sent: switch consent management on, or "
            "leave out consents="
        ) from None


def _listed(found: object, name: str) -> list[object]:
    listed = getattr(found, name, None)
    return listed if isinstance(listed, list) else []


def _keys_of_identity(identity: object) -> list[str]:
    if not isinstance(identity, str) or not identity.strip():
        return []
    digits = digits_of(identity)
    # Whose channel is not said: it may be any that knows people by something else.
    return [digits] if digits else [address_key(channel, identity) for channel in CHANNELS]
