"""Suppression: the list, what a receiver writes into it, and jobs that respect it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, Recipient
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Columns, OptOutFollower, Report, SuppressionList
from sinch_wrapper.bulk._job_url import JobURL, ListAddress, ListURL, list_address
from sinch_wrapper.bulk._key_filter import WORTH, KeyFilter
from sinch_wrapper.callbacks import ConsentChange, ConsentKind, OptOutWords
from tests.callbacks.test_opt_outs import inbound, opted
from tests.helpers.bulk import (
    FakeBatchApi,
    MakeBulk,
    csv_file,
    make_bulk,
    positions,
    receipt,
    rows,
    sent_to,
)

__all__ = ["make_bulk"]

A, B, C = "+46700000001", "+46700000002", "+46700000003"


@pytest.fixture(params=["file", "postgresql"])
def stop(request: pytest.FixtureRequest, tmp_path: Path) -> ListAddress:
    """Where a suppression list is: in a file, and in PostgreSQL."""
    if request.param == "file":
        return tmp_path / "stop.db"
    database = request.getfixturevalue("jobs_database")
    return list_address(f"{database.replace('?', '?list=stop&', 1)}")


def beside(stop: ListAddress) -> JobURL | None:
    """Where a job may be that leaves out who is on *stop*: in its database, else in memory."""
    return JobURL(stop.database, "job") if isinstance(stop, ListURL) else None


def change(kind: str, at: float, who: str = A, source: str = "") -> ConsentChange:
    """What a person says at a time."""
    return ConsentChange(ConsentKind(kind), "word", "SMS", who, at=at, source_id=source)


def test_people_are_known_by_their_number_whatever_its_spelling(stop: ListAddress) -> None:
    """One number, on any phone channel, is one person; other identities belong to their channel."""
    with SuppressionList(stop) as found:
        found.add(["+46 70-000 00 01", Recipient.whatsapp("46700000002"), ("MESSENGER", "77")])
        held: list[Any] = [
            "+46700000001", "0046700000001", ("RCS", A), Recipient.sms(B), ("MESSENGER", "77"),
            C, ("LINE", "77"), ("SMS", "77"), Recipient.contact("77"),
        ]  # fmt: skip
        assert [True] * 5 + [False] * 4 == [found.holds(each) for each in held]
        assert 3 == found.count()


@pytest.mark.parametrize("address", ["070-123 45 67", "", "Ada", 46700000001, ("SMS",), {}, None])
def test_what_is_no_address_is_refused(stop: ListAddress, address: Any) -> None:
    """Nothing is added when one of many is not an address, and it is not quoted."""
    with SuppressionList(stop) as found:
        with pytest.raises(BulkError, match=r"^addresses= must be .*") as caught:
            found.add([A, address])
        assert (0, False) == (found.count(), "123 45" in str(caught.value))


ORDERS = [
    # What was said when, in the order in which it is written down; whether the person is out.
    ([("out", 1)], True),
    ([("out", 1), ("in", 2)], False),
    ([("in", 2), ("out", 1)], False),
    ([("out", 3), ("in", 2), ("out", 1)], True),
    ([("out", 1), ("in", 1)], True),
    ([("in", 1), ("out", 1)], True),
    ([("doubtful", 5)], False),
    ([("out", 1), ("doubtful", 5)], True),
    ([("in", 1)], False),
]


@pytest.mark.parametrize(("said", "expected"), ORDERS)
@pytest.mark.parametrize("times", [1, 2])
def test_the_newest_word_counts_in_any_order(
    stop: ListAddress, *, said: list[tuple[str, float]], expected: bool, times: int
) -> None:
    """Events may come late, twice and in any order; of two at one time the safer one counts."""
    with SuppressionList(stop) as found:
        for _ in range(times):
            for kind, at in said:
                found.take([change(kind, at, source=f"{kind}{at}")])
        assert expected == found.holds(A)


def test_a_word_does_not_lift_what_was_entered(stop: ListAddress) -> None:
    """START takes back a STOP, but neither an entry by hand nor an import; a person does."""
    with SuppressionList(stop) as found:
        found.add(A)
        found.load(["46700000002"])
        later = 4_000_000_000.0
        found.take([change("out", 5), change("in", later), change("in", later, B)])
        assert (True, True) == (found.holds(A), found.holds(B))
        found.remove([A, B])
        assert (False, False) == (found.holds(A), found.holds(B))


def test_a_clock_that_is_ahead_does_not_silence_later_words(stop: ListAddress) -> None:
    """A time in the future counts as now, so that a STOP after it is heard."""
    moment = 1000.0
    with SuppressionList(stop, now=lambda: moment) as found:
        found.take([change("in", 99_999.0)])
        moment = 1001.0
        found.take([change("out", 1001.0)])
        assert found.holds(A)


def test_a_person_decides_about_doubtful_texts(stop: ListAddress) -> None:
    """They wait, each once; "out" counts from when it was written, "nothing" is forgotten."""
    with SuppressionList(stop) as found:
        follower = OptOutFollower(stop)
        events = [inbound("please stop"), inbound("please stop"), inbound("don't stop", id="M2")]
        follower.take(events)
        first, second = found.doubtful()
        assert ("please stop", ("46700000001",)) == (first.text, first.addresses)
        assert ("don't stop", False) == (second.text, found.holds(A))
        assert "stop" not in repr(first)
        assert (True, False) == (found.decide(second.id, "nothing"), found.holds(A))
        assert (True, True) == (found.decide(first.id, "out"), found.holds(A))
        assert ([], False) == (found.doubtful(), found.decide(first.id, "out"))
        follower.close()


def test_what_a_receiver_hears_is_on_the_list(tmp_path: Path) -> None:
    """Both ways, by callbacks and by words, for the number and for the contact."""
    follower = OptOutFollower(tmp_path / "new.db", OptOutWords(stop=["AUS"]))
    follower.check()
    follower.take([opted("opt_out", "OPT_OUT_SUCCEEDED"), inbound("STOP"), receipt("DELIVERED")])
    with SuppressionList(tmp_path / "new.db") as found:
        held = [found.holds(Recipient.sms(A)), found.holds(Recipient.contact("C1"))]
        assert [True, True] == held
        follower.take([opted("opt_in", "OPT_IN_SUCCEEDED", request_id="R2")])
        assert [False, False] == [found.holds(A), found.holds(Recipient.contact("C1"))]
        follower.take([inbound("aus", id="M7")])
        assert found.holds(A)
    follower.close()


def test_a_file_of_another_kind_is_no_list(tmp_path: Path) -> None:
    """It is refused, and left as it is."""
    path = tmp_path / "stop.db"
    path.write_bytes(b"SQLite format 3?" * 100)
    with pytest.raises(BulkError, match=r"^suppression list stop\.db: not a suppression list"):
        SuppressionList(path)
    with pytest.raises(BulkError, match="there is no such file"):
        SuppressionList(tmp_path / "none.db", must_exist=True)
    assert not (tmp_path / "none.db").exists()


# Jobs


def number(at: int) -> str:
    """The number of the recipient at a place of rows()."""
    return rows(at + 1)[at]["phone"]


def as_list(folder: Path, who: list[str]) -> Any:
    """A suppression list."""
    with SuppressionList(folder / "stop.db") as found:
        found.add(who)
    return folder / "stop.db"


def as_file(name: str, head: str = "", end: str = "\n") -> Callable[[Path, list[str]], Any]:
    """A file with one number per line."""

    def make(folder: Path, who: list[str]) -> Any:
        (folder / name).write_text(head + "".join(each + end for each in who), encoding="utf-8")
        return folder / name

    return make


WAYS: dict[str, Callable[[Path, list[str]], Any]] = {
    "list": as_list,
    "text": as_file("stop.txt", "phone\n\n"),
    "table": as_file("stop.csv", "id,phone,why\n", ""),
    "bare": as_file("stop.csv"),
    "lines": as_file("stop.jsonl", "", ""),
    "numbers": lambda _, who: [f"00{each[1:]}" for each in who],
    "recipients": lambda _, who: [Recipient.whatsapp(each) for each in who],
    "generator": lambda _, who: iter(who),
    "several": lambda folder, who: [as_list(folder, who[:1]), as_file("more.txt")(folder, who[1:])],
    "open list": lambda folder, who: SuppressionList(as_list(folder, who)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_excluded_recipients_get_nothing(
    make_bulk: MakeBulk, tmp_path: Path, way: Callable[[Path, list[str]], Any]
) -> None:
    """They are reported as suppressed; the others are sent to, with the positions of the wire."""
    api, who = FakeBatchApi(), [number(1), number(4)]
    given = {
        "lines": [f'"{each}"\n' for each in who],
        "table": [f"7,{each},x\n" for each in who],
    }
    names = {id(value): name for name, value in WAYS.items()}
    report = make_bulk(api).go(
        rows(6), exclude=way(tmp_path, given.get(names[id(way)], who)), concurrency=1
    )
    assert [number(at) for at in (0, 2, 3, 5)] == sent_to(api)
    assert [["0"], ["0", "1"], ["0"]] == positions(api)
    assert (4, 4, 2, True) == (report.total, report.accepted, report.suppressed, report.complete)
    found = {each.line: each.state for each in report.recipients("suppressed")}
    assert {2: "suppressed", 5: "suppressed"} == found


def test_whoever_opts_out_while_a_job_runs_gets_nothing_more(
    make_bulk: MakeBulk, stop: ListAddress
) -> None:
    """The list is looked at when each request is built, and by a resume."""
    api, path = FakeBatchApi(), stop
    SuppressionList(path).close()
    follower = OptOutFollower(path)

    def opt_out(_body: Any, batch_id: str) -> None:
        if batch_id == "B1":
            follower.take(
                [inbound("STOP", channel_identity={"channel": "RCS", "identity": number(3)[1:]})]
            )

    api.on_send = opt_out
    report = make_bulk(api).go(rows(6), exclude=path, concurrency=1, job=beside(path))
    follower.close()
    assert [number(at) for at in (0, 1, 2, 4, 5)] == sent_to(api)
    assert (5, 1) == (report.accepted, report.suppressed)


def test_receipts_find_the_recipients_of_a_rebuilt_request(
    make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """Marks, batch index and faults are positions of what was sent, and of what is reported."""
    api, job = FakeBatchApi("ok", "400"), tmp_path / "job.db"
    api.blamed = ["recipient_and_params[1].parameters.name"]
    bulk = make_bulk(api)
    out, source = [number(0), number(3)], csv_file(tmp_path, 6)
    options: dict[str, Any] = {"columns": Columns(key="key"), "chunk_size": 3, "concurrency": 1}
    bulk.go(source, job=job, exclude=out, **options)
    mark = api.sent[0]["recipient_and_params"][1]["message_metadata"]["sinch_wrapper_index"]
    chunk = api.marks()[0]
    event = receipt("DELIVERED", {"sinch_wrapper_chunk": chunk, "sinch_wrapper_index": mark})
    assert 1 == bulk.record(event, job)
    states = {each.key: (each.state, each.reason) for each in Report(job).recipients()}
    assert ("delivered", "") == states["k2"]
    assert ("accepted", "") == states["k1"]
    assert ("rejected", "INVALID_ARGUMENT") == states["k5"]
    assert ("rejected", "NOT_SENT") == states["k4"]
    assert ["suppressed", "suppressed"] == [states["k0"][0], states["k3"][0]]


def test_a_job_in_which_nobody_is_left_is_done(make_bulk: MakeBulk) -> None:
    """It sends nothing, and nothing is left to do."""
    api = FakeBatchApi()
    report = make_bulk(api).go(rows(5), exclude=[row["phone"] for row in rows(5)])
    assert (0, 5, [], True) == (report.total, report.suppressed, api.sent, report.complete)


def test_a_large_job_keeps_its_evidence(make_bulk: MakeBulk) -> None:
    """Without some of its pieces, a request that was lost is still sent again on evidence."""
    api = FakeBatchApi("ok", "ok", "dropped")
    report = (
        make_bulk(api)
        .in_virtual_time()
        .go(rows(60), settle=60, exclude=[number(0), number(7), number(58)])
    )
    assert (57, 57, 3, 1) == (
        report.total,
        report.accepted,
        report.suppressed,
        len(report.sent_again),
    )
    assert {1} == set(api.accepted.values())
    assert 57 == len(api.accepted)


def test_a_doubtful_request_in_which_somebody_opts_out_does_not_leave_again(
    make_bulk: MakeBulk, stop: ListAddress
) -> None:
    """It is not rebuilt either: it stays unknown, and the report says why."""
    api, path = FakeBatchApi("ok", "ok", "dropped"), stop
    SuppressionList(path).close()

    def opt_out(_body: Any, batch_id: str) -> None:
        if batch_id == "B9":
            with SuppressionList(path) as found:
                found.add(number(2))

    api.on_send = opt_out
    report = (
        make_bulk(api)
        .in_virtual_time()
        .go(rows(60), settle=60, exclude=path, concurrency=1, job=beside(path))
    )
    doubtful = [each for each in report.batches() if each.state == "unknown"]
    assert (2, 0) == (report.unknown, len(report.sent_again))
    assert "not sent again: 1 recipient must not be written to any more" == doubtful[0].reason
    assert number(2) not in api.accepted


def test_a_request_that_certainly_did_not_leave_is_looked_at_again(
    make_bulk: MakeBulk, stop: ListAddress
) -> None:
    """After a 429 the list is asked anew."""
    api, path = FakeBatchApi("429"), stop
    SuppressionList(path).close()
    api.look_up_response = None
    answers = iter([1])

    def late(request: httpx.Request) -> httpx.Response:
        response = api(request)
        if response.status_code == 429 and next(answers, None):
            with SuppressionList(path) as found:
                found.add(number(1))
        return response

    report = make_bulk(late).go(rows(3), exclude=path, job=beside(path))
    assert (2, 2, 1) == (report.total, report.accepted, report.suppressed)
    assert number(1) not in api.accepted


def test_resuming_respects_the_same_lists(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Lists are remembered by their path, addresses and files are in the journal."""
    api, job, path = FakeBatchApi(), tmp_path / "job.db", tmp_path / "stop.db"
    SuppressionList(path).close()
    names = as_file("stop.txt")(tmp_path, [number(1)])
    stop = threading.Event()
    api.on_send = lambda *_: stop.set()
    bulk = make_bulk(api)
    first = bulk.go(rows(6), job=job, exclude=[path, names, number(3)], concurrency=1, stop=stop)
    assert "stopped" == first.stopped
    with SuppressionList(path) as found:
        found.add(number(5))
    report = bulk.resume(job)
    assert [number(at) for at in (0, 2, 4)] == sent_to(api)
    assert (3, 3) == (report.accepted, report.suppressed)


