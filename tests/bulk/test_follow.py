"""Jobs against the sandbox: schedules, cancelling, status, retries, receipts to the end."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, Endpoints, Sinch
from sinch_wrapper.bulk import Bulk, Cancellation, Columns
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, MakeBulk, make_bulk, rows
from tests.helpers.sandbox import Api, Inbox, StartSandbox, eventually

__all__ = ["make_bulk"]


def client(api: Api) -> Sinch:
    """A client of the sandbox."""
    return Sinch(
        project_id=api.settings.project_id,
        key_id=api.settings.key_id,
        key_secret=api.settings.key_secret,
        endpoints=Endpoints.sandbox(api.url),
        proxy="",
    )


def send(bulk: Bulk, api: Api, **options: Any) -> Any:
    """Send the usual message in small requests."""
    given = {"app_id": api.settings.app_id, "message": MESSAGE, "recipients": rows(6)}
    return bulk.send(**{**given, "chunk_size": 2, "settle": 0.2, **options})


def test_every_recipient_is_followed_to_the_end(start_sandbox: StartSandbox, inbox: Inbox) -> None:
    """Delivered, unreachable and badly filled recipients are known by key, from callbacks."""
    api = start_sandbox()
    app = api.app()
    api.webhook(app, inbox.url, "MESSAGE_DELIVERY", "BATCH_STATUS_UPDATE")
    things = [{"phone": f"+46700000{end}", "name": "A", "id": end} for end in ("123", "000", "124")]
    with client(api) as sinch:
        bulk = Bulk(sinch)
        columns = Columns(key="id")
        report = send(bulk, api, app_id=app, recipients=things, columns=columns)
        recorded = 0

        def ended() -> bool:
            nonlocal recorded
            events = list(inbox.events)
            bulk.record(events[recorded:])
            recorded = len(events)
            report.refresh()
            return bool(report.delivered + report.failed == 3)

        eventually(ended)
    assert [("123", "delivered"), ("000", "failed"), ("124", "delivered")] == [
        (each.key, each.state) for each in report.recipients()
    ]
    assert {"RECIPIENT_NOT_REACHABLE": 1} == report.reasons


def test_a_scheduled_job_keeps_the_time_of_the_server_and_can_be_cancelled(
    start_sandbox: StartSandbox, tmp_path: Path
) -> None:
    """The server rounds the time; cancelling is polled until it is true, and ends the job."""
    api, job = start_sandbox(), tmp_path / "job.db"
    moment = datetime.now(UTC) + timedelta(hours=1)
    with client(api) as sinch:
        bulk = Bulk(sinch)
        send(bulk, api, job=job, send_after=moment)
        times = {batch.send_after for batch in bulk.report(job).batches()}
        (kept,) = times
        assert datetime.fromisoformat(kept) >= moment
        assert 0 == datetime.fromisoformat(kept).minute % 5
        assert {"SCHEDULED"} == {batch.status for batch in bulk.status(job).batches()}
        done = bulk.cancel(job)
        assert (3, 0, 0, 6) == (
            len(done.cancelled), len(done.too_late), len(done.unknown), done.recipients,
        )  # fmt: skip
        assert {"cancelled": 6} == bulk.report(job).by_state
        with pytest.raises(BulkError, match="was cancelled"):
            bulk.resume(job)


def test_cancelling_too_late_is_reported(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    """A batch that was handed over before is reported as too late."""
    api, job = start_sandbox(), tmp_path / "job.db"
    with client(api) as sinch:
        bulk = Bulk(sinch)
        send(bulk, api, job=job)
        done = bulk.cancel(job)
        # The job is what it was: everybody has their message.
        assert (6, 0) == (bulk.resume(job).accepted, bulk.report(job).pending)
    assert (0, 3) == (len(done.cancelled), len(done.too_late))


def test_batches_of_no_job_are_cancelled_by_metadata(start_sandbox: StartSandbox) -> None:
    """A key and a value in the batch metadata find them, as ids do."""
    api = start_sandbox()
    moment = datetime.now(UTC) + timedelta(hours=1)
    with client(api) as sinch:
        bulk = Bulk(sinch)
        send(bulk, api, send_after=moment, batch_metadata={"campaign": "x"})
        done = bulk.cancel_batches(metadata=("campaign", "x"))
        assert 3 == len(done.cancelled)
        assert 1 == len(bulk.cancel_batches(done.cancelled[0]).cancelled)


def test_cancelling_takes_back_what_has_not_left(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Requests that have not left never do, and a doubt is settled without sending again."""
    api, job = FakeBatchApi("lost", "dropped"), tmp_path / "job.db"
    api.look_up_response = None
    bulk = make_bulk(api)
    bulk.go(rows(8), job=job, deadline=0)
    assert Cancellation((), (), (), 0, 8) == bulk.cancel(job)
    assert {"CANCELLED": 8} == bulk.report(job).reasons
    assert [] == api.sent


