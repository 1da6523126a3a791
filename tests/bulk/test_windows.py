"""Windows: when recipients may be written to, in their own time; the zones of a number."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk import SendWindow
from sinch_wrapper.bulk._windows import (
    OpenZones,
    Zones,
    allows,
    is_open,
    last_departure,
    next_closing,
    next_opening,
    window_from,
)
from sinch_wrapper.bulk._zones import zones_of

pytestmark = pytest.mark.once

US, DAY = "08:00-21:00", "09:00-20:00"
TEXAS = "Mo-Sa 09:00-21:00, Su 12:00-21:00"
FRANCE, CANADA = "Mo-Sa 08:00-22:00", "Mo-Fr 09:00-21:30, Sa-Su 10:00-18:00"
# The recipient, a number or a zone; the moment; the window; when it leaves. Computed elsewhere,
# by stepping through the minutes with two implementations of time zones.
ROWS = [
    ("46701234567", "2026-12-01T08:00", DAY, "now"),
    ("46701234567", "2026-12-01T07:59", DAY, "2026-12-01T08:00"),
    ("46701234567", "2026-12-01T19:00", DAY, "2026-12-02T08:00"),
    ("12125550123", "2026-12-01T02:30", US, "2026-12-01T13:00"),
    ("12125550123", "2026-12-01T01:30", US, "now"),
    ("13055551234", "2026-12-01T01:30", "08:00-20:00", "2026-12-01T13:00"),
    ("12085551234", "2026-12-01T15:30", US, "2026-12-01T16:00"),
    ("15125551234", "2026-11-29T16:00", TEXAS, "2026-11-29T18:00"),
    ("33612345678", "2026-11-28T21:30", FRANCE, "2026-11-30T07:00"),
    ("14165551234", "2026-11-28T23:30", CANADA, "2026-11-29T15:00"),
    ("61412345678", "2026-12-01T03:00", DAY, "now"),
    ("79161234567", "2026-12-01T06:30", DAY, "2026-12-01T07:00"),
    ("18005551234", "2026-12-01T18:00", US, "2026-12-01T22:00"),
    ("80012345678", "2026-12-01T18:00", US, "never"),
    ("919812345678", "2026-12-01T03:29", DAY, "2026-12-01T03:30"),
    ("Europe/Stockholm", "2027-03-28T06:30", DAY, "2027-03-28T07:00"),
    ("Europe/Stockholm", "2027-03-28T00:30", "02:30-20:00", "2027-03-28T01:00"),
    ("America/New_York", "2027-03-14T12:15", US, "now"),
    ("Europe/Berlin", "2026-12-01T02:00", "22:00-06:00", "now"),
    ("Asia/Kathmandu", "2026-12-01T03:00", DAY, "2026-12-01T03:15"),
    ("Europe/London", "2026-12-04T18:00", "Mo-Fr 09:00-17:00", "2026-12-07T09:00"),
    ("Europe/Berlin", "2026-12-05T23:30", "Sa 22:00-02:00", "now"),
    ("Europe/Berlin", "2026-12-04T23:30", "Sa 22:00-02:00", "2026-12-05T21:00"),
]


def at(text: str) -> float:
    """Unix seconds of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def zones(who: str) -> Zones:
    """The zones of a number, or the one that is named."""
    return zones_of(who) if who.isdigit() else (who,)


@pytest.mark.parametrize(("who", "moment", "hours", "expected"), ROWS)
def test_next_moment(who: str, moment: str, hours: str, expected: str) -> None:
    """Nobody is written to before the clock on the wall, in each zone that is possible, allows."""
    found = next_opening(SendWindow(hours), zones(who), at(moment))
    wanted = {"now": at(moment), "never": None}.get(expected, -1.0)
    assert (at(expected) if wanted == -1.0 else wanted) == found


