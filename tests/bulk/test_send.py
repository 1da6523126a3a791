"""Sending: what leaves, what does not leave twice, and what is reported."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinch_wrapper import AuthenticationError, BulkError, Recipient
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import BulkInterruptedError, BulkStoppedError, Columns, Progress, StopReason
from sinch_wrapper.bulk._job_url import JobAddress
from tests.helpers.bulk import (
    APP,
    ELSEWHERE,
    ENDING,
    MESSAGE,
    FakeBatchApi,
    MakeBulk,
    csv_file,
    make_bulk,
    rows,
)

__all__ = ["make_bulk"]


def test_all_recipients_are_sent_in_order_and_once(make_bulk: MakeBulk) -> None:
    """An iterable is cut into requests that hold everybody once, in order, with parameters."""
    api = FakeBatchApi()
    report = make_bulk(api).go(rows(5), concurrency=1)
    sent = [row for body in api.sent for row in body["recipient_and_params"]]
    assert [2, 2, 1] == [len(body["recipient_and_params"]) for body in api.sent]
    assert [row["parameters"] for row in sent] == [{"name": f"N{number}"} for number in range(5)]
    assert (5, 5, True, "") == (report.total, report.accepted, report.complete, report.stopped)
    assert set(api.accepted.values()) == {1}
    assert len(set(api.marks())) == 3


@pytest.mark.parametrize("word", ["lost", "garbage", "anonymous"])
def test_an_accepted_request_whose_response_is_lost_is_adopted(
    make_bulk: MakeBulk, word: str
) -> None:
    """The look-up finds it, and it is not sent again."""
    api = FakeBatchApi("ok", word)
    report = make_bulk(api).go(rows(6))
    assert (6, 3) == (report.accepted, len(api.sent))
    assert {"B1", "B2", "B3"} == {batch.batch_id for batch in report.batches()}


# A job with elder and witness: 30 requests, the first and the last of one recipient each.
LARGE = rows(60)
DOUBTS = ["dropped", "500", "502", "503", "408", "302", "303", "307", "409", "418", "425", "499"]


@pytest.mark.parametrize("word", ["dropped", "503", "302"])
def test_a_doubtful_request_is_sent_again_on_evidence(make_bulk: MakeBulk, word: str) -> None:
    """It leaves last of all, and the report names it with what its absence was proven by."""
    api = FakeBatchApi("ok", "ok", word)
    report = make_bulk(api).in_virtual_time().go(LARGE, settle=600)
    assert (60, 0) == (report.accepted, report.unknown)
    assert set(api.accepted.values()) == {1}
    (again,) = report.sent_again
    evidence = again.evidence
    assert evidence is not None
    assert (2, 2, "evidence") == (again.number, again.recipients, again.by)
    assert (0, True) == (evidence["elder"], 600 <= evidence["waited"] < 700)
    assert again.number < evidence["witness"]
    numbers = list(map(read_number, api.marks()))
    held_back = sorted(set(numbers))[-3:]
    assert 2 == [number for number in numbers if number not in held_back][-1]


def read_number(mark: str) -> int:
    """The number of the request in a mark."""
    return int(mark.rpartition("-")[2])


@pytest.mark.parametrize("word", DOUBTS)
def test_a_job_that_never_sends_again_looks_up_only(make_bulk: MakeBulk, word: str) -> None:
    """With all the evidence there is, it stays unknown, also when it is resumed."""
    api = FakeBatchApi("ok", "ok", word)
    report = make_bulk(api).go(LARGE, settle=0.05, send_again="never")
    assert (58, 2, ()) == (report.accepted, report.unknown, report.sent_again)
    assert 1 == max(Counter(api.marks()).values())
    assert api.looks > 0


def test_the_job_remembers_that_it_never_sends_again(make_bulk: MakeBulk, job: JobAddress) -> None:
    """A later run keeps to it, and may be told otherwise."""
    api = FakeBatchApi("ok", "ok", "dropped")
    bulk = make_bulk(api)
    assert 2 == bulk.go(LARGE, job=job, settle=0.05, send_again="never").unknown
    assert 2 == bulk.resume(job, settle=0.05).unknown
    assert 1 == max(Counter(api.marks()).values())


def test_a_small_job_without_evidence_stays_unknown(make_bulk: MakeBulk) -> None:
    """A single request has neither elder nor witness: what may have been sent is not sent again."""
    api = FakeBatchApi("dropped")
    report = make_bulk(api).go(rows(2))
    assert (0, 2, 1) == (report.accepted, report.unknown, len(api.sent))
    assert "unknown outcomes" == report.stopped


def test_a_404_of_the_look_up_proves_nothing(make_bulk: MakeBulk) -> None:
    """Where the look-up has never worked its 404 leaves the request unknown."""
    api = FakeBatchApi("lost")
    api.look_up_response = lambda: httpx.Response(404, json={})
    report = make_bulk(api).go(rows(4))
    assert (2, 2, 2) == (report.accepted, report.unknown, len(api.sent))
    assert "unknown outcomes" == report.stopped
    assert StopReason.UNKNOWN_OUTCOMES is report.stopped


def test_a_look_up_that_fails_leaves_it_unknown_and_resumable(
    make_bulk: MakeBulk, job: JobAddress
) -> None:
    """Without any response nothing is sent again; a later resume finds the batch."""
    api = FakeBatchApi("lost")
    api.look_up_response = lambda: httpx.Response(503, json={})
    bulk = make_bulk(api)
    report = bulk.go(rows(2), job=job, patience=2)
    assert (0, 2, True) == (report.accepted, report.unknown, report.resumable)
    api.look_up_response = None
    report = bulk.resume(job, settle=0)
    assert (2, 0, 1) == (report.accepted, report.unknown, len(api.sent))


def test_a_request_that_never_gets_through_stays_unknown(make_bulk: MakeBulk) -> None:
    """After its attempts it is unknown: not rejected, for nothing has refused it."""
    api = FakeBatchApi("ok", "ok", "503")
    report = make_bulk(api).in_virtual_time().go(LARGE, attempts=1, settle=600)
    assert (58, 0, 2) == (report.accepted, report.rejected, report.unknown)
    assert 1 == max(Counter(api.marks()).values())


@pytest.mark.parametrize("word", ["429", "refused"])
def test_a_request_that_did_not_get_there_is_sent_later(make_bulk: MakeBulk, word: str) -> None:
    """Too many requests and no connection certainly were not accepted: no look-up is needed."""
    api = FakeBatchApi(word)
    report = make_bulk(api).go(rows(2))
    assert (2, 2, 0) == (report.accepted, len(api.sent), api.looks)


def test_violations_land_on_line_and_column(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A refused request names the recipient at fault, its column, and those refused with it."""
    api = FakeBatchApi("400")
    columns = Columns(key="key", parameters={"name": "name"})
    report = make_bulk(api).go(csv_file(tmp_path, 3), columns=columns, concurrency=1)
    found = list(report.recipients("rejected"))
    assert [("k0", 2, "NOT_SENT", ""), ("k1", 3, "INVALID_ARGUMENT", "name")] == [
        (each.key, each.line, each.reason, each.column) for each in found
    ]
    assert "too long" == found[1].detail
    assert 1 == report.accepted


