"""Doubts that callbacks settle at the last moment, and calls that get no response."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from sinch_wrapper import APIConnectionError, PermissionDeniedError
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk._callbacks import record
from sinch_wrapper.bulk._calls import BatchCall, Done
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.bulk._journal import Job, Journal, open_job
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._polling import BatchPoller, PolledBatch
from sinch_wrapper.bulk._schema import early
from sinch_wrapper.bulk._sender import Sender
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, marked, receipt, rows

__all__ = ["make_bulk"]

SETTINGS = RunSettings(concurrency=1, settle=0)


def doubtful(bulk: MakeBulk, api: FakeBatchApi, path: JobAddress) -> Job:
    """A job of one request that was accepted, whose response and look-ups were lost."""
    api.look_up_response = lambda: httpx.Response(503, json={})
    bulk(api).go(rows(2), job=path, patience=1)
    return open_job(Journal(path, must_exist=True))


@pytest.mark.parametrize("batch_id", ["B1", None], ids=["with id", "by its mark"])
def test_a_callback_before_the_second_sending_prevents_it(
    make_bulk: MakeBulk, job: JobAddress, batch_id: str | None
) -> None:
    """It was not found, and would leave again once the queue has room: then a receipt proves it."""
    api = FakeBatchApi("lost")
    doubted = doubtful(make_bulk, api, job)
    sender = Sender(doubted, SETTINGS, 0.0, time.time)
    (look,) = sender.step(1.0, [], stopping=False).calls
    assert () == sender.step(2.0, [Done(look, [])], stopping=True).calls
    record(doubted, [receipt("DELIVERED", marked(api, 0, 0, batch_id))])
    step = sender.step(3.0, [], stopping=False)
    assert ((), True) == (step.calls, step.finished)
    progress = sender.progress(3.0)
    assert (2, 0) == (progress.accepted + progress.unknown, progress.pending)
    doubted.journal.close()


def test_a_mark_alone_proves_that_nothing_must_leave_again(
    make_bulk: MakeBulk, job: JobAddress
) -> None:
    """A receipt without any batch id: a look-up that finds nothing is not believed any more."""
    api = FakeBatchApi("lost")
    doubted = doubtful(make_bulk, api, job)
    sender = Sender(doubted, replace(SETTINGS, attempts=1), 0.0, time.time)
    (look,) = sender.step(1.0, [], stopping=False).calls
    record(doubted, [receipt("DELIVERED", marked(api, 0, 0))])
    step = sender.step(2.0, [Done(look, [])], stopping=False)
    assert ((), True) == (step.calls, step.finished)
    assert (2, 0) == (sender.progress(2.0).unknown, sender.progress(2.0).rejected)
    doubted.journal.close()


def test_early_callbacks_of_others_are_forgotten_at_the_end(
    make_bulk: MakeBulk, job: JobAddress
) -> None:
    """What waited for a batch of this job is deleted once every request has its outcome."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bulk.go(rows(2), job=job, deadline=0)
    place = '{"batchId":"of another job","messageIndex":0}'
    assert 1 == bulk.record(receipt("FAILED", None, "X", message_metadata=place), job)
    bulk.resume(job)
    journal = Journal(job, must_exist=True)
    with journal.storage.read() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(early)).scalar_one()
    journal.close()


def test_status_without_permission_is_an_error(make_bulk: MakeBulk, job: JobAddress) -> None:
    """Asking for the status of batches fails with the error that each of them got."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    bulk.go(rows(6), job=job)
    bulk = make_bulk(lambda request: refused(api, request))
    for method in (bulk.status, bulk.cancel):
        with pytest.raises(PermissionDeniedError):
            method(job)


def refused(api: FakeBatchApi, request: httpx.Request) -> httpx.Response:
    """The response of the API to a client without permission."""
    return api(request) if request.url.path.endswith("/token") else httpx.Response(403, json={})


def call_of(poller: BatchPoller, now: float) -> BatchCall:
    """The next call."""
    (call,) = poller.step(now, [], stopping=False).calls
    return call


def test_status_without_any_response_is_an_error() -> None:
    """After the patience for one batch, nothing being known of any, no other is asked about."""
    error = APIConnectionError("no connection", outcome="not_sent")
    batches = (PolledBatch(f"B{number}") for number in range(100))
    poller = BatchPoller(batches, lambda *_: None, concurrency=1, patience=0.0)
    step = poller.step(1.0, [Done(call_of(poller, 0.0), error=error)], stopping=False)
    assert ((), True) == (step.calls, step.finished)
    with pytest.raises(APIConnectionError):
        poller.check()


def test_status_of_some_is_not_an_error() -> None:
    """Once the status of a batch is known, others without a response are just unknown."""
    error = APIConnectionError("no connection", outcome="not_sent")
    poller = BatchPoller(
        iter([PolledBatch("B1"), PolledBatch("B2")]), lambda *_: None, concurrency=1, patience=0.0
    )
    known = Done(call_of(poller, 0.0), SimpleNamespace(status="PROCESSED"))
    (call,) = poller.step(1.0, [known], stopping=False).calls
    assert poller.step(2.0, [Done(call, error=error)], stopping=False).finished
    poller.check()
    assert {"PROCESSED": 1, "UNKNOWN": 1} == poller.statuses


def test_a_busy_poller_waits_for_responses() -> None:
    """With every place taken it must not wake up: it would spin."""
    batches = (PolledBatch(f"B{number}") for number in range(3))
    poller = BatchPoller(batches, lambda *_: None, concurrency=1)
    call_of(poller, 0.0)
    assert poller.step(1.0, [], stopping=False).wait is None