@pytest.mark.parametrize("zone", ["Europe/Stockholm", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hours", ["01:30-02:30", "22:00-02:15", "Su 02:30-03:30; Mo 00:00-24:00"])
@pytest.mark.parametrize("day", ["2027-03-27", "2026-10-31", "2027-04-03"])
def test_moments_are_those_of_the_clock_minute_by_minute(zone: str, hours: str, day: str) -> None:
    """Around a change of the clock, it opens and closes where stepping by minutes has it."""
    window, begin = SendWindow(hours), at(f"{day}T00:00")
    minutes = [begin + 60 * step for step in range(0, 2 * 24 * 60, 5)]
    allowed = [allows(window, datetime.fromtimestamp(each, ZoneInfo(zone))) for each in minutes]
    assert allowed == [is_open(window, (zone,), each) for each in minutes]
    for step in range(0, len(minutes) - 300, 37):
        found = next_opening(window, (zone,), minutes[step])
        later = [
            m
            for m, is_allowed in zip(minutes, allowed, strict=True)
            if is_allowed and m >= minutes[step]
        ]
        assert (found is None) == (not later) or found is not None
        if later and found is not None:
            assert later[0] - 300 < found <= later[0]
            closes = next_closing(window, (zone,), found)
            assert (True, False) == (
                is_open(window, (zone,), closes - 1),
                is_open(window, (zone,), closes),
            )


def test_quiet_days_are_those_of_the_recipient() -> None:
    """On a quiet day nothing leaves, and what would go over its midnight neither."""
    christmas = date(2026, 12, 25)
    day = SendWindow(DAY, quiet_days=[christmas])
    assert at("2026-12-26T08:00") == next_opening(day, ("Europe/Berlin",), at("2026-12-25T09:00"))
    night = SendWindow("22:00-06:00", quiet_days=[christmas])
    assert at("2026-12-26T21:00") == next_opening(night, ("Europe/Berlin",), at("2026-12-24T23:00"))


def test_zones_without_a_common_moment_never_open() -> None:
    """It is said, and not guessed, when no week has a moment that all zones allow."""
    found = next_opening(
        SendWindow("09:00-12:00"), ("Asia/Tokyo", "Europe/London"), at("2026-12-01T00:00")
    )
    assert found is None


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("46701234567", {"Europe/Stockholm"}),
        ("34612345678", {"Atlantic/Canary", "Europe/Madrid"}),
        ("74951234567", {"Europe/Moscow"}),
        ("18504321234", {"America/Chicago", "America/New_York"}),
        ("80012345678", set()),
        ("870123456789", set()),
        ("9999", set()),
    ],
)
def test_zones_of_a_number(digits: str, expected: set[str]) -> None:
    """A number has the zones in which its owner may be, and none when nothing is known."""
    assert expected == set(zones_of(digits))


@pytest.mark.parametrize(
    ("digits", "many"),
    [("79161234567", 16), ("61412345678", 8), ("447700900123", 4), ("15555550123", 42)],
)
def test_a_number_without_a_place_has_all_zones_of_its_country(digits: str, many: int) -> None:
    """A mobile number, a free one and one that is not valid may be anywhere in the country."""
    assert many == len(zones_of(digits))


@pytest.mark.parametrize(
    "hours",
    ["", "9-20", "09:00", "09:00-09:00", "24:00-06:00", "09:00-25:00", "09:60-10:00",
     "Xx 09:00-20:00", "Mo-Fr", [], ["09:00-20:00", 1], 5, None],
)  # fmt: skip
def test_what_is_no_window_is_refused(hours: object) -> None:
    """The error shows the form, and is raised before anything else happens."""
    with pytest.raises(BulkError, match=r"^window= must be hours such as "):
        SendWindow(hours)  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize(
    "options",
    [{"default_timezone": "Mars"}, {"default_timezone": ""}, {"quiet_days": ["2026-12-25"]},
     {"quiet_days": [datetime(2026, 12, 25, tzinfo=UTC)]}, {"quiet_days": 5}, {"schedule": "yes"}],
)  # fmt: skip
def test_other_parts_of_a_window_are_checked(options: dict[str, object]) -> None:
    """The error names the part."""
    with pytest.raises(BulkError, match=f"^{next(iter(options))}="):
        SendWindow(DAY, **options)  # type: ignore[arg-type]  # the mistake


def test_a_window_survives_the_journal() -> None:
    """What is read back is the same window."""
    window = SendWindow(
        ["Mo-Fr 09:00-20:00", "Sa 10:00-18:00"],
        "Europe/Berlin",
        [date(2026, 12, 25)],
        schedule=True,
    )
    assert window == window_from(window.as_json())


def test_a_request_leaves_only_when_its_last_message_is_inside() -> None:
    """Its messages take time to go out, and that must end before the window closes."""
    times = OpenZones(SendWindow(DAY))
    begin = at("2026-12-01T18:50")
    assert (0.0, 13 * 3600 + 600.0) == (
        times.wait(("Europe/Stockholm",), begin, 600.0),
        times.wait(("Europe/Stockholm",), begin, 601.0),
    )
    assert float("inf") == times.wait(("Europe/Stockholm",), begin, 12 * 3600.0)


def test_the_last_departure() -> None:
    """A million recipients at 20 a second need two days of eleven hours; two zones their own."""
    stockholm: Zones = ("Europe/Stockholm",)
    new_york: Zones = ("America/New_York",)
    nowhere: Zones = ()
    window, begin = SendWindow(DAY), at("2026-12-01T08:00")
    seconds = 1_000_000 / 20
    expected = begin + seconds + timedelta(hours=13).total_seconds()
    assert expected == last_departure(window, {stockholm: 1_000_000}, begin, 20)
    both = last_departure(window, {stockholm: 200, new_york: 200}, begin, 20)
    assert at("2026-12-01T14:00") + 10 == both
    assert last_departure(window, {nowhere: 5}, begin, 20) is None