def test_a_response_that_is_for_all_stops_the_job(make_bulk: MakeBulk, job: JobAddress) -> None:
    """403 raises at once, sends nothing else, and the job goes on later."""
    api = FakeBatchApi("ok", "403")
    bulk = make_bulk(api)
    with pytest.raises(BulkStoppedError, match="4 recipients left to send") as caught:
        bulk.go(rows(6), job=job, concurrency=1)
    assert caught.value.report is not None
    assert (2, 2) == (caught.value.report.accepted, len(api.sent))
    assert 6 == bulk.resume(job).accepted


def test_wrong_credentials_are_the_cause(make_bulk: MakeBulk) -> None:
    """The error of the API is the cause of the error."""
    with pytest.raises(BulkStoppedError) as caught:
        make_bulk(FakeBatchApi("401", "401")).go(rows(1))
    assert isinstance(caught.value.__cause__, AuthenticationError)


def test_v1beta_never_repeats_a_doubtful_request(make_bulk: MakeBulk) -> None:
    """The older path has no look-up, so a doubt stays one and is reported."""
    api = FakeBatchApi("lost")
    with pytest.warns(DeprecationWarning, match=ENDING):
        report = make_bulk(api, endpoints=ELSEWHERE).go(rows(4), api="v1beta")
    assert (2, 2, 0, 2) == (report.accepted, report.unknown, api.looks, len(api.sent))
    assert not report.resumable
    assert all(path.endswith("/batches:send") for path in api.paths)


