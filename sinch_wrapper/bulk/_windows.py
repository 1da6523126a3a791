"""When recipients may be written to: hours, days and time zones; pure.

A window is compared with what the clock on the wall shows to the recipient. Where several time
zones are possible, a moment counts only when all of them allow it. Moments are Unix seconds.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from sinch_wrapper import _validate
from sinch_wrapper.errors import BulkArgumentError

Zones: TypeAlias = tuple[str, ...]
"""The time zones in which a recipient may be, by their IANA names, in order."""

_DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY: Final = r"[A-Za-z]{2,9}"
_RULE: Final = re.compile(
    rf"\s*(?:({_DAY}(?:\s*-\s*{_DAY})?(?:\s*,\s*{_DAY}(?:\s*-\s*{_DAY})?)*)\s+)?"
    r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)\s*"
)
_FORM: Final = 'hours such as "09:00-20:00" or "Mo-Fr 09:00-20:00; Sa 10:00-18:00"'
_WHOLE_DAY: Final = 24 * 60
_DAY_SECONDS: Final = 86400.0
# Hours repeat after a week, and a change of the clock may close one of its days.
_HORIZON: Final = 8
# Quiet days in a row that are looked over.
_MOST_QUIET: Final = 400


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Hours on some days: minutes from midnight, the end exclusive.

    An end before the beginning is on the next day, and belongs to the day on which it began.
    """

    days: frozenset[int]
    opens: int
    closes: int

    def holds(self, day: int, minute: float) -> bool:
        """Whether they are open at *minute* of the weekday *day*."""
        if self.opens < self.closes:
            return day in self.days and self.opens <= minute < self.closes
        return (day in self.days and minute >= self.opens) or self.reaches(day, minute)

    def reaches(self, day: int, minute: float) -> bool:
        """Whether *minute* of *day* is in hours that began the day before."""
        return self.opens > self.closes and (day - 1) % 7 in self.days and minute < self.closes


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The hours in which messages may leave, in the recipient's own time.

    Args:
        hours: such as `"09:00-20:00"`, or `"Mo-Fr 09:00-20:00; Sa 10:00-18:00"`, or a list of
            such. The end is exclusive; `"22:00-06:00"` goes over midnight.
        default_timezone: the IANA name of the zone of those for whom none is known. Without it
            they cannot be sent to.
        quiet_days: dates, in the recipient's time, on which nothing leaves.
        schedule: hand requests over at once, with the time at which their window opens as
            `send_after`, instead of waiting for it; as far as the API's seven days reach. Who
            opts out after that gets the message all the same.

    Raises: BulkArgumentError for what is not such a value, or a time zone that does not exist.
    """

    hours: str | Sequence[str]
    default_timezone: str | None = None
    quiet_days: Collection[date] = ()
    schedule: bool = False
    open: tuple[OpenHours, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "open", tuple(_parsed(self.hours)))
        if self.default_timezone is not None:
            _validate.string("default_timezone", self.default_timezone, error=BulkArgumentError)
            if not is_timezone(self.default_timezone):
                wanted = "the IANA name of a time zone, such as Europe/Stockholm"
                raise _validate.out_of_range("default_timezone", wanted, BulkArgumentError)
        days = _validate.items(
            "quiet_days", self.quiet_days, may_be_empty=True, error=BulkArgumentError
        )
        if any(not isinstance(day, date) or isinstance(day, datetime) for day in days):
            raise _validate.out_of_range("quiet_days", "a list of dates", BulkArgumentError)
        object.__setattr__(self, "quiet_days", frozenset(days))
        _validate.boolean("schedule", self.schedule, error=BulkArgumentError)

    def as_json(self) -> dict[str, object]:
        """The JSON form, for the journal."""
        return {
            "hours": self.hours if isinstance(self.hours, str) else list(self.hours),
            "default_timezone": self.default_timezone,
            "quiet_days": sorted(day.isoformat() for day in self.quiet_days),
            "schedule": self.schedule,
        }


def allows(window: SendWindow, local: datetime) -> bool:
    """Whether messages may leave when the clock on the wall shows *local*."""
    if local.date() in window.quiet_days:
        return False
    day, minute = local.weekday(), local.hour * 60 + local.minute
    is_quiet = local.date() - timedelta(days=1) in window.quiet_days
    return any(
        each.holds(day, minute) and not (is_quiet and each.reaches(day, minute))
        for each in window.open
    )


def _minutes(window: SendWindow) -> frozenset[int]:
    """The minutes of a day at which it may open or close."""
    found = {minute for each in window.open for minute in (each.opens, each.closes)}
    return frozenset(minute % _WHOLE_DAY for minute in (0, *found))


def window_from(value: object) -> SendWindow | None:
    """Undo as_json(); None for None. Raises: ValueError or TypeError for a damaged window."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError("not a window")
    days = [date.fromisoformat(day) for day in value["quiet_days"]]
    return SendWindow(value["hours"], value["default_timezone"], days, bool(value["schedule"]))


