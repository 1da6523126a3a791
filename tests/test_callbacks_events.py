"""Events are read whatever their kind, and lead back to their batch and recipient."""

# ruff: noqa: FBT001 (parametrised)

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.callbacks import TRIGGERS, correlate, delivery_report, read_event
from sinch_wrapper.errors import CallbackParseError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def _event(**fields: Any) -> Any:
    return read_event(json.dumps({"app_id": "A", "project_id": "P"} | fields).encode())


def _receipt(envelope: str = "", metadata: str = "", **report: Any) -> Any:
    payload = {"status": "FAILED", "metadata": metadata} | report
    return _event(message_delivery_report=payload, message_metadata=envelope)


@pytest.mark.parametrize(("kind", "trigger"), TRIGGERS.items())
def test_payload_key_decides_kind(kind: str, trigger: str) -> None:
    """Each payload key gives its kind and trigger."""
    event = _event(**{kind: {"x": 1}, "message_metadata": ""})

    assert (kind, trigger, {"x": 1}) == (event.kind, event.trigger, event.payload)


def test_unknown_kind_passes_through() -> None:
    """A payload key of the future is kept with its payload and without a trigger."""
    event = _event(future_notification={"a": 1}, extra="kept")

    assert (event.kind, event.trigger, event.payload) == ("future_notification", None, {"a": 1})
    assert event.raw["extra"] == "kept"


def test_envelope_without_payload_is_an_event() -> None:
    """An envelope alone has an empty kind and payload."""
    event = _event(channel_metadata={"operator": "x"})

    assert (event.kind, event.trigger, event.payload) == ("", None, {})


def test_long_key_wins_over_short() -> None:
    """With two payload keys the telling one decides."""
    event = _event(message={}, message_delivery_report={})

    assert event.kind == "message_delivery_report"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_time_is_read_or_none(text: object, moment: datetime | None) -> None:
    """Times of any precision are aware, and unreadable ones are None."""
    assert moment == _event(accepted_time=text).accepted_time


@given(JSON)
def test_any_json_is_an_event_or_parse_error(value: object) -> None:
    """Whatever JSON comes, reading it and correlating it raise CallbackParseError at most."""
    body = json.dumps(value).encode()
    if not isinstance(value, dict):
        with pytest.raises(CallbackParseError):
            read_event(body)
        return
    event = read_event(body)
    correlate(event)
    delivery_report(event)
    assert (value, body) == (event.raw, event.body)


@given(report=JSON, envelope=JSON)
def test_any_receipt_correlates(report: object, envelope: object) -> None:
    """Whatever a receipt holds, reading it raises nothing."""
    raw = {"message_delivery_report": report, "message_metadata": envelope}
    event = read_event(json.dumps(raw).encode())

    correlate(event)
    delivery_report(event)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_unreadable_body_is_parse_error(body: bytes) -> None:
    """Broken JSON raises CallbackParseError without showing the body."""
    with pytest.raises(CallbackParseError, match="not JSON"):
        read_event(body)


def test_repr_shows_no_content() -> None:
    """Neither numbers nor texts are in the repr of an event or a report."""
    identity = {"channel": "SMS", "identity": "+46700000001"}
    event = _receipt(metadata="secret words", channel_identity=identity)

    shown = repr(event) + repr(delivery_report(event)) + repr(correlate(event))

    assert not [each for each in ("+4670", "secret words") if each in shown]


def test_delivery_report_reads_receipt() -> None:
    """Status, reason and identity come out of the receipt, absent ones empty."""
    reason = {"code": "BAD_REQUEST", "description": "why"}
    report = delivery_report(_receipt(reason=reason, message_id="M"))

    assert report is not None
    assert (
        report.id,
        report.status,
        report.reason,
        report.description,
    ) == ("M", "FAILED", "BAD_REQUEST", "why")
    assert (report.sub_code, report.channel, report.identity) == ("", "", "")
    assert report.is_final


@pytest.mark.parametrize(
    ("status", "final"),
    [("QUEUED_ON_CHANNEL", False), ("SWITCHING_CHANNEL", False), ("READ", True), ("NEW", False)],
)
def test_final_statuses(status: str, final: bool) -> None:
    """DELIVERED, READ and FAILED end a message, others do not."""
    report = delivery_report(_event(event_delivery_report={"status": status, "event_id": "E"}))

    assert report is not None
    assert ("E", final) == (report.id, report.is_final)


def test_other_event_is_no_delivery_report() -> None:
    """An event of another kind gives None."""
    assert delivery_report(_event(message={})) is None


@pytest.mark.parametrize(
    ("envelope", "metadata", "expected"),
    [
        ('{"batchId":"B","messageIndex":150}', "", ("B", 150)),
        ('{"batch_id":"B","message_index":"3"}', "", ("B", 3)),
        ('{"_batch_id":"B"}', "", ("B", None)),
        ("", '{"_batch_id":"B","row":"7"}', ("B", None)),
        ('{"batchId":"B","messageIndex":2}', '{"_batch_id":"B"}', ("B", 2)),
        ('{"batchId":"OTHER","messageIndex":2}', '{"_batch_id":"B"}', ("B", None)),
        ('{"operator":"x"}', '{"_batch_id":"B","messageIndex":9}', ("B", None)),
        ("", '{"batchId":"B","messageIndex":9}', ("B", 9)),
        ('{"batchId":"B","messageIndex":-1}', "", ("B", None)),
        ('{"batchId":"B","messageIndex":true}', "", ("B", None)),
        ('{"batchId":"B","messageIndex":"x"}', "", ("B", None)),
        ('{"batchId":7}', "[]", (None, None)),
        ("no json", "{", (None, None)),
        ("", "", (None, None)),
    ],
)
def test_correlation_finds_batch_and_index(
    envelope: str, metadata: str, expected: tuple[str | None, int | None]
) -> None:
    """Batch id and index are found in every documented place, and only there."""
    found = correlate(_receipt(envelope, metadata))

    assert expected == (found.batch_id, found.index)


def test_correlation_in_the_payload_itself() -> None:
    """Keys beside the status of a receipt count too."""
    found = correlate(_receipt(batch_id="B", message_index=4))

    assert (found.batch_id, found.index) == ("B", 4)


def test_correlation_returns_the_callers_metadata() -> None:
    """The metadata is the caller's, without the reserved key."""
    assert correlate(_receipt(metadata='{"_batch_id":"B","row":"7"}')).metadata == {"row": "7"}


def test_correlation_of_reply_names_batch() -> None:
    """An inbound message carries the batch in the conversation metadata."""
    event = _event(message={}, message_metadata='{"_batch_id":"B"}')

    assert correlate(event).batch_id == "B"
