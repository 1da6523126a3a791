"""Jobs with windows, a pilot and a brake: what leaves when, and what is reported."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk import Columns, JournalFollower, MessageLimits, SendWindow
from sinch_wrapper.bulk._pilot import Ends, PilotVerdict, judge_pilot, must_brake
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, positions, receipt, sent_to
from tests.helpers.callbacks import eventually

__all__ = ["make_bulk"]

DAY = "09:00-20:00"
SWEDEN, NEW_YORK = "+46701{:06d}", "+1212555{:04d}"


def at(text: str) -> float:
    """Unix seconds of a time in UTC on the first day of December."""
    return datetime.fromisoformat(f"2026-12-01T{text}").replace(tzinfo=UTC).timestamp()


def people(*forms: str, many: int = 2) -> list[dict[str, str]]:
    """Recipients in turn from each country."""
    return [
        {"phone": form.format(number), "name": f"N{number}"}
        for number in range(many)
        for form in forms
    ]


def test_everybody_is_written_to_in_their_own_window(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Who sleeps waits, over a stop and a resume, and gets the message once."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("08:00"))
    mixed = people(SWEDEN, NEW_YORK, many=3)
    first = bulk.go(mixed, job=job, window=DAY, deadline=1.5, concurrency=1)
    assert ("deadline", 3, 3) == (first.stopped, first.accepted, first.pending)
    assert [row["phone"] for row in mixed[::2]] == sent_to(api)
    assert [["0", "1"], ["0"]] == positions(api)
    bulk.at(at("14:00"))
    report = bulk.resume(job)
    assert (6, True, {1}) == (report.accepted, report.complete, set(api.accepted.values()))
    assert [["0", "1"], ["0"]] * 2 == positions(api)


def test_a_window_that_opens_lets_the_others_go(make_bulk: MakeBulk) -> None:
    """The job waits by itself until it opens, and doubts wait with it."""
    api = FakeBatchApi("lost")
    bulk = make_bulk(api)
    bulk.at(at("08:00"))

    def open_soon(*_: object) -> None:
        threading.Timer(0.4, lambda: bulk.at(at("14:00"))).start()

    api.on_send = open_soon
    report = bulk.go(people(SWEDEN, NEW_YORK), window=DAY, chunk_size=1)
    assert (4, True) == (report.accepted, report.complete)
    assert {1} == set(api.accepted.values())


def test_the_last_message_of_a_request_must_be_inside(make_bulk: MakeBulk) -> None:
    """At 19:59 there is time for a request of two, not for more than the queue drains."""
    api = FakeBatchApi()
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("18:59"))
    limits = MessageLimits(drain=0.04)
    report = bulk.go(people(SWEDEN, many=6), window=DAY, limits=limits, deadline=1.5)
    # Two take 50 s; with those that wait in the queue of the app the next two would take 100 s.
    assert (2, 4) == (report.accepted, report.pending)
    with pytest.raises(BulkError, match="longer than the window is open: use smaller ones"):
        bulk.go(people(SWEDEN, many=6), window=DAY, limits=MessageLimits(drain=1e-5))


def test_a_column_of_time_zones_wins(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Where it is filled it counts, else the number; it does not leave."""
    source = tmp_path / "people.csv"
    lines = ["phone,name,zone", "+46701000000,A,America/New_York", "+12125550000,B,Europe/Berlin"]
    lines += ["+46701000001,C,", ""]
    source.write_text("\n".join(lines), encoding="utf-8")
    api = FakeBatchApi()
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("08:00"))
    given = {"columns": Columns(timezone="zone"), "window": DAY, "deadline": 1.0}
    report = bulk.go(source, **given)
    assert ({"+12125550000", "+46701000001"}, 1) == (set(sent_to(api)), report.pending)
    assert "zone" not in str(api.sent)
    flat = [{"phone": "+46701000002", "name": "D", "zone": "America/Lima"}]
    assert 1 == bulk.go(flat, **given).pending


