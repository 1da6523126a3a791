"""What leaves again by a person's word, and doubles: told wherever they show."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import AuthenticationError, BulkError, Recipient
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Report
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.bulk._metadata import CHUNK_MARK, JOB_MARK
from tests.helpers.bulk import APP, FakeBatchApi, MakeBulk, make_bulk, marked, receipt, rows

__all__ = ["make_bulk"]


def test_a_person_may_send_what_is_unknown(make_bulk: MakeBulk, job: JobAddress) -> None:
    """It leaves again after one look-up, and the report says by whose word; nothing else does."""
    api = FakeBatchApi("ok", "dropped")
    bulk = make_bulk(api)
    # Nothing leaves after the lost one: no time gives any evidence.
    report = bulk.go(rows(4), job=job, concurrency=1)
    assert (2, 2) == (report.accepted, report.unknown)
    report = bulk.send_again(job, settle=0.05)
    assert (4, 0) == (report.accepted, report.unknown)
    assert set(api.accepted.values()) == {1}
    assert [(1, 2, "word", None)] == [
        (each.number, each.recipients, each.by, each.evidence) for each in report.sent_again
    ]


def test_a_word_sends_nothing_that_a_look_up_finds(make_bulk: MakeBulk, job: JobAddress) -> None:
    """What was accepted after all is adopted first."""
    api = FakeBatchApi("lost")
    bulk = make_bulk(api)
    api.look_up_response = lambda: httpx.Response(404, json={})
    assert 2 == bulk.go(rows(2), job=job, patience=1).unknown
    api.look_up_response = None
    report = bulk.send_again(job, settle=0.05)
    assert (2, 1, ()) == (report.accepted, len(api.sent), report.sent_again)


@pytest.mark.filterwarnings("ignore:.*ends on:DeprecationWarning")
def test_a_word_works_without_a_look_up(make_bulk: MakeBulk, job: JobAddress) -> None:
    """The older path has none; a refusal of the second try says nothing about the first."""
    api = FakeBatchApi("dropped", "400")
    bulk = make_bulk(api)
    assert 2 == bulk.go(rows(2), job=job, api="v1beta").unknown
    report = bulk.send_again(job)
    assert (0, 2, 2) == (report.rejected, report.unknown, len(api.sent))
    assert (2, 3) == (bulk.send_again(job).accepted, len(api.sent))


def test_what_is_known_to_be_accepted_never_leaves_again(
    make_bulk: MakeBulk, job: JobAddress
) -> None:
    """A 2xx that cannot be read was an acceptance, whoever says what."""
    api = FakeBatchApi("garbage")
    bulk = make_bulk(api)
    api.look_up_response = lambda: httpx.Response(200, json=[])
    assert 2 == bulk.go(rows(2), job=job).unknown
    assert (2, 1) == (bulk.send_again(job, settle=0.05).unknown, len(api.sent))


def double(api: FakeBatchApi, body: dict[str, Any], batch_id: str) -> None:
    """Let the API list a request as a second batch."""
    api.batches[f"{batch_id}x"] = body


def test_a_double_that_a_look_up_shows_is_told(make_bulk: MakeBulk) -> None:
    """It is accepted, and the report says that it was sent twice."""
    api = FakeBatchApi("ok", "lost")
    api.on_send = lambda body, batch_id: double(api, body, batch_id)
    report = make_bulk(api).go(rows(4))
    assert (4, 4) == (report.accepted, report.twice)
    assert ("2 requests to 4 recipients became two batches",) == report.warnings


@pytest.mark.parametrize("is_late", [False, True], ids=["in the end", "by status"])
def test_what_left_again_is_looked_up_once_more(
    make_bulk: MakeBulk, job: JobAddress, caplog: pytest.LogCaptureFixture, *, is_late: bool
) -> None:
    """A first one that was accepted late shows then: in the report, and as a line in the log."""
    api = FakeBatchApi("ok", "ok", "dropped")
    bulk = make_bulk(api).in_virtual_time()
    if not is_late:
        api.on_send = lambda body, batch_id: (
            double(api, body, batch_id) if Counter(api.marks())[read_mark(body)] > 1 else None
        )
    report = bulk.go(rows(60), job=job)
    [again] = report.sent_again
    looks = api.looks
    if is_late:
        assert 0 == report.twice
        double(api, api.sent[2], "late")
        report = bulk.status(job)
        assert looks + 1 == api.looks
    assert (2, 60, 0) == (report.twice, report.accepted, report.unknown)
    [line] = [each.getMessage() for each in caplog.records if each.name == "sinch_wrapper.bulk"]
    assert f"journal {job.name}: request {again.number} was accepted twice" in line
    assert 2 == bulk.status(job).twice
    assert 1 == sum(each.name == "sinch_wrapper.bulk" for each in caplog.records)


def read_mark(body: dict[str, Any]) -> str:
    """The mark of a request."""
    return str(body["batch_metadata"][CHUNK_MARK])


def test_a_job_without_second_departures_asks_no_more(make_bulk: MakeBulk, job: JobAddress) -> None:
    """Then nothing can be there twice."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bulk.go(rows(4), job=job)
    bulk.status(job)
    assert 0 == api.looks