def test_a_second_call_with_the_same_job_sends_nothing_more(
    make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """A job that is complete stays as it is, whatever its input was read from."""
    api, source = FakeBatchApi(), csv_file(tmp_path, 4)
    bulk = make_bulk(api)
    for recipients, job in ((source, "a.db"), (rows(4), "b.db")):
        before = len(api.sent)
        bulk.go(recipients, job=tmp_path / job)
        assert 4 == bulk.go(recipients, job=tmp_path / job).accepted
        assert before + 2 == len(api.sent)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"message": {"text_message": {"text": "Bye ${name}"}}}, "message"),
        ({"app_id": "other"}, "app_id"),
        ({"ttl": 10}, "ttl"),
        ({"recipients": rows(3)}, "recipients"),
        ({"columns": Columns(key="phone")}, "columns"),
        ({"on_duplicate": "send"}, "rules"),
    ],
)
def test_another_job_in_the_same_journal_is_refused(
    make_bulk: MakeBulk, job: JobAddress, change: dict[str, object], name: str
) -> None:
    """The error names the difference and says how to go on."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bulk.go(rows(4), job=job)
    given = {"recipients": rows(4)} | change
    with pytest.raises(BulkError, match=f"created with different {name}.*resume"):
        bulk.go(given.pop("recipients"), job=job, **given)
    assert 2 == len(api.sent)


def test_stop_finishes_what_runs_and_keeps_the_rest(make_bulk: MakeBulk, job: JobAddress) -> None:
    """A stop is gentle: no half request, and resume sends exactly what is left."""
    stop, api = threading.Event(), FakeBatchApi()
    api.on_send = lambda *_: stop.set()
    bulk = make_bulk(api)
    report = bulk.go(rows(10), job=job, stop=stop, concurrency=1)
    assert ("stopped", 2, 8, 0) == (
        report.stopped, report.accepted, report.pending, report.unknown,
    )  # fmt: skip
    assert 10 == bulk.resume(job).accepted
    assert set(api.accepted.values()) == {1}


def test_a_stop_while_reading_sends_nothing_and_can_be_repeated(
    make_bulk: MakeBulk, job: JobAddress
) -> None:
    """It says that nothing was sent and how to go on; the same call starts again."""
    stop, api = threading.Event(), FakeBatchApi()

    def people() -> Iterator[dict[str, str]]:
        for number, row in enumerate(rows(10)):
            if number == 5:
                stop.set()
            yield row

    bulk = make_bulk(api)
    with pytest.raises(BulkInterruptedError, match="nothing was sent: start the job again"):
        bulk.go(people(), job=job, stop=stop)
    assert [] == api.sent
    assert 10 == bulk.go(rows(10), job=job).accepted


def test_the_deadline_stops_a_job(make_bulk: MakeBulk) -> None:
    """After the deadline nothing leaves."""
    report = make_bulk(FakeBatchApi()).go(rows(4), deadline=0)
    assert ("deadline", 4) == (report.stopped, report.pending)


def test_progress_ends_with_everybody(make_bulk: MakeBulk) -> None:
    """The callback sees the counts grow to the total."""
    seen: list[Progress] = []
    make_bulk(FakeBatchApi()).go(rows(6), progress=seen.append)
    assert (6, 6, 0, 0.0) == (
        seen[-1].total, seen[-1].accepted, seen[-1].pending, seen[-1].eta,
    )  # fmt: skip
    assert [each.settled for each in seen] == sorted(each.settled for each in seen)


def test_options_are_fields_of_the_request(make_bulk: MakeBulk) -> None:
    """Fields of a whole batch are passed on; our marks are added to the metadata."""
    api = FakeBatchApi()
    make_bulk(api).go(
        rows(1),
        ttl=60,
        callback_url="https://example.com/x",
        batch_metadata={"campaign": "spring"},
        message_metadata={"a": "b"},
    )
    (body,) = api.sent
    assert ("60s", "https://example.com/x") == (body["ttl"], body["callback_url"])
    assert "spring" == body["batch_metadata"]["campaign"]
    assert {"a", "sinch_wrapper_chunk"} == body["message_metadata"].keys()
    assert {"sinch_wrapper_index": "0"} == body["recipient_and_params"][0]["message_metadata"]


def test_recipients_come_in_many_shapes(make_bulk: MakeBulk) -> None:
    """A Recipient, a pair, an object of the API's shape and a flat one are all taken."""
    api = FakeBatchApi()
    things = [
        (Recipient.sms("+46700000001"), {"name": "A"}),
        {"recipient": Recipient.rcs("+46700000002"), "parameters": {"name": "B"}, "key": "own"},
        {"phone": "+46700000003", "name": "C"},
        {"contact_id": "01CONTACT", "name": "D"},
    ]
    report = make_bulk(api).go(things)
    assert ["1", "own", "3", "4"] == [each.key for each in report.recipients()]
    last = api.sent[-1]["recipient_and_params"][-1]["recipient"]
    assert {"contact_id": "01CONTACT"} == last
    assert "dispatch mode" in report.warnings[0]