def _parsed(hours: object) -> Iterator[OpenHours]:
    given = [hours] if isinstance(hours, str) else hours
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise _validate.wrong_kind("window", _FORM, hours, BulkArgumentError)
    rules = [rule for each in given for rule in re.split(r";|,(?=\s*(?:\S+\s+)?\d)", each)]
    if not rules:
        raise _validate.out_of_range("window", _FORM, BulkArgumentError)
    for rule in rules:
        found = _RULE.fullmatch(rule)
        days = _days(found[1]) if found else frozenset[int]()
        opens, closes = (
            (_minute(*found.group(2, 3)), _minute(*found.group(4, 5))) if found else (0, 0)
        )
        if not days or opens in (closes, _WHOLE_DAY) or max(opens, closes) > _WHOLE_DAY:
            raise _validate.out_of_range("window", _FORM, BulkArgumentError)
        yield OpenHours(days, opens, closes)


def _minute(hour: str, minute: str) -> int:
    return int(hour) * 60 + int(minute) if int(minute) < 60 else _WHOLE_DAY + 1  # noqa: PLR2004 (minutes of an hour)


def _days(text: str | None) -> frozenset[int]:
    """The weekdays of `Mo-Fr,Su`; all for None, none for what is no such text."""
    if text is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        names = [each.strip()[:2] for each in part.split("-")]
        if not set(names) <= set(_DAYS):
            return frozenset()
        first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
        found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return frozenset(found)


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_timezone(name: str) -> bool:
    """Whether *name* is the IANA name of a time zone that this machine knows."""
    return name in _known_zones()


def is_open(window: SendWindow, zones: Zones, moment: float) -> bool:
    """Whether all *zones* allow *moment*; without a zone none does."""
    known = datetime.fromtimestamp(moment, UTC)
    return bool(zones) and all(allows(window, known.astimezone(ZoneInfo(zone))) for zone in zones)


def next_opening(window: SendWindow, zones: Zones, moment: float) -> float | None:
    """The first moment from *moment* on that all *zones* allow; None when no week has one."""
    if is_open(window, zones, moment):
        return moment
    return next((at for at in _changes(window, zones, moment) if is_open(window, zones, at)), None)


def next_closing(window: SendWindow, zones: Zones, moment: float) -> float:
    """The first moment after *moment*, which is allowed, that is not; infinity for never."""
    changes = _changes(window, zones, moment)
    closed = (at for at in changes if not is_open(window, zones, at))
    return next(closed, float("inf"))


def _changes(window: SendWindow, zones: Zones, after: float) -> Iterator[float]:
    """The moments after *after* at which the clock of a zone may come into or out of the window."""
    for day in range(_HORIZON + _quiet(window)):
        begin = after + day * _DAY_SECONDS
        end = begin + _DAY_SECONDS
        found = {at for zone in zones for at in _edges(window, zone, begin)}
        yield from sorted(at for at in found if begin < at <= end)