def test_retrying_leaves_the_same_people_out(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Who has opted out since gets no second attempt, by the lists of the old job."""
    api, job, path = FakeBatchApi("400"), tmp_path / "job.db", tmp_path / "stop.db"
    SuppressionList(path).close()
    bulk = make_bulk(api)
    bulk.go(rows(2), job=job, exclude=path, chunk_size=9)
    with SuppressionList(path) as found:
        found.add(number(1))
    report = bulk.retry_failed(
        job, new_job=tmp_path / "2.db", reasons={"INVALID_ARGUMENT", "NOT_SENT"}
    )
    assert (1, 1) == (report.accepted, report.suppressed)


@pytest.mark.parametrize("what", ["list", "file"])
def test_a_list_that_goes_away_stops_the_job(
    make_bulk: MakeBulk, tmp_path: Path, what: str
) -> None:
    """Nothing leaves that could not be looked up; put back, the job goes on."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    path = (as_list if what == "list" else as_file("stop.txt"))(tmp_path, [number(5)])
    away = path.with_suffix(".away")
    api.on_send = lambda *_: path.rename(away) if path.exists() else None
    bulk = make_bulk(api)
    with pytest.raises(BulkError, match="put it back, then resume"):
        bulk.go(rows(6), job=job, exclude=path, concurrency=1)
    assert 2 == len(sent_to(api))
    with pytest.raises(BulkError):
        bulk.resume(job)
    api.on_send = lambda *_: None
    away.rename(path)
    report = bulk.resume(job)
    assert (5, 1) == (report.accepted, report.suppressed)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "stop.txt",
            "+46700000001\n0701234567\n",
            "stop.txt: line 2 is not an international number",
        ),
        ("stop.csv", "a,b\n1,2\n", "stop.csv: no column for numbers"),
        ("stop.csv", "phone,mobile\n1,2\n", "stop.csv: more than one column for numbers"),
        ("stop.jsonl", "5\n", "stop.jsonl: line 1 is not"),
    ],
)
def test_a_file_that_cannot_be_read_whole_sends_nothing(
    make_bulk: MakeBulk, tmp_path: Path, name: str, content: str, words: str
) -> None:
    """A number that is not understood is named by its line, and nobody is sent to."""
    api = FakeBatchApi()
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(BulkError, match=words):
        make_bulk(api).go(rows(3), exclude=tmp_path / name)
    with pytest.raises(BulkError):
        make_bulk(api).go(rows(3), exclude=tmp_path / "none.db")
    with pytest.raises(BulkError):
        make_bulk(api).go(rows(3), exclude=tmp_path / "none.txt")
    assert [] == api.sent