@pytest.mark.parametrize(
    ("row", "window", "words"),
    [
        (",+46701000000,Mars/Base", DAY, "line 2, zone: is not the IANA name of a time zone"),
        (",+46701000000,+01:00", DAY, "line 2, zone: is not the IANA name of a time zone"),
        (",+80012345678,", DAY, "line 2: has no time zone that is known: name a column"),
        (",+18005551234,", "09:00-12:00", "line 2: no moment of the week is in the window"),
    ],
)
def test_who_can_never_be_written_to_is_refused(
    make_bulk: MakeBulk, tmp_path: Path, row: str, window: str, words: str
) -> None:
    """The line is named and nothing is sent; or it is left out; a default may take it in."""
    source = tmp_path / "people.csv"
    source.write_text(f"name,phone,zone\nA{row}\nB,+46701000001,\n", encoding="utf-8")
    api = FakeBatchApi()
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("08:00"))
    given: dict[str, Any] = {"columns": Columns(timezone="zone"), "deadline": 20.0}
    with pytest.raises(BulkError, match=words):
        bulk.go(source, window=window, **given)
    assert [] == api.sent
    report = bulk.go(source, window=window, on_invalid="skip", **given)
    assert (1, 1, ["+46701000001"]) == (report.accepted, report.invalid, sent_to(api))
    if "IANA" not in words:
        default = SendWindow(window, default_timezone="Europe/Stockholm")
        assert 2 == bulk.go(source, window=default, **given).accepted


def test_scheduling_hands_requests_over_at_once(make_bulk: MakeBulk) -> None:
    """Those whose window is closed leave with the time at which it opens, and not in a crowd."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bulk.at(at("08:00"))
    window = SendWindow("09:00-09:30", schedule=True)
    limits = MessageLimits(drain=1 / 600)
    report = bulk.go(people(SWEDEN, NEW_YORK, many=4), window=window, limits=limits, concurrency=1)
    assert 8 == report.accepted
    found = [body.get("send_after", "now") for body in api.sent]
    # Two messages take twenty minutes, so that a window of thirty takes two.
    expected = [
        *("now", "2026-12-02T08:00:00Z", "2026-12-01T14:00:00Z", "2026-12-02T14:00:00Z"),
    ]
    assert expected == found


@pytest.mark.parametrize(("quiet", "opens"), [(6, 7), (7, 8), (12, 13)])
def test_what_opens_beyond_seven_days_is_handed_over_later(
    make_bulk: MakeBulk, tmp_path: Path, quiet: int, opens: int
) -> None:
    """The API takes no time that is farther off; until it is near enough, nothing leaves."""
    api = FakeBatchApi()
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("08:00"))
    days = [date(2026, 12, day) for day in range(1, quiet + 1)]
    window = SendWindow(DAY, quiet_days=days, schedule=True)
    given: dict[str, Any] = {"recipients": people(SWEDEN), "job": tmp_path / "job.db"}
    report = bulk.go(window=window, deadline=1.0, **given)
    is_near = opens - 1 < 7
    assert (2 * is_near, 2 * (not is_near)) == (report.accepted, report.pending)
    bulk.at(at("08:00") + (opens - 7) * 86_400)
    assert 2 == bulk.go(window=window, **given).accepted
    assert [f"2026-12-{opens:02}T08:00:00Z"] == [body["send_after"] for body in api.sent]


def test_a_time_to_send_moves_into_the_window(make_bulk: MakeBulk) -> None:
    """send_after= is the earliest moment; where it is outside, the next opening."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bulk.at(at("08:00"))
    moment = datetime.fromtimestamp(at("10:00"), UTC)
    bulk.go(people(SWEDEN, NEW_YORK), window=DAY, send_after=moment, concurrency=1)
    found = [body["send_after"] for body in api.sent]
    assert ["2026-12-01T10:00:00Z", "2026-12-01T14:00:00Z"] == found