def _quiet(window: SendWindow) -> int:
    """How many quiet days are looked over at the most."""
    return min(len(window.quiet_days), _MOST_QUIET)


def _edges(window: SendWindow, zone: str, begin: float) -> Iterator[float]:
    """The edges of the local days around *begin*, and changes of the clock there."""
    clock = ZoneInfo(zone)
    today = datetime.fromtimestamp(begin, clock).date()
    for day in (today + timedelta(days=step) for step in (-1, 0, 1, 2)):
        midnight = datetime.combine(day, time(), clock)
        for minute in _minutes(window):
            local = midnight.replace(hour=minute // 60, minute=minute % 60)
            # Twice when the clock goes back; the same moment otherwise.
            yield local.timestamp()
            yield local.replace(fold=1).timestamp()
        yield from _shift(clock, midnight.timestamp())


def _shift(clock: ZoneInfo, begin: float) -> Iterator[float]:
    """The moment within a day of *begin* at which the clock is changed, if there is one."""
    end = begin + _DAY_SECONDS
    before = datetime.fromtimestamp(begin, clock).utcoffset()
    if datetime.fromtimestamp(end, clock).utcoffset() == before:
        return
    while end - begin > 1:
        middle = (begin + end) // 2
        is_before = datetime.fromtimestamp(middle, clock).utcoffset() == before
        begin, end = (middle, end) if is_before else (begin, middle)
    yield end


class OpenZones:
    """Which groups of recipients may be sent to, remembered until a window opens or closes."""

    def __init__(self, window: SendWindow) -> None:
        self._window = window
        # When it was asked, when it opens and closes.
        self._known: dict[Zones, tuple[float, float, float]] = {}

    def times(self, zones: Zones, now: float) -> tuple[float, float]:
        """When *zones* open next, which is in the past while they are open, and when they close.

        Both are infinite when they never open.
        """
        asked, opens, closes = self._known.get(zones, (0.0, 0.0, 0.0))
        if not asked <= now < closes:
            found = next_opening(self._window, zones, now)
            opens = float("inf") if found is None else found
            closes = opens if found is None else next_closing(self._window, zones, found)
            self._known[zones] = now, opens, closes
        return opens, closes

    def wait(self, zones: Zones, now: float, lasts: float) -> float:
        """Seconds until a request to *zones* may leave whose messages take *lasts* seconds."""
        opens, closes = self.times(zones, now)
        if max(opens, now) + lasts <= closes:
            return max(0.0, opens - now)
        later = self._next_long_enough(zones, closes, lasts)
        return later - now

    def _next_long_enough(self, zones: Zones, after: float, lasts: float) -> float:
        limit = after + _HORIZON * _DAY_SECONDS * (1 + _quiet(self._window))
        while after < limit:
            opens = next_opening(self._window, zones, after)
            if opens is None:
                break
            closes = next_closing(self._window, zones, opens)
            if opens + lasts <= closes:
                return opens
            after = closes
        return float("inf")


def last_departure(
    window: SendWindow,
    groups: Mapping[Zones, int] | Iterable[tuple[Zones, int]],
    begin: float,
    drain: float,
) -> float | None:
    """When the last message goes out, of a job that begins at *begin*; None for never.

    *groups* has the number of recipients of each group of zones, and *drain* messages go out per
    second. Groups that are open go in the given order.
    """
    left = {zones: count for zones, count in dict(groups).items() if count}
    times, now = OpenZones(window), begin
    while left:
        spans = {zones: times.times(zones, now) for zones in left}
        opened = next((zones for zones in left if spans[zones][0] <= now), None)
        if opened is None:
            now = min(opens for opens, _ in spans.values())
            if now == float("inf"):
                return None
            continue
        ends = min(now + left[opened] / drain, spans[opened][1])
        sent = left[opened] if ends < spans[opened][1] else (ends - now) * drain
        left[opened] -= sent  # type: ignore[assignment]  # a share of a message, in between
        now = ends
        if left[opened] <= 0.5:  # noqa: PLR2004 (half a message: rounding)
            del left[opened]
    return now