def test_a_cancellation_that_has_no_end_is_unknown(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """After the patience the batch is reported as unknown."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(rows(2), job=job)
    api.statuses["B1"] = "READY"
    assert ("B1",) == bulk.cancel(job, poll_for=0).unknown


def test_times_that_the_api_refuses_are_refused(make_bulk: MakeBulk) -> None:
    """Past, more than seven days ahead, and without a time zone."""
    bulk = make_bulk(FakeBatchApi())
    now = datetime.now(UTC)
    for moment, words in (
        (now - timedelta(minutes=5), "in the past"),
        (now + timedelta(days=7, minutes=1), "more than 7 days"),
        (
            now.replace(tzinfo=None) + timedelta(hours=1),
            "send_after= must be a datetime with a time zone",
        ),
    ):
        with pytest.raises(BulkError, match=words):
            bulk.go(rows(1), send_after=moment)


def test_a_schedule_that_passed_before_a_resume_is_refused(
    make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """A job that is resumed too late sends nothing, unless the caller says to send at once."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    moment = datetime.now(UTC) + timedelta(hours=1)
    bulk.go(rows(4), job=job, send_after=moment, deadline=0)
    bulk.at(time.time() + 7200)
    with pytest.raises(BulkError, match=r"has passed with 4 recipients not accepted.*send_now"):
        bulk.resume(job)
    with pytest.raises(BulkError, match="has passed"):
        bulk.go(rows(4), job=job, send_after=moment)
    assert [] == api.sent
    assert 4 == bulk.resume(job, send_now=True).accepted
    assert all("send_after" not in body for body in api.sent)
    assert 4 == bulk.resume(job).accepted


def test_a_schedule_that_comes_while_a_job_runs_does_not_stop_it(make_bulk: MakeBulk) -> None:
    """From then on the requests of a running job have no time: the API refuses past ones."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    api.on_send = lambda *_: bulk.at(time.time() + 7200)
    moment = datetime.now(UTC) + timedelta(hours=1)
    assert 6 == bulk.go(rows(6), send_after=moment, concurrency=1).accepted
    assert [True, False, False] == ["send_after" in body for body in api.sent]


@pytest.mark.parametrize(
    ("mode", "words"),
    [("DISPATCH", "expect them to fail"), ("CONVERSATION", None), ("", "may be in dispatch mode")],
)
def test_contact_ids_are_warned_about_in_dispatch_mode(
    make_bulk: MakeBulk, tmp_path: Path, mode: str, words: str | None
) -> None:
    """The app is asked once; without a response the warning is careful, and sending goes on."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    api.app_mode = mode
    bulk, people = make_bulk(api), [{"contact_id": f"C{n}", "name": "A"} for n in range(4)]
    report = bulk.go(people, job=job, deadline=0)
    assert [words is not None] == [bool(report.warnings)]
    assert all(str(words) in warning for warning in report.warnings)
    assert (4, report.warnings) == (bulk.resume(job).accepted, bulk.report(job).warnings)
    assert 1 == sum("/apps/" in path for path in api.paths)


def test_forced_dispatch_mode_asks_nothing(make_bulk: MakeBulk) -> None:
    """The batch says it itself; with identities alone the mode does not matter."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    people = [{"contact_id": "C", "name": "A"}]
    report = bulk.go(people, processing_strategy="DISPATCH_ONLY")
    assert ["this batch is sent in dispatch mode" in warning for warning in report.warnings]
    assert () == bulk.go(rows(2)).warnings
    assert not any("/apps/" in path for path in api.paths)


def test_only_chosen_reasons_are_retried(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A new job points to the old one, keeps the keys, and holds those who failed for a reason."""
    api, old, new = FakeBatchApi("400"), tmp_path / "old.db", tmp_path / "new.db"
    bulk = make_bulk(api)
    things = [row | {"id": f"k{number}"} for number, row in enumerate(rows(6))]
    columns = Columns(key="id", message_metadata={"own": "name"})
    first = bulk.go(things, job=old, columns=columns, concurrency=1)
    report = bulk.retry_failed(old, new_job=new, reasons={"NOT_SENT"}, chunk_size=2)
    assert (1, f"{first.job} old.db") == (report.accepted, report.parent)
    assert ["k0"] == [each.key for each in report.recipients()]
    (row,) = api.sent[-1]["recipient_and_params"]
    assert {"own": "N0", "sinch_wrapper_index": "0"} == row["message_metadata"]
    assert ({"name": "N0"}, MESSAGE, APP) == (
        row["parameters"], api.sent[-1]["message"], api.sent[-1]["app_id"],
    )  # fmt: skip
    assert 0 == bulk.retry_failed(old, new_job=tmp_path / "no.db", reasons={"OTHER"}).total
    with pytest.raises(BulkError, match="must be another one"):
        bulk.retry_failed(old, new_job=old, reasons={"NOT_SENT"})
