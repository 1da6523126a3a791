"""Requests by time zones: each holds recipients for whom the window opens at the same time.

The journal has the recipients in the order of the input; here they are put into requests of their
own for each group of zones, those that open first at the beginning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from sqlalchemy import bindparam, update

from sinch_wrapper._json import encode
from sinch_wrapper._numbers import channel_identities, digits_of
from sinch_wrapper.bulk._chunks import NewChunk
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._metadata import TIMEZONE_MARK
from sinch_wrapper.bulk._pieces import FIRST, LEAST, Entry, entries_of, request_of
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._rows_fast import by_bytes
from sinch_wrapper.bulk._schema import bodies, chunks
from sinch_wrapper.bulk._windows import SendWindow, Zones, is_timezone, next_opening
from sinch_wrapper.bulk._zones import zones_of

# Requests that are read together, and recipients that wait in memory for a request of their own.
_PAGE: Final = 20
_MOST_WAITING: Final = 20_000
# While they are rewritten, requests have numbers from here on, a range for each group.
_NEW: Final = 1 << 40
_RANGE: Final = 1 << 24
_NO_ZONE: Final = (
    "has no time zone that is known: name a column of time zones with timezone=, or a "
    "default with default_timezone="
)
_NEVER: Final = "no moment of the week is in the window in all the time zones that are possible"
_NO_NAME: Final = "is not the IANA name of a time zone, such as Europe/Stockholm"


@dataclass(frozen=True, slots=True)
class ZoneGroup:
    """The requests from number *first* to *last*, and the zones of their recipients."""

    first: int
    last: int
    zones: Zones

    def as_json(self) -> list[object]:
        """The JSON form, for the journal."""
        return [self.first, self.last, list(self.zones)]


def groups_of(facts: Mapping[str, object]) -> list[ZoneGroup]:
    """The groups of the job with these *facts*; raises ValueError or TypeError for damaged ones."""
    found = facts.get("zones")
    if not isinstance(found, list):
        return []
    return [ZoneGroup(int(first), int(last), tuple(zones)) for first, last, zones in found]


class RecipientZones:
    """Tells the time zones of recipients, and who cannot be sent to in *window*."""

    def __init__(self, window: SendWindow, moment: float, column: str = "") -> None:
        self._window = window
        self._moment = moment
        self._column = column
        self._known = cache(self._checked)

    def of(self, item: Mapping[str, object]) -> tuple[Zones, str]:
        """The zones of the recipient in *item*, or what is wrong."""
        metadata = item.get("message_metadata")
        own = metadata.get(TIMEZONE_MARK) if isinstance(metadata, Mapping) else None
        if isinstance(own, str) and own.strip():
            zones = tuple(sorted(own.split()))
            return self._known(zones) if all(map(is_timezone, zones)) else ((), _NO_NAME)
        return self._known(_zones_of_recipient(item.get("recipient")))

    def skip(self, line: int, key: str | None, fault: str) -> Skip:
        """The row that is left out."""
        return Skip(line, key, fault, self._column if fault == _NO_NAME else "")

    def _checked(self, zones: Zones) -> tuple[Zones, str]:
        default = self._window.default_timezone
        if zones and self._opens(zones):
            return zones, ""
        if default is not None and self._opens((default,)):
            return (default,), ""
        return (), _NEVER if zones or default else _NO_ZONE

    def _opens(self, zones: Zones) -> bool:
        return next_opening(self._window, zones, self._moment) is not None


def _zones_of_recipient(recipient: object) -> Zones:
    """The zones of all numbers of *recipient*."""
    numbers = {digits_of(str(each.get("identity"))) for each in channel_identities(recipient)}
    return tuple(sorted({zone for number in numbers if number for zone in zones_of(number)}))


class ZoneGrouping:
    """Puts the recipients in *journal* into requests by zones, as *zones* tells them.

    A request has at most *size* recipients and *limit* bytes.
    """

    def __init__(self, journal: Journal, zones: RecipientZones, size: int, limit: int) -> None:
        self._journal = journal
        self._zones = zones
        self._size = size
        self._limit = limit
        self._waiting: dict[Zones, list[Entry]] = {}
        self._made: dict[Zones, int] = {}
        self._count: dict[Zones, int] = {}

    @property
    def counts(self) -> Mapping[Zones, int]:
        """The number of recipients by their zones."""
        return self._count

    def run(self) -> Iterator[Skip]:
        """Rewrite all requests; returns the rows that are left out."""
        for page in self._journal.pages(_PAGE):
            found = [each for each in page if each.id < _NEW]
            if not found:
                break
            new: list[NewChunk] = []
            gone: list[Skip] = []
            with self._journal.write() as connection:
                for chunk in found:
                    for entry in entries_of(*self._journal.body(connection, chunk.id)):
                        gone += self._sort(entry)
                    self._journal.replace(connection, NewChunk(chunk.id, 0, b"", b""))
                    new += self._full()
                self._journal.add(connection, new)
                self._journal.skip(connection, gone)
            yield from gone
        rest = [each for zones in self._waiting for each in self._cut(zones)]
        with self._journal.write() as connection:
            self._journal.add(connection, rest)

    def _sort(self, entry: Entry) -> list[Skip]:
        item, line, key = entry
        zones, fault = self._zones.of(item)
        if fault:
            return [self._zones.skip(line, key, fault)]
        metadata = item.get("message_metadata")
        if isinstance(metadata, dict):
            metadata.pop(TIMEZONE_MARK, None)
        self._waiting.setdefault(zones, []).append(entry)
        self._count[zones] = self._count.get(zones, 0) + 1
        return []

    def _full(self) -> Iterator[NewChunk]:
        """Requests of groups that are full, and of the largest when too many wait."""
        for zones in self._waiting:
            while len(self._waiting[zones]) >= self._size:
                yield from self._cut(zones)
        while sum(map(len, self._waiting.values())) > _MOST_WAITING:
            yield from self._cut(max(self._waiting, key=lambda zones: len(self._waiting[zones])))

    def _cut(self, zones: Zones) -> Iterator[NewChunk]:
        entries = self._waiting[zones]
        self._waiting[zones], some = entries[self._size :], entries[: self._size]
        for part, _ in by_bytes(some, _encoded, self._limit) if some else ():
            number = self._made[zones] = self._made.get(zones, -1) + 1
            yield request_of(self._place(zones, number), part, is_messages=True)

    def number(self, opens: Mapping[Zones, float], *, in_pieces: bool) -> list[ZoneGroup]:
        """Give the requests their numbers, those that open first at the beginning.

        The first recipients get requests of their own when the job goes *in_pieces*.
        """
        order = sorted(self._made, key=lambda zones: (opens[zones], -self._count[zones]))
        first = self._first_pieces(order[0]) if order and in_pieces else 0
        groups: list[ZoneGroup] = []
        moves: list[dict[str, int]] = []
        for zones in order:
            many, old = self._made[zones] + 1, self._place(zones, 0)
            moves += [{"old": old + at, "new": first + at} for at in range(many)]
            groups.append(ZoneGroup(first if groups else 0, first + many - 1, zones))
            first += many
        with self._journal.write() as connection:
            for table, name in ((chunks, "id"), (bodies, "chunk")):
                query = update(table).where(table.c[name] == bindparam("old"))
                if moves:
                    connection.execute(query.values({name: bindparam("new")}), moves)
        return groups

    def _first_pieces(self, zones: Zones) -> int:
        """Take the first recipients of a group into requests of their own; returns how many."""
        place = self._place(zones, 0)
        with self._journal.write() as connection:
            entries = entries_of(*self._journal.body(connection, place))
            if sum(self._count.values()) < LEAST or len(entries) <= FIRST:
                return 0
            rest = request_of(place, entries[FIRST:], is_messages=True)
            self._journal.replace(connection, rest)
            singles = [request_of(at, [entries[at]], is_messages=True) for at in range(FIRST)]
            self._journal.add(connection, singles)
        return FIRST

    def _place(self, zones: Zones, at: int) -> int:
        return _NEW + [*self._count].index(zones) * _RANGE + at


def last_zones(journal: Journal, groups: Sequence[ZoneGroup], many: int) -> list[Zones]:
    """The zones of the last *many* recipients, in order."""
    with journal.read() as connection:
        ends = journal.last(connection, many)
    found = [group_of(groups, chunk.id) for chunk in ends for _ in range(min(many, chunk.count))]
    return found[:many][::-1]


def with_held(groups: Sequence[ZoneGroup], held: int, zones: Sequence[Zones]) -> list[ZoneGroup]:
    """*groups* whose last recipients, of *zones*, have got requests of their own from *held* on."""
    kept = [replace(each, last=min(each.last, held - 1)) for each in groups if each.first < held]
    return kept + [ZoneGroup(held + at, held + at, each) for at, each in enumerate(zones)]


def with_split(groups: Sequence[ZoneGroup], number: int) -> list[ZoneGroup]:
    """*groups* after a request was divided, whose second part has got this *number*."""
    found = []
    for each in groups:
        first, last = each.first + (each.first >= number), each.last + (each.last >= number - 1)
        found.append(ZoneGroup(first, last, each.zones))
    return found


def group_of(groups: Sequence[ZoneGroup], number: int) -> Zones:
    """The zones of the request with this *number*."""
    return next((each.zones for each in groups if each.first <= number <= each.last), ())


def _encoded(entries: Sequence[Entry]) -> bytes:
    return encode([item for item, _, _ in entries])