def test_consents_of_the_api_are_asked_first(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """All pages of all three lists; without consent management nothing is sent."""
    api, asked = FakeBatchApi(), list[str]()
    pages = {
        ("OPT_OUT_ALL", ""): (number(0), "next"),
        ("OPT_OUT_ALL", "next"): (number(1), ""),
        ("OPT_OUT_MARKETING", ""): (number(4), ""),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        if "/consents/" not in request.url.path:
            return api(request)
        params = {
            name.replace("_", "").lower(): value for name, value in request.url.params.items()
        }
        place = request.url.path.rpartition("/")[2], params.get("pagetoken", "")
        asked.append(place[0])
        who, following = pages.get(place, ("", ""))
        found = [{"identity": who.removeprefix("+")}] if who else []
        return httpx.Response(200, json={"identities": found, "next_page_token": following})

    report = make_bulk(answer).go(rows(6), consents=True, job=tmp_path / "job.db")
    assert (3, 3) == (report.accepted, report.suppressed)
    lists = ["OPT_OUT_ALL", "OPT_OUT_ALL", "OPT_OUT_MARKETING", "OPT_OUT_NOTIFICATION"]
    assert lists == asked

    def off(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={}) if "/consents/" in request.url.path else api(request)

    many = len(api.sent)
    with pytest.raises(BulkError, match="the app has no lists of opt-outs, nothing was sent"):
        make_bulk(off).go(rows(6), consents=True)
    assert many == len(api.sent)


def test_a_long_list_looks_like_a_short_one(stop: ListAddress) -> None:
    """A filter spares most looks into it; what changes later, by others too, is seen at once."""
    many = [f"4670{each:07d}" for each in range(WORTH)]
    with SuppressionList(stop) as found, SuppressionList(found.address) as other:
        assert WORTH == found.load(many)
        others = [f"4671{each:07d}" for each in range(5000)]
        asked = [*many[::1000], *others]
        assert set(many[::1000]) == found.among(asked) == other.among(asked)
        other.add([f"+{others[7]}"])
        other.remove([f"+{many[0]}"])
        expected = {*many[1000::1000], others[7]}
        assert expected == found.among(asked) == other.among(asked)
        found.load([others[9]])
        assert {*expected, others[9]} == found.among(asked) == other.among(asked)


def test_a_filter_lets_no_key_that_was_added_go_by() -> None:
    """It lets through all that were added, and few others."""
    added = [str(each) for each in range(0, 60_000, 3)]
    found = KeyFilter.for_count(len(added))
    found.add(added)
    assert added == found.possible(added)
    others = [str(each) for each in range(1, 60_000, 3)]
    assert len(found.possible(others)) < len(others) / 10


def test_a_list_in_a_database_is_for_jobs_beside_it(
    make_bulk: MakeBulk, tmp_path: Path, jobs_database: str
) -> None:
    """A journal elsewhere would have to keep the password, so nothing is sent."""
    api = FakeBatchApi()
    address = jobs_database.replace("?", "?list=stop&", 1)
    SuppressionList(address).close()
    for job in (None, tmp_path / "job.db"):
        with pytest.raises(BulkError, match="for jobs in the same one: keep the job there, too"):
            make_bulk(api).go(rows(3), exclude=address, job=job)
    assert [] == api.sent