def test_a_double_that_a_callback_shows_is_told(make_bulk: MakeBulk, job: JobAddress) -> None:
    """A receipt of a second batch of a request that left twice is one."""
    api = FakeBatchApi("dropped")
    bulk = make_bulk(api)
    bulk.go(rows(2), job=job)
    assert 0 == bulk.send_again(job, settle=0.05).twice
    bulk.record(receipt("DELIVERED", marked(api, 0, 0, "B0")), job)
    assert 2 == bulk.report(job).twice


def test_a_response_with_the_batch_of_another_request_is_a_doubt(make_bulk: MakeBulk) -> None:
    """A response that came once before says nothing about this request."""
    api = FakeBatchApi()

    def stale(request: httpx.Request) -> httpx.Response:
        response = api(request)
        is_second = request.method == "POST" and len(api.sent) == 2
        return httpx.Response(200, json={"batch_id": "B1"}) if is_second else response

    report = make_bulk(stale).go(rows(4), concurrency=1)
    assert ["B1", "B2"] == [batch.batch_id for batch in report.batches()]


FOREIGN = {
    "an error object": {"error": {"code": 5, "message": "no"}},
    "metadata in another form": [{"batch_id": "B2", "meta_data": {}}],
    "nothing": [],
    "an object": {},
    "of others": [{"batch_id": "X", "meta_data": {JOB_MARK: "x", CHUNK_MARK: "x-0"}}],
    "of others, without metadata": [{"batch_id": "X"}],
}


@pytest.mark.parametrize("name", FOREIGN)
def test_look_ups_that_prove_nothing_send_and_adopt_nothing(make_bulk: MakeBulk, name: str) -> None:
    """However long it takes: the request stays unknown."""
    api = FakeBatchApi("ok", "ok", "lost")
    api.look_up_response = lambda: httpx.Response(200, json=FOREIGN[name])
    report = make_bulk(api).in_virtual_time().go(rows(60), patience=3)
    assert (2, set(api.accepted.values()), ()) == (report.unknown, {1}, report.sent_again)


def test_a_callback_makes_no_look_up_trusted(make_bulk: MakeBulk, job: JobAddress) -> None:
    """A 404 proves nothing, also after a receipt has proven that one request was accepted."""
    api = FakeBatchApi("lost", "lost")
    api.look_up_response = lambda: httpx.Response(404, json={})
    bulk = make_bulk(api)
    bulk.go(rows(4), job=job, patience=1)
    bulk.record(receipt("DELIVERED", marked(api, 0, 0, "B1")), job)
    report = bulk.resume(job, settle=0.05)
    assert (2, 2, 2) == (report.accepted, report.unknown, len(api.sent))


def test_journals_of_the_first_edition_say_which_version_reads_them(
    make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """They are refused in one line, and nothing is sent."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(rows(2), job=job)
    with sqlite3.connect(job) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(BulkError, match=r"job\.db: written by version 0\.1 .*with sinch-wrapper 0"):
        bulk.resume(job)
    with pytest.raises(BulkError, match=r"version 0\.1"):
        Report(job)


def test_both_marks_are_in_each_request(make_bulk: MakeBulk) -> None:
    """The batch has its own and the job's, a message its request's alone."""
    api = FakeBatchApi()
    report = make_bulk(api).go(rows(2), batch_metadata={"own": "1"})
    (body,) = api.sent
    marks = {CHUNK_MARK: f"{report.job}-0"}
    assert {**marks, JOB_MARK: report.job, "own": "1"} == body["batch_metadata"]
    assert marks == body["message_metadata"]
    assert json.dumps(body)


def test_large_jobs_begin_and_end_with_single_recipients(make_bulk: MakeBulk) -> None:
    """Two go first, three last; each recipient is in its place, in the order of the input."""
    api = FakeBatchApi()
    report = make_bulk(api).go(rows(60), chunk_size=20, concurrency=1)
    sizes = [len(body["recipient_and_params"]) for body in api.sent]
    assert [1, 1, 18, 20, 17, 1, 1, 1] == sizes
    assert [str(number) for number in range(1, 61)] == [each.key for each in report.recipients()]
    for body in api.sent:
        positions = [
            item["message_metadata"]["sinch_wrapper_index"] for item in body["recipient_and_params"]
        ]
        assert [str(number) for number in range(len(positions))] == positions


def test_small_jobs_go_as_they_are(make_bulk: MakeBulk) -> None:
    """Below 50 recipients no request is cut."""
    api = FakeBatchApi()
    make_bulk(api).go(rows(49), chunk_size=1000)
    assert [49] == [len(body["recipient_and_params"]) for body in api.sent]


def test_a_probe_measures_lags(make_bulk: MakeBulk) -> None:
    """Threads and tasks alike: a few batches are sent, and looked up until all are listed."""
    api = FakeBatchApi()
    bulk = make_bulk(api).in_virtual_time()
    found = bulk.probe(app_id=APP, recipient=Recipient.sms("+46700000001"), count=3)
    assert (3, 3, 3) == (found.accepted, found.listed, len(found.lags))
    assert found.in_order
    assert found.steady
    assert {"+46700000001": 3} == api.accepted
    api = FakeBatchApi("401", "401")
    with pytest.raises(AuthenticationError):
        make_bulk(api).probe(app_id=APP, recipient=Recipient.sms("+46700000001"))