def test_unknown_options_are_a_type_error(make_bulk: MakeBulk) -> None:
    """A misspelt option does not pass unseen."""
    with pytest.raises(TypeError, match="on_invlaid"):
        make_bulk(FakeBatchApi()).go(rows(1), on_invlaid="skip")


def test_a_job_of_another_project_is_refused(make_bulk: MakeBulk, job: JobAddress) -> None:
    """A journal is not sent with the key of another project."""
    bulk = make_bulk(FakeBatchApi())
    bulk.go(rows(2), job=job)
    other = make_bulk(FakeBatchApi()).of_project("other")
    with pytest.raises(BulkError, match="another project"):
        other.resume(job)


def test_contacts_are_created_and_doubts_stay(make_bulk: MakeBulk) -> None:
    """A request that may have created contacts is never repeated."""
    api = FakeBatchApi("lost")
    identity = {"channel": "SMS", "identity": "+46700000001"}
    contacts = [{"channel_identities": [identity], "language": "EN"} for _ in range(4)]
    report = make_bulk(api).create_contacts(contacts, chunk_size=2)
    assert (2, 2, 2) == (report.accepted, report.unknown, len(api.sent))
    assert 2 == len(api.sent[0]["contacts"])


@pytest.mark.parametrize("word", ["lost", "503"])
def test_deleting_and_consents_are_repeated(make_bulk: MakeBulk, word: str) -> None:
    """Deleting again is harmless, and consents are repeated as documented."""
    api = FakeBatchApi(word)
    bulk = make_bulk(api)
    report = bulk.delete_contacts(["a", "b", "c"], chunk_size=2)
    assert (3, 3) == (report.accepted, len(api.sent))
    api.script = [word]
    records = [{"identification": str(n), "consent_type": "OPT_OUT_ALL"} for n in range(3)]
    report = bulk.insert_consents(records, app_id=APP, chunk_size=2)
    assert (3, 6, APP) == (report.accepted, len(api.sent), api.sent[-1]["app_id"])


def test_the_message_is_not_changed(make_bulk: MakeBulk) -> None:
    """The caller's message is sent as it is, and stays as it was."""
    api = FakeBatchApi()
    make_bulk(api).go(rows(1))
    assert {"text_message": {"text": "Hi ${name}"}} == MESSAGE == api.sent[0]["message"]
