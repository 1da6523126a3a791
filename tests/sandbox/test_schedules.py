"""Batches are scheduled, cancelled and looked up."""

# ruff: noqa: FBT001 (parametrised)

from typing import Any

import pytest

from sinch_wrapper.sandbox._errors import Refusal
from sinch_wrapper.sandbox._json import timestamp
from sinch_wrapper.sandbox._resources.batches import effective_time
from tests.helpers.sandbox import (
    START,
    Api,
    StartSandbox,
    eventually,
    row,
)

BATCH = "/batch/v1/~/messages"
ADA = row("+46700000001", name="Ada")
DAY = 86400


def test_batches_are_found_by_metadata(api: Api) -> None:
    """The look-up gives the batches with this key and value, in a bare list, or an empty one."""
    app_id = api.app()
    batch_id = api.batch(app_id, [ADA], batch_metadata={"chunk": "c-1"})
    api.batch(app_id, [ADA], batch_metadata={"chunk": "c-2"})

    found = api.ok("GET", BATCH, params={"metadataKey": "chunk", "metadataValue": "c-1"})
    none = api.ok("GET", BATCH, params={"metadataKey": "chunk", "metadataValue": "c-3"})

    assert [(batch_id, {"chunk": "c-1"})] == [
        (each["batch_id"], each["meta_data"]) for each in found
    ]
    assert none == []


@pytest.mark.parametrize(
    ("ahead", "effective"),
    [(None, 0), (-30, 0), (0, 0), (60, 0), (61, 300), (299, 300), (300, 300), (301, 600)],
)
def test_schedule_is_rounded_up(ahead: int | None, effective: int) -> None:
    """Beyond a minute the time is rounded up to the next five-minute mark."""
    assert START % 300 == 0
    wanted = None if ahead is None else START + ahead

    assert START + effective == effective_time(wanted, START)


@pytest.mark.parametrize("ahead", [-61, 7 * DAY + 1])
def test_schedule_outside_its_window_is_refused(ahead: int) -> None:
    """A time in the past or more than seven days ahead is refused."""
    with pytest.raises(Refusal):
        effective_time(START + ahead, START)


def _status(api: Api, batch_id: str) -> str:
    status: str = api.ok("GET", f"{BATCH}/{batch_id}")["status"]
    return status


def _scheduled(start: StartSandbox, **fields: Any) -> tuple[Api, str]:
    api = start(now=START, frozen=True)
    send_after = timestamp(START + 3600)
    batch_id = api.batch(api.settings.app_id, [ADA], send_after=send_after, **fields)
    return api, batch_id


def test_scheduled_batch_runs_when_due(start_sandbox: StartSandbox) -> None:
    """A batch stays SCHEDULED until its time and is PROCESSED after it."""
    api, batch_id = _scheduled(start_sandbox)
    api.server.clock.advance(3599)
    assert _status(api, batch_id) == "SCHEDULED"
    api.server.clock.advance(1)

    eventually(lambda: _status(api, batch_id) == "PROCESSED")


@pytest.mark.parametrize("by_id", [True, False])
def test_scheduled_batch_is_cancelled(start_sandbox: StartSandbox, by_id: bool) -> None:
    """A batch is cancelled by id or by metadata before its time, and then never runs."""
    api, batch_id = _scheduled(start_sandbox, batch_metadata={"job": "j"})
    body = {"batch_id": batch_id} if by_id else {"metadataKey": "job", "metadataValue": "j"}
    api.ok("DELETE", BATCH, json=body)
    assert _status(api, batch_id) == "CANCELLED"
    api.server.clock.advance(DAY)

    messages = {"app_id": api.settings.app_id, "messages_source": "DISPATCH_SOURCE"}
    assert api.ok("GET", "/conversation/v1/~/messages", params=messages)["messages"] == []
    assert _status(api, batch_id) == "CANCELLED"


def test_cancelling_too_late_gives_200(api: Api) -> None:
    """Cancellation reports no failure: the status shows the truth."""
    batch_id = api.batch(api.app(), [ADA])
    eventually(lambda: _status(api, batch_id) == "PROCESSED")

    api.ok("DELETE", BATCH, json={"batch_id": batch_id})

    assert _status(api, batch_id) == "PROCESSED"


def test_cancelling_nothing_in_particular_is_refused(api: Api) -> None:
    """A cancellation names a batch or a pair of metadata."""
    assert api("DELETE", BATCH, json={"metadataKey": "job"}).status_code == 400


def test_unknown_batch_is_404(api: Api) -> None:
    """The status of a batch that does not exist is 404."""
    assert api("GET", f"{BATCH}/none").status_code == 404