def test_quiet_days_wait(make_bulk: MakeBulk) -> None:
    """On a quiet day of the recipient nothing leaves."""
    api = FakeBatchApi()
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("08:00"))
    window = SendWindow(DAY, quiet_days=[date(2026, 12, 1)])
    assert 2 == bulk.go(people(SWEDEN), window=window, deadline=1.0).pending


def test_a_large_job_over_zones_keeps_its_evidence(make_bulk: MakeBulk) -> None:
    """The first and last recipients leave by themselves; a lost request is sent again."""
    api = FakeBatchApi("ok", "ok", "dropped")
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("15:00"))
    report = bulk.go(people(SWEDEN, NEW_YORK, many=40), window=DAY, settle=60, chunk_size=10)
    assert (80, 1, {1}) == (report.accepted, len(report.sent_again), set(api.accepted.values()))
    sizes = [len(body["recipient_and_params"]) for body in api.sent]
    assert ([1, 1, 8], [1, 1, 1]) == (sizes[:3], sorted(sizes[-4:])[:3])
    lines = [each.line for each in report.recipients()]
    assert set(range(1, 81)) == set(lines)


def test_the_same_window_is_a_part_of_the_job(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Another window with the same journal is refused."""
    bulk = make_bulk(FakeBatchApi())
    bulk.at(at("08:00"))
    given: dict[str, Any] = {"recipients": people(SWEDEN), "job": tmp_path / "job.db"}
    assert 2 == bulk.go(window=DAY, **given).accepted
    assert 2 == bulk.go(window=DAY, **given).accepted
    with pytest.raises(BulkError, match="created with different window"):
        bulk.go(window="10:00-20:00", **given)


def test_a_column_of_zones_without_a_window_is_a_mistake(make_bulk: MakeBulk) -> None:
    """It would be read for nothing."""
    with pytest.raises(BulkError, match=r"timezone= goes with window="):
        make_bulk(FakeBatchApi()).go(people(SWEDEN), columns=Columns(timezone="zone"))


def test_a_retry_keeps_the_window_and_the_zones(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Who failed by day gets the second attempt by day, by the column of the first list, too."""
    api, job, again = FakeBatchApi("400"), tmp_path / "job.db", tmp_path / "again.db"
    bulk = make_bulk(api).in_virtual_time()
    bulk.at(at("15:00"))
    mixed = [{**row, "zone": "America/Lima"} for row in people(SWEDEN, many=2)]
    first = bulk.go(mixed, job=job, window=DAY, columns=Columns(timezone="zone"))
    assert 2 == first.rejected
    bulk.at(at("08:00"))
    reasons = {"INVALID_ARGUMENT", "NOT_SENT"}
    report = bulk.retry_failed(job, new_job=again, reasons=reasons, deadline=1.0)
    assert (2, "deadline") == (report.pending, report.stopped)
    bulk.at(at("15:00"))
    assert 2 == bulk.resume(again).accepted
    assert "Lima" not in str(api.sent)


# The pilot and the brake

VERDICTS = [
    (Ends(10, 9, 0, receipts=True), 0.0, PilotVerdict.GO_ON),
    (Ends(10, 8, 0, receipts=True), 0.0, PilotVerdict.WAIT),
    (Ends(10, 8, 0, receipts=True), 99.0, PilotVerdict.FAILED),
    (Ends(10, 0, 2, receipts=True), 0.0, PilotVerdict.FAILED),
    (Ends(10, 0, 0), 0.0, PilotVerdict.WAIT),
    (Ends(10, 0, 0), 99.0, PilotVerdict.NO_RECEIPTS),
    (Ends(0, 0, 0), 0.0, PilotVerdict.GO_ON),
]


@pytest.mark.parametrize(("ends", "waited", "expected"), VERDICTS)
def test_pilot_verdicts(ends: Ends, waited: float, expected: PilotVerdict) -> None:
    """Enough delivered goes on; what cannot be reached any more stops at once, the rest waits."""
    assert expected is judge_pilot(ends, 0.9, waited, 60.0)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (Ends(1000, 47, 3), True),
        (Ends(1000, 48, 2), False),
        (Ends(1000, 0, 40), False),
        (Ends(1000, 0, 50), True),
        (Ends(8, 0, 2), True),
        (Ends(8, 1, 0), False),
        (Ends(1000, 95, 5), False),
    ],
)
def test_brake(ends: Ends, *, expected: bool) -> None:
    """It stops when more than the share has failed, of enough whose end is known."""
    assert expected is must_brake(ends, 0.05)


