"""Events are read whatever their kind."""

# ruff: noqa: FBT001 (parametrised)

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.callbacks import (
    TRIGGERS,
    DeliveryState,
    Event,
    delivery_report,
    read_event,
)
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
    """An unknown payload key is kept with its payload and without a trigger."""
    event = _event(future_notification={"a": 1}, extra="kept")

    assert ("future_notification", None, {"a": 1}) == (event.kind, event.trigger, event.payload)
    assert "kept" == event.raw["extra"]


def test_envelope_without_payload_is_an_event() -> None:
    """An envelope alone has an empty kind and payload."""
    event = _event(channel_metadata={"operator": "x"})

    assert ("", None, {}) == (event.kind, event.trigger, event.payload)


def test_long_key_wins_over_short() -> None:
    """With two payload keys the more specific one decides."""
    event = _event(message={}, message_delivery_report={})

    assert "message_delivery_report" == event.kind


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
    """Times of any precision have a time zone, and unreadable ones are None."""
    assert moment == _event(accepted_time=text).accepted_time


@pytest.mark.parametrize("digits", range(10))
def test_fractions_of_a_second_have_any_length(digits: int) -> None:
    """Zero to nine digits are read, and cut to microseconds."""
    fraction = f".{'123456789'[:digits]}" if digits else ""
    event = _event(accepted_time=f"2026-01-02T03:04:05{fraction}Z")
    micros = int("123456789"[: min(digits, 6)].ljust(6, "0")) if digits else 0

    assert datetime(2026, 1, 2, 3, 4, 5, micros, UTC) == event.accepted_time


@given(JSON)
def test_any_json_is_an_event_or_parse_error(value: object) -> None:
    """For any JSON, reading all of the event raises CallbackParseError at most."""
    body = json.dumps(value).encode()
    if not isinstance(value, dict):
        with pytest.raises(CallbackParseError):
            read_event(body)
        return
    event = read_event(body)
    read_all(event)
    assert (value, body) == (event.raw, event.body)


@given(report=JSON, envelope=JSON, kind=st.sampled_from([*TRIGGERS]))
def test_any_payload_is_read(report: object, envelope: object, kind: str) -> None:
    """Whatever a payload holds, reading it raises nothing."""
    raw = {kind: report, "message_metadata": envelope}
    read_all(read_event(json.dumps(raw).encode()))


def read_all(event: Event) -> None:
    """Read everything that an event offers."""
    for name in dir(event):
        if not name.startswith("_"):
            getattr(event, name)
    delivery_report(event)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_unreadable_body_is_parse_error(body: bytes) -> None:
    """Broken JSON raises CallbackParseError without showing the body."""
    with pytest.raises(CallbackParseError, match=r"not JSON|nested too deeply"):
        read_event(body)


def test_repr_shows_no_content() -> None:
    """Neither phone numbers nor message text are in the repr of an event or a report."""
    identity = {"channel": "SMS", "identity": "+46700000001"}
    event = _receipt(metadata="secret words", channel_identity=identity)
    read_all(event)

    shown = repr(event) + repr(delivery_report(event)) + repr(event.model)

    assert not [each for each in ("+4670", "secret words") if each in shown]


def test_events_are_values() -> None:
    """Equal bodies are equal events, with one hash, and an event survives pickling."""
    one, two = (_event(message={"id": "M"}) for _ in range(2))
    read_all(one)

    assert (two, hash(two), {}) == (one, hash(one), one.metadata)
    assert one == pickle.loads(pickle.dumps(one))  # noqa: S301 (our own)
    assert one != _event(message={"id": "N"})


def test_metadata_are_offered_decoded() -> None:
    """Both metadata strings are read as objects, empty when they are not JSON objects."""
    event = _receipt(envelope='{"batchId":"B"}', metadata='{"_batch_id":"B","row":"7"}')

    assert ({"batchId": "B"}, {"_batch_id": "B", "row": "7"}) == (
        event.envelope_metadata,
        event.metadata,
    )
    assert '{"batchId":"B"}' == event.message_metadata
    assert ({}, {}) == (_receipt("x", "[]").envelope_metadata, _receipt("x", "[]").metadata)


def test_delivery_report_reads_receipt() -> None:
    """Status, reason and identity are read from the receipt, and empty when absent."""
    reason = {"code": "BAD_REQUEST", "description": "why"}
    report = delivery_report(_receipt(reason=reason, message_id="M"))

    assert report is not None
    assert ("M", "FAILED", "BAD_REQUEST", "why") == (
        report.id,
        report.status,
        report.reason,
        report.description,
    )
    assert ("", "", "") == (report.sub_code, report.channel, report.identity)
    assert (True, DeliveryState.FAILED) == (report.is_final, report.state)


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
