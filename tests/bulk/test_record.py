"""Callbacks find their recipient in every spelling, whenever and however often they come."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import Sinch
from sinch_wrapper.bulk import Bulk, Columns
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.callbacks import read_event
from tests.helpers.bulk import (
    ELSEWHERE,
    ENDING,
    FakeBatchApi,
    MakeBulk,
    csv_file,
    make_bulk,
    marked,
    receipt,
    rows,
    states,
)

__all__ = ["make_bulk"]


def test_receipts_reach_their_recipient(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Delivered, read, failed with its reason, and pending are reported by the caller's key."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(csv_file(tmp_path, 4), job=job, columns=Columns(key="key"), concurrency=1)
    events = [
        receipt("DELIVERED", marked(api, 0, 0, "B1")),
        receipt("READ", marked(api, 0, 1, "B1")),
        receipt("FAILED", marked(api, 1, 0, "B2"), "RECIPIENT_NOT_REACHABLE"),
    ]
    assert 3 == bulk.record(events, job)
    report = bulk.report(job)
    assert (2, 1, 1, 4) == (report.delivered, report.read, report.failed, report.accepted)
    assert {"RECIPIENT_NOT_REACHABLE": 1} == report.reasons
    assert [("k0", "delivered"), ("k1", "read"), ("k2", "failed"), ("k3", "accepted")] == [
        (each.key, each.state) for each in report.recipients()
    ]


@pytest.mark.parametrize(
    ("envelope", "metadata"),
    [
        ({"batchId": "B2", "messageIndex": 1}, None),
        ({"batchId": "B2", "messageIndex": "1"}, None),
        ({"batch_id": "B2", "message_index": 1}, None),
        ({"_batch_id": "B2", "messageIndex": 1}, {"_batch_id": "B2"}),
    ],
    ids=["seeds", "string", "snake", "reserved"],
)
def test_late_validation_failures_land_in_every_spelling(
    make_bulk: MakeBulk, envelope: object, metadata: object
) -> None:
    """Batch id and index alone are enough, however they are written."""
    bulk = make_bulk(FakeBatchApi())
    report = bulk.go(rows(4), concurrency=1)
    place = json.dumps(envelope)
    event = receipt("FAILED", metadata, "BAD_REQUEST", message_metadata=place)
    assert 1 == bulk.record(event)
    assert ["accepted", "accepted", "accepted", "failed"] == states(report)
    assert {"BAD_REQUEST": 1} == report.refresh().reasons


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
def test_every_order_of_receipts_ends_the_same(make_bulk: MakeBulk, together: bool) -> None:  # noqa: FBT001 (a parameter)
    """Receipts may come in any order, each of them twice; of two reasons always the same stays."""
    kinds = [("QUEUED_ON_CHANNEL", ""), ("SWITCHING_CHANNEL", ""), ("FAILED", "A"), ("FAILED", "B")]
    api = FakeBatchApi()
    bulk = make_bulk(api)
    for order in itertools.permutations(kinds):
        report = bulk.go(rows(1))
        events = [receipt(status, marked(api, -1, 0), why) for status, why in (*order, *order)]
        for part in [events] if together else [[event] for event in events]:
            bulk.record(part)
        assert (["failed"], {"B": 1}) == (states(report), report.refresh().reasons)


def test_callbacks_may_come_before_the_response(make_bulk: MakeBulk, job: JobAddress) -> None:
    """A failure by batch id and one by metadata, both before the POST has returned, are kept."""
    api = FakeBatchApi()
    bulk = make_bulk(api)

    def early(_body: dict[str, Any], batch_id: str) -> None:
        place = json.dumps({"batchId": batch_id, "messageIndex": 0})
        recorder.record(receipt("FAILED", None, "BAD_REQUEST", message_metadata=place), job)
        recorder.record(receipt("DELIVERED", marked(api, 0, 1)), job)

    recorder = Bulk(Sinch(project_id="project-1", key_id="k", key_secret="s", region="eu"))
    api.on_send = early
    report = bulk.go(rows(2), job=job)
    assert ["failed", "delivered"] == states(report)


@pytest.mark.parametrize("kind", ["receipt", "status"])
def test_a_callback_proves_that_a_lost_request_was_accepted(
    make_bulk: MakeBulk, job: JobAddress, kind: str
) -> None:
    """A receipt with our mark, or a batch status with it, settles the doubt; also for v1beta."""
    api = FakeBatchApi("lost")
    bulk = make_bulk(api, endpoints=ELSEWHERE)
    with pytest.warns(DeprecationWarning, match=ENDING):
        assert 2 == bulk.go(rows(2), job=job, api="v1beta").unknown
    batch = {"batch_metadata": api.sent[0]["batch_metadata"]}
    body = {
        "batch_id": "B1",
        "batch_status": "BATCH_STATUS_PROCESSED",
        "additional_data": {"message_batch_data": batch},
    }
    status = read_event(json.dumps({"batch_status_update_notification": body}).encode())
    bulk.record(receipt("DELIVERED", marked(api, 0, 0, "B1")) if kind == "receipt" else status, job)
    report = bulk.resume(job)
    assert (2, 0, 1) == (report.accepted, report.unknown, len(api.sent))


def test_callbacks_of_others_are_left_alone(make_bulk: MakeBulk) -> None:
    """Other jobs, other batches, other kinds and wrong positions change nothing."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    report = bulk.go(rows(2))
    good = marked(api, 0, 0)
    foreign = [
        receipt("DELIVERED", {"sinch_wrapper_chunk": "other-0", "sinch_wrapper_index": "0"}),
        receipt("DELIVERED", good | {"sinch_wrapper_index": "7"}),
        receipt("DELIVERED", good | {"sinch_wrapper_chunk": "broken"}),
        receipt("DELIVERED"),
        receipt("SOMETHING_NEW", good),
        receipt("FAILED", None, "X", message_metadata='{"batchId":"other","messageIndex":0}'),
        read_event(b'{"message": {"id": "1"}}'),
        read_event(b'{"batch_status_update_notification": {"batch_id": "other"}}'),
    ]
    assert 0 == bulk.record(foreign)
    assert ["accepted", "accepted"] == states(report)
