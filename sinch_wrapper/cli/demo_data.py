"""The made-up recipients of the demo, and what must become of them; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from sinch_wrapper import Recipient
from sinch_wrapper.cli.ledger import ROW, Summary

__all__ = ["TEXT", "TOTAL", "chunks", "expected"]

TOTAL = 2500
TEXT = "Hi ${name}, your parcel arrives today."

_CHUNK = 1000
_NAMES = ("Ada", "Björn", "Chloé", "Dmitri", "Eve", "Fatima", "Grace", "Hiro", "Ines", "Jun")
# Rows that the demo spoils on purpose, one in so many.
_UNREACHABLE_EVERY = 83
_NAMELESS_EVERY = 97


def chunks() -> Iterator[tuple[int, list[dict[str, object]]]]:
    """Yield the first row and the recipients of each batch."""
    for first in range(0, TOTAL, _CHUNK):
        yield first, [_recipient(row) for row in range(first, min(first + _CHUNK, TOTAL))]


def expected() -> Summary:
    """Return how the recipients must end."""
    ends = Counter(_end(row) for row in range(TOTAL))
    delivered = ends.pop("")
    return Summary(TOTAL, delivered, dict(ends), 0)


def _end(row: int) -> str:
    if row % _NAMELESS_EVERY == 0:
        return "BAD_REQUEST"
    return "RECIPIENT_NOT_REACHABLE" if row % _UNREACHABLE_EVERY == 0 else ""


def _recipient(row: int) -> dict[str, object]:
    ending = "000" if row % _UNREACHABLE_EVERY == 0 else "123"
    return {
        "recipient": Recipient.sms(f"+4670{row:04d}{ending}"),
        "parameters": _parameters(row),
        "message_metadata": {ROW: row},
    }


def _parameters(row: int) -> Mapping[str, str]:
    if row % _NAMELESS_EVERY:
        return {"name": _NAMES[row % len(_NAMES)]}
    # A missing value and an empty one fail alike.
    return {"name": ""} if row % 2 else {}
