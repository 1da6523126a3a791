"""Batches: parameters, receipts, schedules, cancellation and look-up."""

import json
from typing import Any

import pytest

from sinch_wrapper.callbacks import Event, batch_ref, delivery_report
from sinch_wrapper.sandbox._resources.batches import parameter_fault
from tests.helpers.sandbox import (
    Api,
    Inbox,
    StartSandbox,
    eventually,
    row,
    text,
)

BATCH = "/batch/v1/~/messages"
ADA = row("+46700000001", name="Ada")
DAY = 86400


def _status(api: Api, batch_id: str) -> str:
    status: str = api.ok("GET", f"{BATCH}/{batch_id}")["status"]
    return status


def _is_final(event: Event) -> bool:
    report = delivery_report(event)
    return report is not None and report.is_final


def test_receipt_carries_merged_metadata_and_batch_id(api: Api, inbox: Inbox) -> None:
    """The recipient's metadata wins over the request's, and `_batch_id` over both."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    rows = [ADA | {"message_metadata": {"row": "7", "_batch_id": "mine"}}]
    batch_id = api.batch(app_id, rows, message_metadata={"job": "spring", "row": "0"})

    event = inbox.wait_for(_is_final)

    metadata = json.loads(str(event.payload["metadata"]))
    assert {"job": "spring", "row": "7", "_batch_id": batch_id} == metadata
    assert event.payload["status"] == "DELIVERED"


def test_receipts_run_from_queued_to_final(api: Api, inbox: Inbox) -> None:
    """A message that is reached gives QUEUED_ON_CHANNEL and DELIVERED, in whatever order."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    api.batch(app_id, [ADA])

    events = inbox.wait(2)

    assert {"QUEUED_ON_CHANNEL", "DELIVERED"} == {str(each.payload["status"]) for each in events}


def test_unreachable_number_fails(api: Api, inbox: Inbox) -> None:
    """An identity that ends in 000 fails with RECIPIENT_NOT_REACHABLE."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    api.batch(app_id, [row("+46700001000", name="Ada")])

    report = delivery_report(inbox.wait_for(_is_final))

    assert report is not None
    assert (report.status, report.reason) == ("FAILED", "RECIPIENT_NOT_REACHABLE")


def test_opted_out_number_fails(api: Api, inbox: Inbox) -> None:
    """An identity that opted out of everything fails with RECIPIENT_NOT_OPTED_IN."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    record = {"identification": "+46700000055", "consent_type": "OPT_OUT_ALL"}
    api.ok("POST", "/batch/v1/~/consents", json={"app_id": app_id, "consent_records": [record]})
    api.batch(app_id, [row("+46700000055", name="Ada")])

    report = delivery_report(inbox.wait_for(_is_final))

    assert report is not None
    assert report.reason == "RECIPIENT_NOT_OPTED_IN"


@pytest.mark.parametrize("bad", [{}, {"name": ""}, {"name": "Ada", " ": "x"}])
def test_bad_parameters_fail_one_message_asynchronously(
    api: Api,
    inbox: Inbox,
    bad: dict[str, str],
) -> None:
    """The receipt says BAD_REQUEST, and its envelope the batch and the index."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "MESSAGE_DELIVERY")
    batch_id = api.batch(app_id, [ADA, row("+46700000002", **bad)])

    event = inbox.wait_for(lambda each: each.payload["status"] == "FAILED")

    assert f'{{"batchId":"{batch_id}","messageIndex":1}}' == event.message_metadata
    assert {"message_id", "status", "contact_id", "reason"} == set(event.payload)
    assert {"app_id", "project_id", "message_delivery_report", "message_metadata"} == set(event.raw)
    found = batch_ref(event)
    assert found is not None
    assert (batch_id, 1) == (found.batch_id, found.index)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"a": "1"}, ""),
        ({"a": "1", "b": "2"}, ""),
        ({}, "Parameters without a value: a."),
        ({"a": ""}, "Parameter key cannot be blank and value cannot be empty."),
        ({"a": "1", "": "2"}, "Parameter key cannot be blank and value cannot be empty."),
    ],
)
def test_parameter_fault_names_the_fault(parameters: dict[str, str], fault: str) -> None:
    """Missing, blank and empty parameters are faults, unused ones are not."""
    assert fault == parameter_fault({"a"}, parameters)


def test_parameters_are_filled_into_every_string(api: Api) -> None:
    """Placeholders are replaced wherever they stand in the message."""
    app_id = api.app()
    card = {"title": "Hi ${name}", "description": "${name}, ${name}"}
    api.batch(app_id, [ADA], message={"card_message": card})
    params = {"app_id": app_id, "messages_source": "DISPATCH_SOURCE"}

    def listed() -> list[Any]:
        found: list[Any] = api.ok("GET", "/conversation/v1/~/messages", params=params)["messages"]
        return found

    eventually(lambda: bool(listed()))

    assert listed()[0]["app_message"]["card_message"] == {
        "title": "Hi Ada",
        "description": "Ada, Ada",
    }


def test_immediate_batch_is_processed_and_announced(api: Api, inbox: Inbox) -> None:
    """A batch without send_after runs at once, and the status update echoes its metadata."""
    app_id = api.app()
    api.webhook(app_id, inbox.url, "BATCH_STATUS_UPDATE")
    batch_id = api.batch(app_id, [ADA], batch_metadata={"campaign": "spring"})

    [event] = inbox.wait(1)

    assert ("BATCH_STATUS_UPDATE", batch_id) == (event.trigger, event.payload["batch_id"])
    assert event.payload["batch_status"] == "BATCH_STATUS_PROCESSED"
    assert "spring" in str(event.payload["additional_data"])
    assert _status(api, batch_id) == "PROCESSED"


def test_full_queue_refuses_the_batch(start_sandbox: StartSandbox) -> None:
    """A batch that would overflow the queue of its app is 429."""
    api = start_sandbox(queue_limit=1)
    body = {"app_id": api.settings.app_id, "message": text("Hi"), "recipient_and_params": [ADA] * 2}

    assert api("POST", BATCH, json=body).status_code == 429


def test_contact_batches_are_announced(api: Api, inbox: Inbox) -> None:
    """Each contact of a batch that is created or deleted gives a callback."""
    api.webhook(api.app(), inbox.url, "CONTACT_CREATE", "CONTACT_DELETE")
    known = [{"channel": "SMS", "identity": "+46700000001"}]
    contact = {"channel_identities": known, "language": "EN"}
    api.ok("POST", "/batch/v1/~/contacts", json={"contacts": [contact] * 2})
    created = [event.payload["contact"] for event in inbox.wait(2)]
    ids = [each["id"] for each in created if isinstance(each, dict)]

    api.ok("DELETE", "/batch/v1/~/contacts", json={"contact_ids": ids})

    triggers = [event.trigger for event in inbox.wait(4)]
    assert triggers == ["CONTACT_CREATE"] * 2 + ["CONTACT_DELETE"] * 2
