"""The made-up recipients of the demo, and what must become of them; pure."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOTAL: Final = 1000
TEXT: Final = "Hi ${name}, your parcel arrives today."
COLUMNS: Final = ("customer", "phone", "contact_id", "name")
PATIENCE: Final = 120.0
"""Seconds to wait for the last callback."""

_NAMES: Final = ("Ada", "Björn", "Chloé", "Dmitri", "Eve", "Fatima", "Grace", "Hiro", "Ines", "Jun")
# Rows that the demo spoils on purpose: every 97th, and so on.
_NAMELESS_EVERY: Final = 97
_STRANGER_EVERY: Final = 251
_UNREACHABLE_EVERY: Final = 83
_ORIGINAL, _COPY = 1, 789
_OPEN: Final = frozenset({"pending", "unknown", "accepted", "queued", "switching"})


@dataclass(frozen=True, slots=True)
class Summary:
    """How many recipients ended in each way: a state, and for failures the reason as well."""

    ends: Mapping[str, int]

    @property
    def total(self) -> int:
        """All recipients."""
        return sum(self.ends.values())

    @property
    def open(self) -> int:
        """How many recipients have no final state yet."""
        return sum(self.ends.get(state, 0) for state in _OPEN)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How the demo ended; *seconds* is the time it took, *page* the report, empty for none."""

    summary: Summary
    first_status: str
    callbacks: int
    faults: int
    seconds: float
    page: str = ""


def write_people(path: Path) -> None:
    """Write the file of recipients."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_people())


def expected() -> Summary:
    """How the recipients must end."""
    return Summary(Counter(_end(row) for row in range(TOTAL)))


def fault(summary: Summary, wanted: Summary) -> str:
    """What is wrong with *summary* in one line; empty when it is as *wanted*."""
    if summary.total != wanted.total:
        return f"the counts do not add up to {wanted.total}"
    if summary.open:
        return f"{summary.open} recipients had no final state after {PATIENCE:g} s"
    if summary != wanted:
        return "the recipients did not end as the demo expected"
    return ""


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
        # A contact that does not exist is only found out when the batch runs.
        stranger = f"01J0N0B0DY{row:016d}" if end == "failed: BAD_REQUEST" else ""
        name = "" if end == "invalid" else _NAMES[row % len(_NAMES)]
        yield f"C{row:04d}", "" if stranger else number, stranger, name
