"""The made-up recipients of the demo, and what must become of them; pure."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOTAL: Final = 2500
TEXT: Final = "Hi ${name}, your parcel arrives today."
COLUMNS: Final = ("customer", "phone", "contact_id", "name")

_NAMES: Final = ("Ada", "Björn", "Chloé", "Dmitri", "Eve", "Fatima", "Grace", "Hiro", "Ines", "Jun")
# Rows that the demo spoils on purpose, one in so many.
_NAMELESS_EVERY: Final = 97
_STRANGER_EVERY: Final = 251
_UNREACHABLE_EVERY: Final = 83
_ORIGINAL, _COPY = 1, 1234
_OPEN: Final = frozenset({"pending", "unknown", "accepted", "queued", "switching"})


@dataclass(frozen=True, slots=True)
class Summary:
    """How many recipients ended how: a state, and for failures the reason too."""

    ends: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.ends.values())

    @property
    def open(self) -> int:
        """How many have no end yet."""
        return sum(self.ends.get(state, 0) for state in _OPEN)


def write_people(path: Path) -> None:
    """Write the file of recipients."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_people())


def expected() -> Summary:
    """Return how the recipients must end."""
    return Summary(Counter(_end(row) for row in range(TOTAL)))


def _end(row: int) -> str:
    if row == _COPY:
        return "duplicate"
    if row % _NAMELESS_EVERY == 0:
        return "invalid"
    if row % _STRANGER_EVERY == 0:
        return "failed: BAD_REQUEST"
    return "failed: RECIPIENT_NOT_REACHABLE" if row % _UNREACHABLE_EVERY == 0 else "delivered"


def _people() -> Iterator[tuple[str, str, str, str]]:
    for row in range(TOTAL):
        end = _end(row)
        # The sandbox cannot reach numbers that end in 000.
        number = f"+4670{_ORIGINAL if end == 'duplicate' else row:04d}"
        number += "000" if end == "failed: RECIPIENT_NOT_REACHABLE" else "123"
        # A contact that nobody knows is found out when the batch runs.
        stranger = f"01J0N0B0DY{row:016d}" if end == "failed: BAD_REQUEST" else ""
        name = "" if end == "invalid" else _NAMES[row % len(_NAMES)]
        yield f"C{row:04d}", "" if stranger else number, stranger, name