def heard(job: Path, status: str, body: dict[str, Any]) -> None:
    """Receipts with this status about all recipients of a request."""
    chunk = body["batch_metadata"]["sinch_wrapper_chunk"]
    marks = [row["message_metadata"]["sinch_wrapper_index"] for row in body["recipient_and_params"]]
    follower = JournalFollower(job)
    follower.take(
        [
            receipt(status, {"sinch_wrapper_chunk": chunk, "sinch_wrapper_index": mark})
            for mark in marks
        ]
    )
    follower.close()


@pytest.mark.parametrize("many", [4, 5])
def test_the_pilot_leaves_alone_until_it_is_delivered(
    make_bulk: MakeBulk, tmp_path: Path, many: int
) -> None:
    """Exactly so many recipients; then all others, with the right positions."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    seen: list[int] = []

    def later() -> None:
        eventually(lambda: len(sent_to(api)) >= many)
        time.sleep(0.3)  # What does not wait for the pilot leaves in it.
        seen.append(len(sent_to(api)))
        for body in list(api.sent):
            heard(job, "DELIVERED", body)

    hearing = threading.Thread(target=later)
    hearing.start()
    report = bulk.go(people(SWEDEN, many=9), job=job, pilot=many, chunk_size=3, concurrency=1)
    hearing.join()
    assert ([many], 9, "") == (seen, report.accepted, report.stopped)
    assert {1} == set(api.accepted.values())
    lines = [each.line for each in report.recipients()]
    assert list(range(1, 10)) == lines
    assert all(found == [str(n) for n in range(len(found))] for found in positions(api))


def test_a_pilot_that_fails_stops_the_job(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """It can be resumed: it stops again, unless a person says that it may go on."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    api.on_send = lambda body, _: heard(job, "FAILED", body)
    report = bulk.go(people(SWEDEN, many=6), job=job, pilot=2, pilot_delivered=0.5)
    assert ("pilot", 2, 4) == (report.stopped, report.accepted, report.pending)
    assert "pilot" == bulk.resume(job).stopped
    assert (6, "") == ((report := bulk.resume(job, go_on=True)).accepted, report.stopped)


def test_without_callbacks_it_says_that_it_cannot_know(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """The pilot waits as long as it may; the brake warns."""
    bulk = make_bulk(FakeBatchApi())
    job = tmp_path / "job.db"
    report = bulk.go(people(SWEDEN, many=6), job=job, pilot=2, pilot_wait=0)
    assert ("no receipts", 4) == (report.stopped, report.pending)
    assert "no receipts came, so nobody knows how many were delivered" in report.warnings[0]
    braked = bulk.go(people(SWEDEN, many=6), stop_if_failed=0.05)
    assert (6, 1) == (braked.accepted, len(braked.warnings))


def test_the_brake_stops_when_too_many_fail(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """What is running ends, the rest stays, and a resume stops again."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    failing: Iterator[str] = iter(["DELIVERED", "FAILED"] * 100)

    def answer(body: dict[str, Any], _batch_id: str) -> None:
        heard(job, next(failing), body)

    api.on_send = answer
    # The queue lets one request pass in a second, so that receipts come first.
    limits = MessageLimits(queue=2, drain=4.0)
    report = bulk.go(
        people(SWEDEN, many=40), job=job, stop_if_failed=0.3, limits=limits, concurrency=1
    )
    assert ("failures", True) == (report.stopped, report.pending > 0)
    assert Counter(report.by_state)["failed"] >= 5
    sent = len(api.sent)
    assert ("failures", sent) == (bulk.resume(job).stopped, len(api.sent))
