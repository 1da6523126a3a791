"""Requests that are refused for what all of them share, and how rejections are counted."""

import contextlib
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sinch_wrapper import BadRequestError, BulkError
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import BulkStoppedError
from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._journal import Journal, open_job
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._sender import Sender
from tests.helpers.bulk import FakeBatchApi, MakeBulk, csv_file, make_bulk, rows

__all__ = ["make_bulk"]


@pytest.mark.parametrize("field", ["message.text_message.text", "appId", "app_id"])
def test_what_is_wrong_in_all_requests_stops_the_job(
    make_bulk: MakeBulk, tmp_path: Path, field: str
) -> None:
    """The first refusal of the message ends it; the others stay, and each resume tries more."""
    api, job = FakeBatchApi(*["400"] * 9), tmp_path / "job.db"
    api.blamed, bulk = [field], make_bulk(api)
    with pytest.raises(BulkStoppedError, match="correct it in a new job") as caught:
        bulk.go(rows(6), job=job, concurrency=1)
    assert isinstance(caught.value.__cause__, BadRequestError)
    assert caught.value.report is not None
    assert (2, 4, 1) == (caught.value.report.rejected, caught.value.report.pending, len(api.sent))
    with pytest.raises(BulkStoppedError):
        bulk.resume(job, concurrency=1)
    with pytest.raises(BulkStoppedError, match="correct it in a new job") as caught:
        bulk.resume(job, concurrency=1)
    report = caught.value.report
    assert report is not None
    assert (6, 0, 3) == (report.rejected, report.pending, len(api.sent))


@pytest.mark.parametrize("many", [1, 2, 3, 9])
def test_a_refused_message_ends_the_same_for_any_number(make_bulk: MakeBulk, many: int) -> None:
    """One request or many: the job stops, and the error says what is at fault."""
    api = FakeBatchApi(*["400"] * 9)
    api.blamed = ["message"]
    with pytest.raises(BulkStoppedError, match="correct it in a new job") as caught:
        make_bulk(api).go(rows(many), concurrency=1)
    assert caught.value.report is not None
    assert (1, min(many, 2)) == (len(api.sent), caught.value.report.rejected)


@pytest.mark.parametrize("begun", [True, False])
def test_a_job_that_was_never_accepted_gives_its_journal_free(
    make_bulk: MakeBulk,
    tmp_path: Path,
    begun: bool,  # noqa: FBT001 (a case)
) -> None:
    """The corrected command takes its place, and the report says so."""
    api, job = FakeBatchApi(*["400"] * begun), tmp_path / "job.db"
    api.blamed, bulk = ["app_id"], make_bulk(api)
    with pytest.raises(BulkStoppedError) if begun else contextlib.nullcontext():
        bulk.go(rows(4), job=job, concurrency=1, deadline=60 if begun else 0)
    assert int(begun) == len(api.sent)
    report = bulk.go(rows(3), job=job, app_id="other", concurrency=1)
    assert (3, 0, 0) == (report.accepted, report.rejected, report.pending)
    assert any("replaces another one" in warning for warning in report.warnings)
    assert {1} == set(api.accepted.values())


@pytest.mark.parametrize("word", ["lost", "garbage"])
def test_a_job_that_was_ever_in_doubt_keeps_its_journal(
    make_bulk: MakeBulk, tmp_path: Path, word: str
) -> None:
    """What may have been accepted is never forgotten."""
    api, job = FakeBatchApi(*[word] * 3), tmp_path / "job.db"
    api.look_up_response = lambda: httpx.Response(404)
    bulk = make_bulk(api)
    bulk.go(rows(2), job=job, send_again="never", patience=1)
    with pytest.raises(BulkError, match="created with different app_id"):
        bulk.go(rows(2), job=job, app_id="other")


@pytest.mark.parametrize(
    ("script", "blamed"),
    [
        (["400"], ["recipient_and_params[0].recipient", "message"]),
        (["400"], ["recipientAndParams[0].recipient"]),
        (["400"], ["something_new"]),
        (["400"], [""]),
        (["400"], []),
        (["ok", "400"], ["message.text_message.text"]),
    ],
    ids=["both", "camel", "unknown", "empty", "nothing", "accepted before"],
)
def test_what_may_concern_one_request_stops_nothing(
    make_bulk: MakeBulk, script: list[str], blamed: list[str]
) -> None:
    """Where recipients are named, or nothing known, or a request went well, the others leave."""
    api = FakeBatchApi(*script)
    api.blamed = blamed
    report = make_bulk(api).go(rows(6), concurrency=1)
    assert (2, 4, 3) == (report.rejected, report.accepted, len(api.sent))


def test_an_acceptance_in_between_takes_the_stop_back(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Of requests that run side by side one is accepted: what they share is right after all."""
    api, job = FakeBatchApi("400"), tmp_path / "job.db"
    api.blamed, bulk = ["message"], make_bulk(api)
    with pytest.raises(BulkStoppedError) as caught:
        bulk.go(rows(4), concurrency=1)
    assert isinstance(caught.value.__cause__, BadRequestError)
    bulk.go(rows(8), job=job, deadline=0)
    journal = Journal(job, must_exist=True)
    sender = Sender(open_job(journal), RunSettings(concurrency=2), 0.0, time.time)
    first, second = sender.step(0.0, [], stopping=False).calls
    step = sender.step(1.0, [Done(first, error=caught.value.__cause__)], stopping=False)
    assert ((), False, True) == (step.calls, step.finished, sender.is_refused)
    accepted = Done(second, SimpleNamespace(batch_id="B1"))
    assert 2 == len(sender.step(2.0, [accepted], stopping=False).calls)
    assert sender.stopped_by is None
    journal.close()


def test_rejections_are_counted_by_reason_and_no_reason_is_empty(make_bulk: MakeBulk) -> None:
    """A request of one recipient has no others; an index beyond the request counts for none."""
    api = FakeBatchApi("400", "400")
    api.blamed = ["recipient_and_params[0].recipient", "recipient_and_params[7].recipient"]
    report = make_bulk(api).go(rows(2), chunk_size=1, concurrency=1)
    assert {"INVALID_ARGUMENT": 2} == report.reasons


def test_camel_case_violations_land_on_their_recipient(make_bulk: MakeBulk) -> None:
    """Field paths of the JSON mapping name the recipient as well."""
    api = FakeBatchApi("400")
    api.blamed = ["recipientAndParams[1].parameters.name"]
    report = make_bulk(api).go(rows(2))
    assert ["NOT_SENT", "INVALID_ARGUMENT"] == [each.reason for each in report.recipients()]


def test_one_reason_may_be_a_text(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A lone reason means itself, and no reason that is a part of its letters."""
    api, job = FakeBatchApi("400"), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(csv_file(tmp_path, 2), job=job)
    for reason, count in (("NOT_SENT_AT_ALL", 0), ("NOT_SENT", 1)):
        new = tmp_path / f"{reason}.db"
        assert count == bulk.retry_failed(job, new_job=new, reasons=reason).total
